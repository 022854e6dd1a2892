import { beforeEach, expect, test } from "vitest";
import { beginEmission, confirmEmission, type Emissions, markEmitted, nextEmission, noEmissions } from "./emission.ts";
import { emptyState, fold, nextAtMs, type ShardState } from "./engine.ts";
import { batchOf, HOUR_MS, MINUTE_MS, NOON_MS, payment } from "./sample-payments.ts";
import { statusOf } from "./shard-status.ts";

const CLOSED_MS = NOON_MS + 12 * MINUTE_MS;

let state: ShardState;
let emissions: Emissions;
beforeEach(() => {
  state = emptyState();
  emissions = noEmissions(0);
});

function count(id: string, nowMs: number, occurredAt = NOON_MS): void {
  fold(state, batchOf([payment({ event_id: id, occurred_at: occurredAt })]), nextAtMs(state, nowMs));
}

/** Sends what is due, and has history confirm it unless it is to stay on its way. */
function send(nowMs: number, isConfirmed = true): void {
  const emission = nextEmission(state, emissions, nowMs, 0);
  if (emission === undefined) throw new Error("nothing is due");
  beginEmission(emissions, emission, nowMs);
  markEmitted(emissions, emission, 1, nowMs, 0);
  if (isConfirmed) confirmEmission(emissions, emission.id, 0);
}

const status = (nowMs: number) => statusOf(state, emissions, nowMs);

test("a window that is closed and not in history holds back what is complete, until history has it", () => {
  count("a", NOON_MS + 1);
  expect(status(CLOSED_MS - 1)).toMatchObject({ windows: 1, unstoredFromMs: null, completeThroughMs: NOON_MS });
  expect(status(CLOSED_MS)).toMatchObject({ unstoredFromMs: NOON_MS, completeThroughMs: NOON_MS });
  send(CLOSED_MS, false);
  expect(status(CLOSED_MS + HOUR_MS)).toMatchObject({
    emissions: 1,
    unconfirmedSinceMs: CLOSED_MS,
    unstoredFromMs: NOON_MS,
    completeThroughMs: NOON_MS,
  });
  confirmEmission(emissions, 1, 0);
  expect(status(CLOSED_MS)).toMatchObject({
    emissions: 0,
    unconfirmedSinceMs: null,
    unstoredFromMs: null,
    completeThroughMs: NOON_MS + 10 * MINUTE_MS,
  });
});

test("a correction is not finished, and takes nothing back of what was complete", () => {
  count("a", NOON_MS + 1);
  send(CLOSED_MS);
  count("late", CLOSED_MS + MINUTE_MS);
  expect(status(CLOSED_MS + MINUTE_MS)).toMatchObject({
    unstoredFromMs: NOON_MS,
    completeThroughMs: NOON_MS + 10 * MINUTE_MS,
  });
});

test("nor does a late event of a window that was empty: history had all of it, which was nothing", () => {
  count("late", NOON_MS + 5 * HOUR_MS);
  const nowMs = NOON_MS + 5 * HOUR_MS;
  expect(status(nowMs)).toMatchObject({ unstoredFromMs: NOON_MS, completeThroughMs: nowMs - 10 * MINUTE_MS });
});

test("a damaged window holds back what is complete, whatever history had of it", () => {
  state.damaged.set(NOON_MS, { storedRevision: 5 });
  expect(status(CLOSED_MS + HOUR_MS)).toMatchObject({ damaged: 1, completeThroughMs: NOON_MS });
});

test("a shard with nothing in it is complete to the last closed window", () => {
  expect(status(CLOSED_MS)).toEqual({
    windows: 0,
    bytes: 0,
    damaged: 0,
    emissions: 0,
    unconfirmedSinceMs: null,
    unstoredFromMs: null,
    completeThroughMs: NOON_MS + 10 * MINUTE_MS,
  });
});
