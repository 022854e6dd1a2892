import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { paymentEvent } from "../../shared/event.arbitrary.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { batchOf as pack } from "../../shared/event-batch.ts";
import { decodeShardBatch, encodeShardBatch, STATUS } from "../../shared/messages/shard-batch.ts";
import { toRow } from "../../shared/window-row.ts";
import { batchesOf, MERCHANTS, runs } from "./batch-run.arbitrary.ts";
import {
  droppable,
  emptyState,
  fold,
  judgeRepeats,
  MOVED_REPEAT_MS,
  nextAtMs,
  RETENTION_MARGIN_MS,
  retainedFromMs,
  type ShardState,
} from "./engine.ts";
import { ReferenceModel, type Verdict } from "./reference-model.ts";
import { totalsReported } from "./reported-totals.ts";
import { batchOf, HOUR_MS, IDENTITY_KEY, MINUTE_MS, NOON_MS, payment, payments } from "./sample-payments.ts";
import { readWindows } from "./test-windows.ts";

const VERDICTS = Object.keys(STATUS) as Verdict[];
const DAY_MS = 24 * HOUR_MS;
const WINDOW_MS = 10 * MINUTE_MS;

const verdictsOf = (statuses: Uint8Array) => [...statuses].map((status) => VERDICTS.find((v) => STATUS[v] === status));
const allWindows = (state: ShardState) => MERCHANTS.flatMap((merchant) => readWindows(state, merchant, 0, 1e15));
const rowsOf = (state: ShardState) => JSON.stringify(allWindows(state).map(toRow));

function foldEvents(state: ShardState, events: readonly PaymentEvent[], nowMs: number) {
  return verdictsOf(fold(state, batchOf(events), nextAtMs(state, nowMs)));
}

