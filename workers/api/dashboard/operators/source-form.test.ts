import { expect, test } from "vitest";
import { mappingOf, merchantsOf } from "./source-form.ts";

test("no id is every merchant, never none", () => {
  expect(merchantsOf(" , ")).toBeNull();
  expect(merchantsOf("cafe-hoshino, bar-x\ncafe-y")).toEqual(["cafe-hoshino", "bar-x", "cafe-y"]);
});

test("a mapping that is not JSON is not sent; none is null", () => {
  expect(mappingOf("")).toEqual({ ok: true, value: null });
  expect(mappingOf('{"table": "sales"}')).toEqual({ ok: true, value: { table: "sales" } });
  expect(mappingOf("{table")).toEqual({ ok: false, error: "not_json" });
});
