import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS, storedThrough, WINDOW_MS } from "../../shared/window.ts";
import { HistoryUnavailable } from "./history.ts";
import { ShardUnavailable } from "./hot-windows.ts";
import { type Joining, joined } from "./read-range.ts";
import type { HistorySpan } from "./tiers.ts";

const NOW_MS = Date.UTC(2026, 10, 1, 12, 34);
const TODAY = { fromMs: NOW_MS - (NOW_MS % DAY_MS), toMs: NOW_MS + DAY_MS - (NOW_MS % DAY_MS) };
const LAST_WEEK = { fromMs: TODAY.fromMs - 7 * DAY_MS, toMs: TODAY.toMs - 7 * DAY_MS };

/** Shards that leave some spans to history, or do not answer, and a history that says what it was asked, or does not. */
function world(
  over: Partial<Joining<readonly HistorySpan[]>> & { history?: readonly HistorySpan[] | "away"; shards?: "away" },
) {
  const { history = [], shards, ...rest } = over;
  return {
    ...TODAY,
    takesPartial: true,
    nowMs: NOW_MS,
    readHot: async (bringBack: boolean) => {
      if (shards === "away") throw new ShardUnavailable("shard-0 does not answer");
      const left = history === "away" ? [TODAY] : history;
      return { asOfMs: NOW_MS, windows: [], history: bringBack ? [] : left };
    },
    ask: async (spans: readonly HistorySpan[]) => {
      if (history === "away") throw new HistoryUnavailable("ClickHouse does not answer");
      return spans;
    },
    ...rest,
  };
}

test("history is asked for what the shards leave to it, and not at all when that is nothing", async () => {
  const left = { fromMs: TODAY.fromMs, toMs: TODAY.fromMs + HOUR_MS };
  expect(await joined(world({ history: [left] }))).toMatchObject({ past: [left], isPartial: false });
  expect(await joined(world({}))).toMatchObject({ past: undefined, isPartial: false });
});

test("while a shard counts windows anew they are history's, and nothing is complete from the first of them on", async () => {
  const damagedFromMs = TODAY.fromMs + HOUR_MS;
  const history = [{ fromMs: damagedFromMs, toMs: damagedFromMs + WINDOW_MS }];
  const rebuilding = { readHot: async () => ({ asOfMs: NOW_MS, windows: [], history, damagedFromMs }) };
  expect(await joined(world(rebuilding))).toMatchObject({
    ...{ past: history, completeThroughMs: damagedFromMs, isPartial: false, isRebuilding: true },
  });
  expect(await joined(world({}))).toMatchObject({ isRebuilding: false });
  // Who does not take a part: an alert, what is compared with, a stream.
  await expect(joined(world({ ...rebuilding, takesPartial: false }))).rejects.toBeInstanceOf(ShardUnavailable);
});

test("while history is away the shards answer for what they retain", async () => {
  expect(await joined(world({ history: "away" }))).toMatchObject({ past: undefined, isPartial: false });
});

test("while a shard is away history answers up to the window that fills, and does not claim to be complete", async () => {
  const past = [{ fromMs: TODAY.fromMs, toMs: NOW_MS - (NOW_MS % WINDOW_MS) + WINDOW_MS }];
  const completeThroughMs = storedThrough(NOW_MS);
  expect(completeThroughMs).toBeLessThan(NOW_MS - DAY_MS);
  expect(await joined(world({ shards: "away" }))).toMatchObject({ past, completeThroughMs, isPartial: true });
  expect(await joined(world({ shards: "away", ...LAST_WEEK }))).toMatchObject({ past: [LAST_WEEK], isPartial: true });
});

test("who does not take a part is told that a shard is away; so is everybody while history is away, too, or asked for days to come", async () => {
  const tomorrow = { fromMs: TODAY.toMs, toMs: TODAY.toMs + DAY_MS };
  for (const unanswered of [{ takesPartial: false }, { history: "away" as const }, tomorrow]) {
    await expect(joined(world({ shards: "away", ...unanswered }))).rejects.toBeInstanceOf(ShardUnavailable);
  }
});
