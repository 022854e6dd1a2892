import { describe, expect, test } from "vitest";
import { AHEAD_MAX_MS, checkTime, HISTORY_AGE_MAX_MS } from "./accept-event.ts";

describe("the time of an event", () => {
  const now = Date.UTC(2026, 10, 23);

  test("may lie five minutes ahead of the clock, not a millisecond more", () => {
    expect(checkTime(now + AHEAD_MAX_MS, now, HISTORY_AGE_MAX_MS)).toBeUndefined();
    expect(checkTime(now + AHEAD_MAX_MS + 1, now, HISTORY_AGE_MAX_MS)).toMatchObject({
      code: "in_the_future",
      path: "occurred_at",
      message: "301 s ahead of the clock; 300 s are allowed",
    });
  });

  test("may lie as far back as history is kept, not a millisecond more; one in seconds is recognised", () => {
    expect(checkTime(now - HISTORY_AGE_MAX_MS, now, HISTORY_AGE_MAX_MS)).toBeUndefined();
    const fault = checkTime(now - HISTORY_AGE_MAX_MS - 1, now, HISTORY_AGE_MAX_MS);
    expect(fault).toEqual({
      code: "too_old",
      path: "occurred_at",
      message: "older than the 1830 days history is kept",
    });
    expect(checkTime(now / 1000, now, HISTORY_AGE_MAX_MS)?.message).toContain("is it in seconds?");
  });
});
