import { expect, test } from "vitest";
import { ANSWER_MS_MAX, silenceMsMax, TABLE_MS_MAX } from "./silence.ts";

test("only a table of events may say nothing for as long as it takes", () => {
  const of = (method: string, target: string) => silenceMsMax({ method, target });
  expect(of("GET", "/v1/merchants/shop/events?format=csv&gender=f")).toBe(TABLE_MS_MAX + ANSWER_MS_MAX);
  expect(of("GET", "/v1/merchants/shop/events")).toBeGreaterThan(TABLE_MS_MAX);
  expect([of("POST", "/v1/events"), of("GET", "/v1/merchants/shop/metrics?from=2026-01-01")]).toEqual([
    ANSWER_MS_MAX,
    ANSWER_MS_MAX,
  ]);
});
