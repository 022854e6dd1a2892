import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  completeThrough,
  DAY_MS,
  GRACE_MS,
  isClosed,
  isFinal,
  LATENESS_HORIZON_MS,
  leastFinished,
  WINDOW_MS,
  type WindowStatus,
  windowStart,
  windowStatus,
} from "./window.ts";

const moment = fc.integer({ min: DAY_MS, max: 8_640_000_000_000_000 - 2 * DAY_MS });
const status = fc.constantFrom<WindowStatus>("open", "provisional", "final");

test("every moment lies in exactly one window: its start included, its end not", () => {
  fc.assert(
    fc.property(moment, (ms) => {
      const start = windowStart(ms);
      expect(start % WINDOW_MS).toBe(0);
      expect(ms - start).toBeGreaterThanOrEqual(0);
      expect(ms - start).toBeLessThan(WINDOW_MS);
    }),
  );
  expect([0, 599_999, 600_000, 600_001].map(windowStart)).toEqual([0, 0, 600_000, 600_000]);
});

describe("a window", () => {
  const start = Date.UTC(2026, 10, 23, 10);
  const closes = start + WINDOW_MS + GRACE_MS;
  const ends = start + WINDOW_MS + LATENESS_HORIZON_MS;

  test("is open until its grace has passed, provisional until the horizon, final from then on", () => {
    expect(windowStatus(start, start)).toBe("open");
    expect(windowStatus(start, closes - 1)).toBe("open");
    expect(windowStatus(start, closes)).toBe("provisional");
    expect(windowStatus(start, ends - 1)).toBe("provisional");
    expect(windowStatus(start, ends)).toBe("final");
  });

  test("is closed and final when its status says so, and never opens again", () => {
    fc.assert(
      fc.property(moment, moment, fc.nat(2 * DAY_MS), (at, now, more) => {
        const of = windowStatus(windowStart(at), now);
        expect(isClosed(windowStart(at), now)).toBe(of !== "open");
        expect(isFinal(windowStart(at), now)).toBe(of === "final");
        const later = windowStatus(windowStart(at), now + more);
        expect(leastFinished(of, later)).toBe(of);
      }),
    );
  });
});

test("all windows before completeThrough are closed, the one that starts there is not", () => {
  fc.assert(
    fc.property(moment, (now) => {
      const through = completeThrough(now);
      expect(isClosed(through - WINDOW_MS, now)).toBe(true);
      expect(isClosed(through, now)).toBe(false);
    }),
  );
});

test("the least finished of several windows is the same in whatever order and grouping", () => {
  fc.assert(
    fc.property(status, status, status, (a, b, c) => {
      expect(leastFinished(a, b)).toBe(leastFinished(b, a));
      expect(leastFinished(leastFinished(a, b), c)).toBe(leastFinished(a, leastFinished(b, c)));
      expect(leastFinished(a, "final")).toBe(a);
      expect(leastFinished(a, "open")).toBe("open");
    }),
  );
});
