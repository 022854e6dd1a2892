import { expect, test, vi } from "vitest";
import { addKey } from "../directory/test-directory.ts";
import { apiOver, openApi } from "./test-api.ts";

test("while the directory is away a read says so, and that it may be tried again", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const { directory } = await openApi();
  const key = await addKey(directory, "merchant", "shop-1");
  const away = new Proxy(directory, {
    get: (target, name) => (sql: string) => {
      if (name === "prepare" && /from "merchants"/.test(sql)) throw new Error("D1 is away");
      return Reflect.get(target, name).call(target, sql);
    },
  });
  const response = await apiOver(away).ask("GET", "/v1/merchants/shop-1/report", key);
  expect([response.status, response.headers.get("Retry-After")]).toEqual([503, "5"]);
  expect(await response.json()).toMatchObject({ code: "directory_unavailable" });
});
