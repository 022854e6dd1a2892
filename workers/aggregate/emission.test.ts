import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import {
  abandonEmission,
  beginEmission,
  confirmEmission,
  EMISSION_ROWS_MAX,
  EMISSION_TIMEOUT_MS,
  EMISSIONS_PENDING_MAX,
  type Emission,
  type Emissions,
  expireEmissions,
  markEmitted,
  nextAlarmMs,
  nextEmission,
  noEmissions,
} from "./emission.ts";
import { droppable, emptyState, fold, nextAtMs, RETENTION_MARGIN_MS, type ShardState } from "./engine.ts";
import { batchOf, HOUR_MS, MINUTE_MS, NOON_MS, payment, payments } from "./sample-payments.ts";
import type { Slice } from "./slice.ts";

const DELAY_MS = 20_000;
const CLOSES_MS = NOON_MS + 12 * MINUTE_MS;
const FINAL_MS = NOON_MS + 10 * MINUTE_MS + 24 * HOUR_MS;

let state: ShardState;
let emissions: Emissions;
beforeEach(() => {
  state = emptyState();
  emissions = noEmissions(1000);
});

function count(merchant: string, nowMs: number, occurredAt = NOON_MS): void {
  const event = payment({ event_id: `${merchant}-${nowMs}`, merchant_id: merchant, occurred_at: occurredAt });
  fold(state, batchOf([event]), nextAtMs(state, nowMs));
}

const due = (nowMs: number) => nextEmission(state, emissions, nowMs, DELAY_MS);
const alarm = (nowMs: number) => nextAlarmMs(state, emissions, nowMs, DELAY_MS);
const merchantsOf = (emission: Emission | undefined) =>
  [...(emission?.windows ?? [])].map((window) => window.merchantId);

function begin(nowMs: number): Emission {
  const emission = due(nowMs);
  if (emission === undefined) throw new Error(`nothing is due at ${nowMs}`);
  beginEmission(emissions, emission, nowMs);
  return emission;
}

function send(nowMs: number, parts = 1): Emission {
  const emission = begin(nowMs);
  markEmitted(emissions, emission, parts, nowMs, DELAY_MS);
  return emission;
}

function slice(startMs = NOON_MS): Slice {
  const found = state.slices.get(startMs);
  if (found === undefined) throw new Error("no such slice");
  return found;
}

