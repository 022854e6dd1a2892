import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PaymentEvent } from "../../shared/event.ts";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import { windowStart } from "../../shared/window.ts";
import { toRow } from "../../shared/window-row.ts";
import { batchesOf, runs } from "./batch-run.arbitrary.ts";
import { emptyState, fold, nextAtMs } from "./engine.ts";
import { beginRecount, type Recount, recount } from "./recount.ts";
import { batchOf, HOUR_MS, NOON_MS, payment } from "./sample-payments.ts";
import type { Slice } from "./slice.ts";

interface Archived {
  readonly event: PaymentEvent;
  readonly receivedAtMs: number;
}

/** A shard after some batches, and the archive of them; events past the horizon are left out, since a rebuild counts those, too. */
function lived(run: Parameters<typeof batchesOf>[0]) {
  const state = emptyState();
  const archive: Archived[] = [];
  for (const { nowMs, events } of batchesOf(run)) {
    const receivedAtMs = nextAtMs(state, nowMs);
    fold(state, batchOf(events), receivedAtMs).forEach((status, i) => {
      const event = events[i];
      if (event !== undefined && status !== STATUS.late) archive.push({ event, receivedAtMs });
    });
  }
  return { state, archive };
}

/**
 * Whether another window counted some event of this one, too: live, that is an event moved long after its first window was recent. Which
 * of the two came first cannot be told any more, and a rebuild counts it in one of them.
 */
function isCountedTwice(slices: Iterable<Slice>, lost: Slice): boolean {
  const words = lost.ids.fresh.words();
  return [...slices].some((slice) => {
    for (let at = 0; slice !== lost && at < words.length; at += 3) {
      if (slice.ids.get(words[at] ?? 0, words[at + 1] ?? 0) !== undefined) return true;
    }
    return false;
  });
}

const rowsOf = (slice: Slice | undefined) =>
  [...(slice?.windows() ?? [])].map((window) => JSON.stringify(toRow({ ...window, revision: 0 }))).sort();

describe("windows counted anew from the archive", () => {
  test("are what they were, however often the archive repeats itself and wherever it is cut", () => {
    fc.assert(
      fc.property(runs, fc.nat(), fc.integer({ min: 1, max: 40 }), fc.nat(3), (run, pick, cut, repeats) => {
        const { state, archive } = lived(run);
        const starts = [...state.slices.keys()];
        const startMs = starts[pick % Math.max(1, starts.length)];
        const lost = startMs === undefined ? undefined : state.slices.get(startMs);
        fc.pre(startMs !== undefined && lost !== undefined && !isCountedTwice(state.slices.values(), lost));
        if (startMs === undefined || lost === undefined) return;
        state.slices.delete(startMs);
        const anew = beginRecount(state, [startMs], NOON_MS);
        for (let at = 0; at < archive.length; at += cut) {
          const part = archive.slice(at, at + cut);
          for (let n = 0; n <= repeats; n++) recountAll(anew, state, part);
        }
        expect(rowsOf(anew.slices.get(startMs))).toEqual(rowsOf(lost));
        expect(anew.revision).toBeGreaterThan(lost.revision);
      }),
      { numRuns: 150 },
    );
  });

  test("count an event that was moved from one of them to the other once, in the first", () => {
    const first = payment({ event_id: "a", occurred_at: NOON_MS });
    const moved = { ...first, occurred_at: NOON_MS + HOUR_MS };
    const state = emptyState();
    const anew = beginRecount(state, [NOON_MS, NOON_MS + HOUR_MS], NOON_MS);
    recountAll(anew, state, [
      { event: first, receivedAtMs: NOON_MS },
      { event: moved, receivedAtMs: NOON_MS + HOUR_MS },
    ]);
    expect([...anew.slices.values()].map(({ ids }) => ids.size)).toEqual([1, 0]);
  });
});

test("of the windows that are there each that could have held an event is asked once, and no other", () => {
  const state = emptyState();
  for (const hours of [12, 2, 1, 0]) {
    const occurred_at = NOON_MS - hours * HOUR_MS;
    fold(state, batchOf([payment({ event_id: `${hours}`, occurred_at })]), occurred_at);
  }
  const lostMs = NOON_MS - HOUR_MS;
  state.slices.delete(lostMs);
  const anew = beginRecount(state, [lostMs], NOON_MS);
  const asked: number[] = [];
  const batch = batchOf(["1", "2", "x"].map((event_id) => payment({ event_id, occurred_at: lostMs })));
  recount(state, anew, batch, [lostMs, lostMs, lostMs], ({ startMs }) => void asked.push(startMs));
  expect(asked).toEqual([NOON_MS - 2 * HOUR_MS, NOON_MS]);
  expect(anew.slices.get(lostMs)?.ids.size).toBe(2);
});

test("of an identity that one object has twice the one that was received first is counted, wherever it stands", () => {
  const first = payment({ event_id: "a", occurred_at: NOON_MS });
  const moved = { ...first, occurred_at: NOON_MS + HOUR_MS };
  const state = emptyState();
  const anew = beginRecount(state, [NOON_MS, NOON_MS + HOUR_MS], NOON_MS);
  recount(state, anew, batchOf([moved, first]), [NOON_MS + 2, NOON_MS + 1]);
  expect([...anew.slices.values()].map(({ ids }) => ids.size)).toEqual([1, 0]);
});

function recountAll(anew: Recount, state: ReturnType<typeof emptyState>, archive: readonly Archived[]): void {
  const own = archive.filter(({ event }) => anew.slices.has(windowStart(event.occurred_at)));
  recount(
    state,
    anew,
    batchOf(own.map(({ event }) => event)),
    own.map(({ receivedAtMs }) => receivedAtMs),
  );
}
