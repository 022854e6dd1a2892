import { expect, test } from "vitest";
import {
  addDelta,
  MINUTE_MS,
  MINUTES_KEPT,
  meterStateSchema,
  newMeterState,
  readingOf,
  SERIES_MAX,
} from "./meter-state.ts";

const START_MS = 1_000 * MINUTE_MS;
const delta = (counts: Record<string, number>, peaks: Record<string, number> = {}) => ({ counts, peaks });

test("counts of several isolates are added up, and of several meters", () => {
  const one = addDelta(addDelta(newMeterState(START_MS), delta({ a: 2, b: 1 }), START_MS), delta({ a: 3 }), START_MS);
  const other = addDelta(newMeterState(START_MS + 5), delta({ a: 10 }, { age: 7 }), START_MS + 5);
  const reading = readingOf([one, other], 5, START_MS + 10);
  expect(Object.fromEntries(reading.counts)).toEqual({ a: 15, b: 1 });
  expect(reading.sinceMs).toBe(START_MS);
});

test("rates look back over the minutes asked for, and peaks are forgotten with them; counts never are", () => {
  let state = newMeterState(START_MS);
  for (let minute = 0; minute < 30; minute++) {
    state = addDelta(state, delta({ a: 1 }, { age: minute === 2 ? 99 : minute }), START_MS + minute * MINUTE_MS);
  }
  expect(state.minutes).toHaveLength(MINUTES_KEPT);
  const nowMs = START_MS + 29 * MINUTE_MS + 30_000;
  const reading = readingOf([state], 5, nowMs);
  expect(reading.counts.get("a")).toBe(30);
  expect(reading.recent.get("a")).toBe(5);
  expect(reading.recentMs).toBe(4.5 * MINUTE_MS);
  expect(reading.peaks.get("age")).toBe(29);
});

test("a meter that began a moment ago does not spread what it saw over minutes it did not see", () => {
  const state = addDelta(newMeterState(START_MS), delta({ a: 120 }), START_MS + 1);
  expect(readingOf([state], 5, START_MS + 2 * MINUTE_MS).recentMs).toBe(2 * MINUTE_MS);
});

test("what was counted before a clock went back is not counted in another minute, nor lost", () => {
  const later = addDelta(newMeterState(START_MS), delta({ a: 1 }), START_MS + MINUTE_MS);
  const state = addDelta(later, delta({ a: 1 }), START_MS);
  expect(state.minutes).toEqual([{ start_ms: START_MS + MINUTE_MS, counts: { a: 2 }, peaks: {} }]);
});

test("series that are made without end stop at a limit; those there are go on", () => {
  const names = Object.fromEntries(Array.from({ length: SERIES_MAX + 50 }, (_, i) => [`a/${i}`, 1]));
  const state = addDelta(addDelta(newMeterState(START_MS), delta(names), START_MS), delta({ "a/0": 1 }), START_MS);
  expect(Object.keys(state.counts)).toHaveLength(SERIES_MAX);
  expect(state.counts["a/0"]).toBe(2);
});

test("what a meter writes is what it reads again", () => {
  const state = addDelta(newMeterState(START_MS), delta({ a: 0.25 }, { age: 3 }), START_MS);
  expect(meterStateSchema.parse(JSON.parse(JSON.stringify(state)))).toEqual(state);
});