describe("sending windows", () => {
  test("a window is due when it closes, not before, and once", () => {
    count("a", NOON_MS);
    expect(alarm(NOON_MS)).toBe(CLOSES_MS);
    expect(due(CLOSES_MS - 1)).toBeUndefined();
    expect(merchantsOf(send(CLOSES_MS))).toEqual(["a"]);
    expect(due(CLOSES_MS + HOUR_MS)).toBeUndefined();
  });

  test("corrections go a delay after what was sent, for which the alarm is set already, and are only of what changed", () => {
    count("a", NOON_MS);
    count("b", NOON_MS + 1);
    send(CLOSES_MS);
    expect(alarm(CLOSES_MS)).toBe(CLOSES_MS + DELAY_MS);
    count("b", CLOSES_MS + 5_000);
    count("b", CLOSES_MS + 9_000);
    expect(alarm(CLOSES_MS + 9_000)).toBe(CLOSES_MS + DELAY_MS);
    expect(due(CLOSES_MS + DELAY_MS - 1)).toBeUndefined();
    const correction = send(CLOSES_MS + DELAY_MS);
    const windows = [...correction.windows];
    expect(windows.map(({ merchantId, report }) => [merchantId, report.payments_count])).toEqual([["b", 3]]);
  });

  test("a correction that comes when nothing has been sent for long is due a delay after the first change", () => {
    count("a", NOON_MS);
    send(CLOSES_MS);
    count("b", CLOSES_MS + HOUR_MS);
    count("b", CLOSES_MS + HOUR_MS + 9_000);
    expect(alarm(CLOSES_MS + HOUR_MS + 9_000)).toBe(CLOSES_MS + HOUR_MS + 9_000);
    expect(due(CLOSES_MS + HOUR_MS + DELAY_MS - 1)).toBeUndefined();
    expect(merchantsOf(send(CLOSES_MS + HOUR_MS + DELAY_MS))).toEqual(["b"]);
  });

  test("corrections that are not due go with what is, and after it", () => {
    count("old", NOON_MS);
    confirmEmission(emissions, send(CLOSES_MS).id, 0);
    count("next", CLOSES_MS + 1, NOON_MS + 10 * MINUTE_MS);
    const closesMs = CLOSES_MS + 10 * MINUTE_MS;
    count("old", closesMs - 1);
    expect(due(closesMs - 1)).toBeUndefined();
    expect(merchantsOf(send(closesMs))).toEqual(["next", "old"]);
    expect(due(closesMs + DELAY_MS)).toBeUndefined();
  });

  test("nothing counts as sent that the queue refused", () => {
    count("a", NOON_MS);
    const refused = begin(CLOSES_MS);
    abandonEmission(emissions, refused.id);
    expect(slice().emittedRevision).toBe(0);
    expect(confirmEmission(emissions, refused.id, 0)).toEqual([]);
    const again = due(CLOSES_MS);
    expect(merchantsOf(again)).toEqual(["a"]);
    expect(again?.id).toBeGreaterThan(refused.id);
  });

  test("a change that comes while its window is being sent is sent next, also when it is the same merchant's", () => {
    count("a", NOON_MS);
    const emission = begin(CLOSES_MS);
    count("a", CLOSES_MS + 1);
    count("b", CLOSES_MS + 2);
    markEmitted(emissions, emission, 1, CLOSES_MS + 3, DELAY_MS);
    expect(due(CLOSES_MS + 3)).toBeUndefined();
    expect(alarm(CLOSES_MS + 3)).toBe(CLOSES_MS + 3 + DELAY_MS);
    expect(merchantsOf(send(CLOSES_MS + 3 + DELAY_MS))).toEqual(["a", "b"]);
  });

  test("more windows than one emission holds follow in the next ones", () => {
    const merchants = Array.from({ length: 5_000 }, (_, i) => payment({ event_id: "x", merchant_id: `m${i}` }));
    for (let at = 0; at < 6; at++) {
      const occurred_at = NOON_MS + at * 10 * MINUTE_MS;
      const events = merchants.map((event) => ({ ...event, event_id: `x${at}`, occurred_at }));
      fold(state, batchOf(events), nextAtMs(state, NOON_MS));
    }
    const nowMs = CLOSES_MS + HOUR_MS;
    expect([...send(nowMs).windows].length).toBe(EMISSION_ROWS_MAX);
    expect(alarm(nowMs)).toBe(nowMs);
    expect([...send(nowMs).windows].length).toBe(6 * 5_000 - EMISSION_ROWS_MAX);
    expect(due(nowMs)).toBeUndefined();
  });
});

describe("confirmations", () => {
  test("a window is stored once every part of its emission is, in any order, and repeats change nothing", () => {
    count("a", NOON_MS);
    const { id, slices } = send(CLOSES_MS, 3);
    for (const part of [2, 0, 2, 0]) expect(confirmEmission(emissions, id, part)).toEqual([]);
    expect(slice().storedRevision).toBe(0);
    expect(confirmEmission(emissions, id, 1)).toEqual([slice()]);
    expect(slice().storedRevision).toBe(slices[0]?.revision);
    expect(confirmEmission(emissions, id, 1)).toEqual([]);
    expect(emissions.pending.size).toBe(0);
  });

  test("one that overtakes the end of sending counts, but not before the number of parts is known", () => {
    count("a", NOON_MS);
    const emission = begin(CLOSES_MS);
    expect(confirmEmission(emissions, emission.id, 0)).toEqual([]);
    expect(confirmEmission(emissions, emission.id, 1)).toEqual([]);
    expect(markEmitted(emissions, emission, 2, CLOSES_MS, DELAY_MS)).toEqual([slice()]);
    expect(slice().storedRevision).toBe(slice().revision);
  });

  test("one of an emission nobody knows, from before a restart or a refusal, changes nothing", () => {
    count("a", NOON_MS);
    const { id } = send(CLOSES_MS);
    for (const unknown of [0, id - 1, id + 1]) expect(confirmEmission(emissions, unknown, 0)).toEqual([]);
    expect(slice().storedRevision).toBe(0);
  });

  test("of a correction do not cover for the emission before it, which may be lost", () => {
    count("a", NOON_MS);
    const first = send(CLOSES_MS);
    count("b", CLOSES_MS + 1);
    const correction = send(CLOSES_MS + 1 + DELAY_MS);
    expect(merchantsOf(correction)).toEqual(["b"]);
    expect(confirmEmission(emissions, correction.id, 0)).toEqual([]);
    expect(slice().storedRevision).toBe(0);

    const givenUpMs = CLOSES_MS + EMISSION_TIMEOUT_MS;
    expireEmissions(emissions, givenUpMs);
    const again = send(givenUpMs + DELAY_MS);
    expect(merchantsOf(again)).toEqual(["a", "b"]);
    expect(confirmEmission(emissions, first.id, 0)).toEqual([]);
    expect(confirmEmission(emissions, again.id, 0)).toEqual([slice()]);
    expect(slice().storedRevision).toBe(slice().revision);
  });

  test("that come out of order store everything with the last of them", () => {
    count("a", NOON_MS);
    const first = send(CLOSES_MS);
    count("b", CLOSES_MS + 1);
    const second = send(CLOSES_MS + 1 + DELAY_MS);
    confirmEmission(emissions, second.id, 0);
    expect(confirmEmission(emissions, first.id, 0)).toEqual([slice()]);
    expect(slice().storedRevision).toBe(slice().revision);
    expect(emissions.pending.size).toBe(0);
  });
});

