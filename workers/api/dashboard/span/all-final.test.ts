import { expect, test } from "vitest";
import type { Series } from "../data/answers.ts";
import { isAllFinal } from "./all-final.ts";

const final = [{ total: { status: "final" } }] as Series[];

test("a span is final once all of it is, and while none of it is counted anew", () => {
  const to = "2026-11-26T00:00:00+09:00";
  expect(isAllFinal({ series: final, to, complete_through: "2026-11-27T14:20:00+09:00" })).toBe(true);
  expect(isAllFinal({ series: final, to, complete_through: "2026-11-25T23:50:00+09:00" })).toBe(false);
  const one = { total: { status: "provisional" } } as Series;
  expect(isAllFinal({ series: [...final, one], to, complete_through: to })).toBe(false);
});
