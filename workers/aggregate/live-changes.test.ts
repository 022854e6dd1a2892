import { describe, expect, test } from "vitest";
import { LIVE_PUSH_INTERVAL_MS, LIVE_SENDS_PER_SECOND_MAX, LiveChanges } from "./live-changes.ts";
import { batchOf, HOUR_MS, NOON_MS, payment } from "./sample-payments.ts";

const batch = (...merchants: string[]) =>
  batchOf(merchants.map((merchant_id, i) => payment({ merchant_id, event_id: `${i}` })));

function listened(listeners: Readonly<Record<string, number>>): LiveChanges {
  const changes = new LiveChanges();
  for (const [merchant, count] of Object.entries(listeners)) changes.listen(merchant, count);
  return changes;
}

test("windows are noted of merchants that somebody listens to, each once, until nobody does", () => {
  const changes = listened({ a: 1, b: 2 });
  changes.noteBatch(batch("a", "a", "c"));
  changes.noteBatch(batchOf([payment({ event_id: "x", merchant_id: "a", occurred_at: NOON_MS - HOUR_MS + 5 })]));
  expect(changes.take(0)).toEqual(new Map([["a", new Set([NOON_MS, NOON_MS - HOUR_MS])]]));
  expect(changes.take(0).size).toBe(0);
  changes.listen("a", 0);
  changes.noteBatch(batch("a"));
  expect(changes.waitMs(0)).toBeUndefined();
  expect(changes.isListened).toBe(true);
  changes.listen("b", 0);
  expect(changes.isListened).toBe(false);
});

describe("a change is pushed", () => {
  test("at once after a rest, and later ones together after the interval", () => {
    const changes = listened({ a: 1 });
    changes.noteBatch(batch("a"));
    expect(changes.waitMs(NOON_MS)).toBe(0);
    changes.take(NOON_MS);
    expect(changes.waitMs(NOON_MS)).toBeUndefined();
    changes.noteBatch(batch("a"));
    expect(changes.waitMs(NOON_MS + 100)).toBe(LIVE_PUSH_INTERVAL_MS - 100);
    expect(changes.waitMs(NOON_MS + HOUR_MS)).toBe(0);
  });

  test("within half a second where there are some screens", () => {
    const changes = listened({ a: 20, b: 1 });
    changes.noteBatch(batch("a", "b"));
    changes.take(NOON_MS);
    changes.noteBatch(batch("a"));
    expect(changes.waitMs(NOON_MS)).toBeLessThanOrEqual(500);
  });

  test("later when many are to be told, so that a second has no more messages than it may", () => {
    const changes = listened({ a: LIVE_SENDS_PER_SECOND_MAX, b: LIVE_SENDS_PER_SECOND_MAX });
    changes.noteBatch(batch("a", "b"));
    changes.take(NOON_MS);
    changes.noteBatch(batch("a"));
    expect(changes.waitMs(NOON_MS)).toBe(2_000);
  });

  test("in time though the clock went back", () => {
    const changes = listened({ a: 1 });
    changes.noteBatch(batch("a"));
    changes.take(NOON_MS);
    changes.noteBatch(batch("a"));
    expect(changes.waitMs(NOON_MS - HOUR_MS)).toBe(LIVE_PUSH_INTERVAL_MS);
  });
});
