import { expect, test } from "vitest";
import { isTraced } from "./traced.ts";

test("of many requests about the share is followed, always the same ones; none of 0 and each of 1", () => {
  const ids = Array.from({ length: 20_000 }, () => crypto.randomUUID());
  const traced = ids.filter((id) => isTraced(id, 0.1));
  expect(traced.length).toBeGreaterThan(1_700);
  expect(traced.length).toBeLessThan(2_300);
  expect(traced.every((id) => isTraced(id, 0.2))).toBe(true);
  expect(ids.some((id) => isTraced(id, 0))).toBe(false);
  expect(ids.every((id) => isTraced(id, 1))).toBe(true);
  expect(isTraced("ffffffff-ffff-4fff-8fff-ffffffffffff", 1)).toBe(true);
});

test("what is no request's id is not followed", () => {
  expect(isTraced("", 1)).toBe(false);
  expect(isTraced("not-a-uuid", 0.5)).toBe(false);
});
