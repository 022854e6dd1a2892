import { expect, test } from "vitest";
import { questionKey } from "./question.ts";

test("what is understood stands in the place of the words, in one order", () => {
  const first = questionKey("shop", "metrics", { to: "now", from: "today" }, { from: 1, to: 2, tz: "Asia/Tokyo" });
  const second = questionKey(
    "shop",
    "metrics",
    { from: "2026-01-01", tz: "Japan" },
    { tz: "Asia/Tokyo", to: 2, from: 1 },
  );
  expect(first).toBe("shop/metrics?from=1&to=2&tz=Asia%2FTokyo");
  expect(second).toBe(first);
});

test("a parameter that nothing was understood of makes another question, and no value can pose as two", () => {
  const keys = [{}, { group_by: "device" }, { group_by: "device&tz=x" }, { group_by: "device", tz: "x" }].map((query) =>
    questionKey("shop", "metrics", query, {}),
  );
  expect(new Set(keys).size).toBe(keys.length);
});
