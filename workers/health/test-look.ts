import { err, ok } from "../../shared/result.ts";
import { completeThrough, DAY_MS, WINDOW_MS } from "../../shared/window.ts";
import type { ShardStatus } from "../aggregate/shard-status.ts";
import type { OperatingState } from "../directory/operating-state.ts";
import { addDelta, newMeterState, readingOf } from "../meter/meter-state.ts";
import type { Answered } from "./answered.ts";
import { type Findings, judgeHealth } from "./judge-health.ts";
import type { Look } from "./read-health.ts";

/** What tests of health are about: everybody answered, and nothing is wrong. */

export const NOW_MS = Date.UTC(2026, 10, 27, 12, 1);
export const said = <T>(value: T): Answered<T> => ok({ value, tookMs: 5 });
export const silent = err("no answer in 3 s");

export const QUIET: OperatingState = {
  deadLetters: {},
  oldestDeadAt: null,
  auditedThroughMs: NOW_MS - DAY_MS,
  audit: { equal: 9, changed: 0, missing: 0, short: 0, unarchived: 0, doubts: 0 },
  replays: { running: 0, failing: 0, failure: null },
  lateWindows: { waiting: 0, failing: 0, failure: null, earliestMs: null, sinceMs: null },
  uncompacted: { waiting: 3, earliestMs: NOW_MS - DAY_MS, failing: 0, failure: null },
};

export const SHARD: ShardStatus = {
  windows: 100,
  bytes: 1_000_000,
  damaged: 0,
  emissions: 0,
  unconfirmedSinceMs: null,
  unstoredFromMs: null,
  completeThroughMs: completeThrough(NOW_MS),
};

export function metered(counts: Record<string, number>, peaks: Record<string, number> = {}) {
  const state = addDelta(newMeterState(NOW_MS - DAY_MS), { counts, peaks }, NOW_MS);
  return { meters: [said(state)], reading: readingOf([state], 5, NOW_MS) };
}

export function findings(over: Partial<Findings> = {}): Findings {
  return {
    nowMs: NOW_MS,
    directory: said(QUIET),
    ...metered({ "ingest_requests/answered": 3, "receipt_events/accepted": 300 }),
    shards: ok({ shards: 2, answers: new Map([["shard-0", said(SHARD)]]) }),
    history: said(NOW_MS - WINDOW_MS),
    log: said({ messages: 0, bytes: 0, oldestMs: null }),
    windowsQueue: undefined,
    ...over,
  };
}

export function exampleLook(over: Partial<Findings> = {}): Look {
  const found = findings({ windowsQueue: said({ messages: 0, bytes: 0, oldestMs: null }), ...over });
  return { health: judgeHealth(found), reading: found.reading };
}
