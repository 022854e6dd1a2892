import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PaymentEvent } from "../../shared/event.ts";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import { toRow } from "../../shared/window-row.ts";
import {
  droppable,
  emptyState,
  fold,
  judgeRepeats,
  MOVED_REPEAT_MS,
  nextAtMs,
  RETENTION_MARGIN_MS,
  readWindows,
  retainedFromMs,
  type ShardState,
} from "./engine.ts";
import { ReferenceModel, type Verdict } from "./reference-model.ts";
import { totalsReported } from "./reported-totals.ts";
import { batchOf, HOUR_MS, MINUTE_MS, NOON_MS, payment, payments } from "./sample-payments.ts";

const MERCHANTS = ["shop", "café", "constructor"];
const VERDICTS = Object.keys(STATUS) as Verdict[];
const DAY_MS = 24 * HOUR_MS;
const WINDOW_MS = 10 * MINUTE_MS;

/** How long before the clock an event happened: mostly just now, now and then around every border there is, or ahead of it. */
const ageMs = fc.oneof(
  { weight: 6, arbitrary: fc.nat(15 * MINUTE_MS) },
  { weight: 2, arbitrary: fc.nat(3 * HOUR_MS) },
  { weight: 1, arbitrary: fc.integer({ min: DAY_MS - 20 * MINUTE_MS, max: DAY_MS + 20 * MINUTE_MS }) },
  { weight: 1, arbitrary: fc.integer({ min: -5 * MINUTE_MS, max: 0 }) },
);

/** A new event, or the repeat of an earlier one of the run, exactly or with another amount or time. */
const draft = fc.record({
  repeats: fc.oneof(fc.constant(undefined), fc.nat()),
  changed: fc.constantFrom("nothing", "nothing", "amount", "time"),
  event_id: fc.oneof(fc.nat(30), fc.nat(100_000)).map(String),
  merchant_id: fc.constantFrom(...MERCHANTS),
  currency: fc.constantFrom("JPY", "EUR"),
  type: fc.constantFrom("payment" as const, "payment" as const, "refund" as const),
  amount: fc.oneof(fc.nat(500), fc.constantFrom(0, Number.MAX_SAFE_INTEGER)),
  payment_method: fc.constantFrom("card", "cash", "points"),
  points_used: fc.nat(3),
  points_earned: fc.nat(3),
  user: fc.oneof(fc.constant(undefined), fc.nat(5)),
  ageMs,
});

/** Batches and how far the clock moves before each: it may go back. */
const runs = fc.array(
  fc.record({
    advanceMs: fc.oneof(fc.nat(20 * MINUTE_MS), fc.constantFrom(0, 1, -1, -3 * MINUTE_MS, 2 * HOUR_MS), fc.nat(DAY_MS)),
    // A window of many events is kept in another form than one of few.
    drafts: fc.oneof(fc.array(draft, { maxLength: 12 }), fc.array(draft, { maxLength: 150, size: "max" })),
  }),
  { maxLength: 12 },
);
type Run = typeof runs extends fc.Arbitrary<infer R> ? R : never;

interface Batch {
  readonly nowMs: number;
  readonly events: readonly PaymentEvent[];
}

function batchesOf(run: Run): Batch[] {
  const sent: PaymentEvent[] = [];
  let nowMs = NOON_MS;
  return run.map(({ advanceMs, drafts }) => {
    nowMs += advanceMs;
    const events = drafts.map(({ repeats, changed, user, ageMs, ...fields }) => {
      const before = repeats === undefined ? undefined : sent[repeats % Math.max(1, sent.length)];
      const fresh = payment({
        ...fields,
        occurred_at: nowMs - ageMs,
        user: user === undefined ? undefined : { id: String(user).padStart(16, "5a") },
      });
      const event =
        before === undefined
          ? fresh
          : {
              ...before,
              ...(changed === "amount" ? { amount: fresh.amount } : {}),
              ...(changed === "time" ? { occurred_at: fresh.occurred_at } : {}),
            };
      sent.push(event);
      return event;
    });
    return { nowMs, events };
  });
}

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