describe("folding batches", () => {
  test("gives the verdicts and the sums of a plain model that keeps every event", () => {
    fc.assert(
      fc.property(runs, (run) => {
        const state = emptyState();
        const model = new ReferenceModel();
        for (const { nowMs, events } of batchesOf(run)) {
          const atMs = nextAtMs(state, nowMs);
          const expected = events.map((event) => {
            const verdict = model.judge(event, atMs);
            if (verdict === "accepted") model.add(event);
            return verdict;
          });
          expect(verdictsOf(fold(state, batchOf(events), atMs))).toEqual(expected);
          expect(totalsReported(allWindows(state))).toEqual(model.totals());
        }
      }),
      { numRuns: 120 },
    );
  });

  test("of the same batches at the same moments gives the same bytes", () => {
    fc.assert(
      fc.property(runs, (run) => {
        const [first, second] = [emptyState(), emptyState()];
        for (const { nowMs, events } of batchesOf(run)) {
          const atMs = nextAtMs(first, nowMs);
          expect(fold(second, batchOf(events), atMs)).toEqual(fold(first, batchOf(events), atMs));
        }
        expect(rowsOf(second)).toBe(rowsOf(first));
        expect([second.seq, second.atMs]).toEqual([first.seq, first.atMs]);
      }),
      { numRuns: 40 },
    );
  });

  test("a batch is judged as mere repeats exactly when folding it in counts nothing, and with the same verdicts", () => {
    fc.assert(
      fc.property(runs, (run) => {
        const state = emptyState();
        for (const { nowMs, events } of batchesOf(run)) {
          const atMs = nextAtMs(state, nowMs);
          const before = rowsOf(state);
          const judged = judgeRepeats(state, batchOf(events), atMs);
          expect(rowsOf(state)).toBe(before);
          const statuses = fold(state, batchOf(events), atMs);
          expect(judged).toEqual(statuses.includes(STATUS.accepted) ? undefined : statuses);
          if (judged !== undefined) expect(rowsOf(state)).toBe(before);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("revisions grow strictly from batch to batch, whatever the clock does", () => {
    const state = emptyState();
    const revisions = [0, 0, -5_000, -DAY_MS, 7].map((ahead, i) => {
      foldEvents(state, payments(`p${i}`, 2), NOON_MS + ahead);
      return readWindows(state, "shop", 0, 1e15)[0]?.revision ?? 0;
    });
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
    expect(() => fold(state, batchOf(payments("q", 1)), state.atMs)).toThrow("cannot follow");
  });
});

test("a batch damaged in any byte is refused, or counted to its end: never half of it", () => {
  fc.assert(
    fc.property(
      fc.array(paymentEvent, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 255 }),
      (events, flips) => {
        const bytes = encodeShardBatch(pack(events, IDENTITY_KEY));
        for (let at = 0; at < bytes.length; at++) {
          const damaged = bytes.slice();
          damaged[at] = (damaged[at] ?? 0) ^ flips;
          const read = decodeShardBatch(damaged);
          if (!read.ok) continue;
          const state = emptyState();
          expect(fold(state, read.value, NOON_MS).length).toBe(read.value.size);
          for (const slice of state.slices.values()) expect([...slice.windows()].length).toBe(slice.changes(-1));
        }
      },
    ),
    { numRuns: 20 },
  );
});

describe("requests that are remembered", () => {
  const token = "0123456789abcdef0123456789abcdef";
  const batchWith = (events: readonly PaymentEvent[], of = token) => {
    const batch = batchOf(events);
    batch.token = of;
    return batch;
  };
  const late = payment({ event_id: "late", occurred_at: NOON_MS - 3 * DAY_MS });

  test("are those of which every event was counted or known, new ones and mere repeats alike", () => {
    for (const again of [false, true]) {
      const state = emptyState();
      if (again) fold(state, batchOf(payments("a", 2)), NOON_MS);
      const statuses = again
        ? judgeRepeats(state, batchWith(payments("a", 2)), NOON_MS + 1)
        : fold(state, batchWith(payments("a", 2)), NOON_MS);
      expect(statuses?.length).toBe(2);
      expect(state.requests.has(token)).toBe(true);
    }
  });

  test("are none with a late event: the log has to bring it, so that its window is rebuilt", () => {
    const state = emptyState();
    fold(state, batchWith([...payments("a", 2), late]), NOON_MS);
    judgeRepeats(state, batchWith([...payments("a", 2), late]), NOON_MS + 1);
    expect(state.requests.has(token)).toBe(false);
  });

  test("are none without a token", () => {
    const state = emptyState();
    fold(state, batchWith(payments("a", 2), ""), NOON_MS);
    expect(state.requests.has("")).toBe(false);
  });
});

describe("a repeat whose time was changed", () => {
  const first = payment({ event_id: "a", occurred_at: NOON_MS });
  const firstEndMs = NOON_MS + WINDOW_MS;

  test("is a conflict until its first window ended the promised hour ago, and is not counted in its new one", () => {
    const state = emptyState();
    foldEvents(state, [first], NOON_MS);
    expect(MOVED_REPEAT_MS).toBeGreaterThanOrEqual(HOUR_MS);
    const moved = { ...first, occurred_at: firstEndMs + HOUR_MS };
    expect(foldEvents(state, [moved], firstEndMs + MOVED_REPEAT_MS - 1)).toEqual(["conflict"]);
    expect(readWindows(state, "shop", firstEndMs, 1e15)).toEqual([]);
  });

  test("is a conflict, not late, when moved past the horizon: a rebuild of that window would count it again", () => {
    const state = emptyState();
    foldEvents(state, [first], NOON_MS);
    const moved = { ...first, occurred_at: NOON_MS - 3 * DAY_MS };
    expect(judgeRepeats(state, batchOf([moved]), nextAtMs(state, NOON_MS))).toEqual(Uint8Array.of(STATUS.conflict));
    expect(foldEvents(state, [moved], NOON_MS)).toEqual(["conflict"]);
  });
});

describe("the horizon", () => {
  const startMs = NOON_MS;
  const finalMs = startMs + WINDOW_MS + DAY_MS;

  test("an event is counted until 24 hours after its window's end, and is late from then on", () => {
    for (const [nowMs, verdict] of [
      [finalMs - 1, "accepted"],
      [finalMs, "late"],
    ] as const) {
      expect(foldEvents(emptyState(), [payment({ event_id: "a", occurred_at: startMs })], nowMs)).toEqual([verdict]);
    }
  });

  test("a repeat is a duplicate for the whole horizon, and while the final window is still there", () => {
    const state = emptyState();
    const event = payment({ event_id: "a", occurred_at: startMs });
    foldEvents(state, [event], startMs);
    expect(foldEvents(state, [event], finalMs - 1)).toEqual(["duplicate"]);
    expect(foldEvents(state, [event], finalMs)).toEqual(["duplicate"]);
  });

  test("a dropped window takes no event again, even when the clock goes back behind its horizon", () => {
    const state = emptyState();
    state.droppedToMs = startMs + WINDOW_MS;
    expect(foldEvents(state, [payment({ event_id: "a", occurred_at: startMs })], startMs)).toEqual(["late"]);
    expect(foldEvents(state, [payment({ event_id: "b", occurred_at: startMs + WINDOW_MS })], startMs)).toEqual([
      "accepted",
    ]);
    expect(retainedFromMs(state, startMs)).toBe(startMs + WINDOW_MS);
  });
});

describe("what is retained", () => {
  /** A shard with one window every ten minutes of two days before noon; `unstored` names those history lacks, by index. */
  function twoDays(unstored: readonly number[]) {
    const state = emptyState();
    for (let i = 0; i < 288; i++) {
      const occurred_at = NOON_MS - 2 * DAY_MS + i * WINDOW_MS;
      foldEvents(state, [payment({ event_id: String(i), occurred_at })], occurred_at);
    }
    [...state.slices.values()].forEach((slice, i) => {
      if (!unstored.includes(i)) slice.storedRevision = slice.revision;
    });
    return state;
  }

  test("every window is in the shard, or before what the shard answers for and in history: no gap, no overlap", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(287), { maxLength: 3 }),
        fc.array(fc.nat(2 * HOUR_MS), { maxLength: 30 }),
        (unstored, advances) => {
          const state = twoDays(unstored);
          const inHistory = new Set([...state.slices.keys()].filter((_, i) => !unstored.includes(i)));
          const all = [...state.slices.keys()];
          let nowMs = NOON_MS - HOUR_MS;
          for (const advance of advances) {
            nowMs += advance;
            for (const { startMs } of droppable(state, nowMs)) {
              state.slices.delete(startMs);
              state.droppedToMs = Math.max(state.droppedToMs, startMs + WINDOW_MS);
            }
            // A read may have begun on another clock.
            for (const readMs of [nowMs, nowMs - 5 * MINUTE_MS, nowMs - DAY_MS, nowMs + 5 * MINUTE_MS]) {
              const from = retainedFromMs(state, readMs);
              for (const startMs of all) {
                expect(startMs < from ? inHistory.has(startMs) : state.slices.has(startMs)).toBe(true);
              }
            }
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("a final window stays for a margin, then goes once history has it to the last change", () => {
    const state = emptyState();
    foldEvents(state, payments("a", 1), NOON_MS);
    const goesMs = NOON_MS + WINDOW_MS + DAY_MS + RETENTION_MARGIN_MS;
    expect(droppable(state, goesMs)).toEqual([]);
    const slice = [...state.slices.values()][0];
    if (slice === undefined) throw new Error("no slice");
    slice.storedRevision = slice.revision;
    expect(droppable(state, goesMs - 1)).toEqual([]);
    expect(droppable(state, goesMs)).toEqual([slice]);
  });
});
