import { expect, test } from "vitest";
import { BACKOFF_MS_MAX, backoffMs, RETRY_AFTER_MS_MAX, retryAfterMs, sleep } from "./backoff.ts";

test("waits double up to a bound, are random below it, and a Retry-After beyond all reason is cut", () => {
  const longest = () => 1 - Number.EPSILON;
  expect(backoffMs(1, 0, () => 0)).toBe(0);
  expect([1, 2, 3].map((attempt) => backoffMs(attempt, 0, () => 0.5))).toEqual([250, 500, 1000]);
  expect(backoffMs(50, 0, longest)).toBeLessThan(BACKOFF_MS_MAX + 1);
  expect(backoffMs(1, 1e12, () => 0)).toBe(RETRY_AFTER_MS_MAX);
});

test.each([
  ["3", 3_000],
  [" 120 ", 120_000],
  ["Mon, 23 Nov 2026 12:00:05 GMT", 5_000],
  ["Mon, 23 Nov 2026 11:59:59 GMT", 0],
  ["soon", 0],
  ["-1", 0],
])("Retry-After: %s is %i ms from noon", (value, ms) => {
  const noonMs = Date.UTC(2026, 10, 23, 12);
  expect(retryAfterMs(new Headers({ "retry-after": value }), noonMs)).toBe(ms);
  expect(retryAfterMs(new Headers(), noonMs)).toBe(0);
});

test("a sleep ends with its time, or with the signal, before or during it", async () => {
  await sleep(1);
  await sleep(1_000_000, AbortSignal.abort());
  const stop = new AbortController();
  const slept = sleep(1_000_000, stop.signal);
  stop.abort();
  await slept;
});