describe("an emission nobody confirms", () => {
  test("is given up after its time, and sent again with all that changed since", () => {
    count("a", NOON_MS);
    const lost = send(CLOSES_MS);
    expect(alarm(CLOSES_MS + DELAY_MS)).toBe(CLOSES_MS + EMISSION_TIMEOUT_MS);
    expireEmissions(emissions, CLOSES_MS + EMISSION_TIMEOUT_MS - 1);
    expect(emissions.pending.has(lost.id)).toBe(true);
    count("b", CLOSES_MS + EMISSION_TIMEOUT_MS - 1);
    expireEmissions(emissions, CLOSES_MS + EMISSION_TIMEOUT_MS);
    expect(emissions.pending.size).toBe(0);
    expect(merchantsOf(send(CLOSES_MS + EMISSION_TIMEOUT_MS + DELAY_MS))).toEqual(["a", "b"]);
  });

  test("is not sent again for windows that history has by another one", () => {
    count("a", NOON_MS);
    const lost = send(CLOSES_MS);
    expireEmissions(emissions, CLOSES_MS + EMISSION_TIMEOUT_MS);
    const again = send(CLOSES_MS + EMISSION_TIMEOUT_MS + DELAY_MS);
    beginEmission(emissions, { ...lost, id: again.id + 1 }, CLOSES_MS);
    confirmEmission(emissions, again.id, 0);
    expireEmissions(emissions, CLOSES_MS + 2 * EMISSION_TIMEOUT_MS);
    expect(due(CLOSES_MS + 3 * EMISSION_TIMEOUT_MS)).toBeUndefined();
  });

  test("holds back others once too many are on their way, without ringing until the first is given up", () => {
    for (let i = 0; i < EMISSIONS_PENDING_MAX; i++) {
      count("a", CLOSES_MS + i * 25_000);
      send(CLOSES_MS + i * 25_000 + DELAY_MS);
    }
    const nowMs = CLOSES_MS + 27 * MINUTE_MS;
    count("b", nowMs);
    expect(due(nowMs + DELAY_MS)).toBeUndefined();
    const givenUpMs = CLOSES_MS + DELAY_MS + EMISSION_TIMEOUT_MS;
    expect(alarm(nowMs + DELAY_MS)).toBe(givenUpMs);
    expireEmissions(emissions, givenUpMs);
    expect(emissions.pending.size).toBe(EMISSIONS_PENDING_MAX - 1);
    expect(merchantsOf(due(givenUpMs))).toEqual(["a", "b"]);
  });
});

