import { expect, test } from "vitest";
import { Doubts } from "./doubts.ts";

const NOON_MS = Date.UTC(2031, 2, 5, 12);
const OTHER_MS = NOON_MS + 600_000;

function open() {
  const changed: (number | undefined)[] = [];
  const clock = { nowMs: 0 };
  const doubts = new Doubts(
    () => clock.nowMs,
    (windowMs) => changed.push(windowMs),
  );
  return { doubts, changed, clock };
}

test("a window is in doubt from when a shard says that it is damaged until it is rebuilt", () => {
  const { doubts, changed, clock } = open();
  expect(doubts.note("shard-0", NOON_MS)).toBe(true);
  expect(doubts.note("shard-0", NOON_MS)).toBe(false);
  clock.nowMs = 5;
  expect([doubts.isSince(NOON_MS, 5), doubts.isSince(OTHER_MS, 0), doubts.has("shard-0")]).toEqual([true, false, true]);
  doubts.end("shard-0", NOON_MS);
  expect([doubts.isSince(NOON_MS, 5), doubts.isSince(NOON_MS, 6), doubts.has("shard-0")]).toEqual([true, false, false]);
  expect(changed).toEqual([NOON_MS, NOON_MS, NOON_MS]);
});

test("after a crash what was not durable is in doubt no more", () => {
  const { doubts } = open();
  doubts.note("shard-0", NOON_MS);
  doubts.note("shard-0", OTHER_MS);
  doubts.forget("shard-0", new Set([OTHER_MS]));
  expect([doubts.isSince(NOON_MS, 1), doubts.isSince(OTHER_MS, 1)]).toEqual([false, true]);
});

test("what could not be noted may be any window, until all that is known is written", () => {
  const { doubts, changed, clock } = open();
  doubts.noteUnnoted("shard-0");
  expect([doubts.isSince(NOON_MS, 1), doubts.has("shard-0")]).toEqual([true, true]);
  clock.nowMs = 5;
  doubts.noteWritten("shard-0");
  expect([doubts.isSince(NOON_MS, 5), doubts.isSince(NOON_MS, 6)]).toEqual([true, false]);
  expect(changed).toEqual([undefined, undefined]);
});
