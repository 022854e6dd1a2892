import { expect, test } from "vitest";
import { ANSWER_MS_MAX, silenceMsMax, TABLE_MS_MAX } from "./silence.ts";

test("only a table of events may say nothing for as long as it takes", () => {
  const of = (method: string, target: string, accept = "*/*") =>
    silenceMsMax({ method, target, headers: [["Accept", accept]] });
  const events = "/v1/merchants/shop/events";
  expect(of("GET", `${events}?gender=f&format=csv`)).toBe(TABLE_MS_MAX + ANSWER_MS_MAX);
  expect(of("GET", events, "text/csv;q=0.1")).toBe(TABLE_MS_MAX + ANSWER_MS_MAX);
  const others = [of("GET", events), of("POST", "/v1/events"), of("GET", "/v1/merchants/shop/metrics?format=csv")];
  expect(others).toEqual(others.map(() => ANSWER_MS_MAX));
});
