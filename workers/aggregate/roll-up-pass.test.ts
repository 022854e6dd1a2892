import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS } from "../../shared/window.ts";
import { BEFORE_ALL, CHANGES_SETTLE_MS, completed, isComplete, passToGoOn } from "./roll-up-pass.ts";

const MIDNIGHT_MS = Date.UTC(2026, 10, 26);

test("a day is rolled up an hour after its last window has become final, not before", () => {
  const goalAt = (nowMs: number) => passToGoOn(undefined, nowMs).goal.finalToMs;
  expect(goalAt(MIDNIGHT_MS + DAY_MS + HOUR_MS - 1)).toBe(MIDNIGHT_MS - DAY_MS);
  expect(goalAt(MIDNIGHT_MS + DAY_MS + HOUR_MS)).toBe(MIDNIGHT_MS);
});

test("a change is worked off when its insert must be over", () => {
  expect(passToGoOn(undefined, MIDNIGHT_MS).goal.changedToMs).toBe(MIDNIGHT_MS - CHANGES_SETTLE_MS);
});

test("a pass that was begun is gone on with, however late, and keeps its goal", () => {
  const begun = { ...passToGoOn(undefined, MIDNIGHT_MS), after: { merchantId: "shop", day: "2026-11-01" } };
  expect(passToGoOn(begun, MIDNIGHT_MS + 7 * DAY_MS)).toBe(begun);
});

test("the next pass begins where the last one ended, and never goes back with the clock", () => {
  const first = completed(passToGoOn(undefined, MIDNIGHT_MS));
  expect(isComplete(first)).toBe(true);
  expect(passToGoOn(first, MIDNIGHT_MS + DAY_MS)).toMatchObject({ done: first.goal, after: BEFORE_ALL });
  expect(passToGoOn(first, MIDNIGHT_MS - 7 * DAY_MS).goal).toEqual(first.goal);
});