describe("the alarm", () => {
  test("is not set for an empty shard", () => {
    expect(alarm(NOON_MS)).toBeUndefined();
  });

  test("rings for a stored window when it may be dropped", () => {
    count("a", NOON_MS);
    confirmEmission(emissions, send(CLOSES_MS).id, 0);
    const ringsMs = alarm(CLOSES_MS);
    expect(ringsMs).toBe(FINAL_MS + RETENTION_MARGIN_MS);
    expect(droppable(state, ringsMs ?? 0)).toEqual([slice()]);
  });

  test("does not ring on and on for a window that has to stay because an older one is not stored", () => {
    count("old", NOON_MS);
    count("new", NOON_MS, NOON_MS + 10 * MINUTE_MS);
    const { id } = send(CLOSES_MS);
    confirmEmission(emissions, id, 0);
    count("old", CLOSES_MS + HOUR_MS);
    confirmEmission(emissions, send(CLOSES_MS + 2 * HOUR_MS).id, 0);
    count("old", FINAL_MS - 1);
    const goneMs = FINAL_MS + RETENTION_MARGIN_MS + HOUR_MS;
    const { id: waiting } = send(goneMs);
    expect(droppable(state, goneMs)).toEqual([]);
    expect(alarm(goneMs + DELAY_MS)).toBe(goneMs + EMISSION_TIMEOUT_MS);
    confirmEmission(emissions, waiting, 0);
    expect(alarm(goneMs)).toBe(goneMs);
    expect(droppable(state, goneMs).length).toBe(2);
  });

  test("each time it rings, something is sent, given up or dropped, or it next rings later: it never spins, and ends", () => {
    const steps = fc.array(
      fc.record({
        advanceMs: fc.oneof(fc.nat(2 * HOUR_MS), fc.constantFrom(0, -MINUTE_MS, 10 * HOUR_MS)),
        ageMs: fc.oneof(fc.nat(HOUR_MS), fc.nat(25 * HOUR_MS)),
        confirm: fc.oneof(fc.constant(undefined), fc.nat(5)),
        isRefused: fc.boolean(),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, (run) => {
        state = emptyState();
        emissions = noEmissions(1000);
        let nowMs = NOON_MS;
        for (const { advanceMs, ageMs, confirm, isRefused } of run) {
          nowMs += advanceMs;
          count("a", nowMs, nowMs - ageMs);
          const id = [...emissions.pending.keys()][confirm ?? -1];
          if (id !== undefined) confirmEmission(emissions, id, 0);
          ringWhileDue(nowMs, isRefused);
        }
        // With history back, everything is stored and dropped in the end.
        for (let rings = 0; ; rings++) {
          for (const id of [...emissions.pending.keys()]) confirmEmission(emissions, id, 0);
          const next = alarm(nowMs);
          if (next === undefined) break;
          nowMs = next;
          ring(nowMs, false);
          expect(rings).toBeLessThan(1_000);
        }
        expect(state.slices.size).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

/** What the shell does when the alarm rings; answers whether anything was done. */
function ring(nowMs: number, isRefused: boolean): boolean {
  const before = emissions.pending.size;
  expireEmissions(emissions, nowMs);
  let isBusy = emissions.pending.size < before;
  const emission = due(nowMs);
  if (emission !== undefined) {
    beginEmission(emissions, emission, nowMs);
    if (isRefused) abandonEmission(emissions, emission.id);
    else markEmitted(emissions, emission, 1, nowMs, DELAY_MS);
    isBusy ||= !isRefused;
  }
  const dropped = droppable(state, nowMs);
  for (const { startMs } of dropped) state.slices.delete(startMs);
  return isBusy || dropped.length > 0;
}

function ringWhileDue(nowMs: number, isRefused: boolean): void {
  for (let rings = 0; (alarm(nowMs) ?? Number.POSITIVE_INFINITY) <= nowMs; rings++) {
    const isBusy = ring(nowMs, isRefused);
    // After a refusal the shell rests; that it does is proven on the real one.
    if (isRefused) return;
    if (!isBusy) throw new Error(`rings at ${nowMs} for nothing`);
    expect(rings).toBeLessThan(1_000);
  }
}

test("payments of other windows do not hold each other up", () => {
  fold(state, batchOf(payments("early", 1, { occurred_at: NOON_MS })), nextAtMs(state, NOON_MS));
  fold(state, batchOf(payments("future", 1, { occurred_at: NOON_MS + 20 * MINUTE_MS })), nextAtMs(state, NOON_MS));
  expect(merchantsOf(send(CLOSES_MS))).toEqual(["shop"]);
  expect(alarm(CLOSES_MS + DELAY_MS)).toBe(CLOSES_MS + 20 * MINUTE_MS);
});
