import { expect, test } from "vitest";
import {
  CROWD_PASSES_MS,
  CROWD_SHARE_MAX,
  CROWD_TAKEN_SHARE_MIN,
  CrowdPace,
  REFUSAL_KILOBYTE_MS,
  REFUSAL_MS,
} from "./crowd-pace.ts";

const BYTES = 42_000;
const WORK_MS = 1.7;
const REFUSED_MS = REFUSAL_MS + (BYTES / 1000) * REFUSAL_KILOBYTE_MS;
const SECOND_MS = 1_000;

/** So many requests a millisecond, each taken if there is time for it and else refused, for ten seconds; what of the time each kind took. */
function crowd(pace: CrowdPace, requestsPerMs: number, fromMs = 0) {
  const spent = { taken: 0, refused: 0 };
  pace.refuse(BYTES, fromMs);
  for (let nowMs = fromMs; nowMs < fromMs + 10 * SECOND_MS; nowMs++) {
    for (let n = 0; n < requestsPerMs; n++) {
      if (pace.isSpent(nowMs)) {
        pace.refuse(BYTES, nowMs);
        spent.refused += REFUSED_MS / (10 * SECOND_MS);
      } else {
        pace.take(WORK_MS);
        spent.taken += WORK_MS / (10 * SECOND_MS);
      }
    }
  }
  return spent;
}

test("a crowd gets its share of the isolate's time and no more, refusals included", () => {
  const { taken, refused } = crowd(new CrowdPace(), 1);
  expect(refused).toBeGreaterThan(0.1);
  expect(taken + refused).toBeCloseTo(CROWD_SHARE_MAX, 1);
});

test("however many are refused, some are taken", () => {
  const { taken, refused } = crowd(new CrowdPace(), 10);
  expect(refused).toBeGreaterThan(1);
  expect(taken).toBeCloseTo(CROWD_TAKEN_SHARE_MIN, 1);
});

test("nothing is paced unless something was refused lately, and nothing is owed from before", () => {
  const pace = new CrowdPace();
  for (let n = 0; n < 1_000; n++) pace.take(WORK_MS);
  expect(pace.isSpent(1)).toBe(false);
  pace.refuse(BYTES, 2);
  expect(pace.isSpent(2)).toBe(false);
  pace.take(1_000 * WORK_MS);
  expect(pace.isSpent(CROWD_PASSES_MS + 1)).toBe(true);
  expect(pace.isSpent(CROWD_PASSES_MS + 2)).toBe(false);
});

test("a clock that is set back ends a crowd", () => {
  const pace = new CrowdPace();
  pace.refuse(BYTES, 5_000);
  pace.take(100);
  expect(pace.isSpent(5_000)).toBe(true);
  expect(pace.isSpent(4_000)).toBe(false);
});

test("a large request is paid off before the next one is taken, and then one is", () => {
  const pace = new CrowdPace();
  pace.refuse(BYTES, 0);
  pace.take(300);
  let nowMs = 0;
  for (; pace.isSpent(nowMs); nowMs += 10) pace.refuse(0, nowMs);
  expect(nowMs).toBeGreaterThan(300);
  expect(nowMs).toBeLessThan(1_000);
});
