import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WindowUnavailable } from "./damage.ts";
import { emptyState, type ShardState } from "./engine.ts";
import { HISTORY_SPANS_MAX, markOf, planRead, windowsOfMerchant } from "./reading.ts";
import { batchOf, HOUR_MS, MINUTE_MS, NOON_MS, payments } from "./sample-payments.ts";
import { Slice } from "./slice.ts";

const WINDOW_MS = 10 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

type Kind = "resident" | "unstored" | "paged" | "paged, unstored" | "damaged" | "absent";
const KINDS: readonly Kind[] = ["resident", "unstored", "paged", "paged, unstored", "damaged", "absent"];

function sliceOf(startMs: number, kind: Kind): Slice {
  const slice = new Slice(startMs);
  slice.count(batchOf(payments("a", 1, { occurred_at: startMs })), 0, 7);
  slice.pagedRevision = slice.revision;
  if (!kind.endsWith("unstored")) slice.storedRevision = slice.revision;
  if (kind.startsWith("paged")) {
    const { ids, table } = slice;
    slice.pageOut({ contents: () => ({ ids, table }), table: () => table, bytes: 1, windows: 1 });
  }
  return slice;
}

/** Windows of these kinds one after another, the last of them at noon. */
function stateOf(kinds: readonly Kind[]): ShardState {
  const state = emptyState();
  kinds.forEach((kind, i) => {
    const startMs = NOON_MS - (kinds.length - 1 - i) * WINDOW_MS;
    if (kind === "damaged") state.damaged.set(startMs, { storedRevision: 7 });
    else if (kind !== "absent") state.slices.set(startMs, sliceOf(startMs, kind));
  });
  return state;
}

const isIn = (spans: readonly (readonly [number, number])[], startMs: number) =>
  spans.filter(([fromMs, toMs]) => fromMs <= startMs && startMs < toMs).length;

describe("what a shard answers and what it leaves to history", () => {
  test("is each window of the span exactly once, whatever is paged out, stored or damaged", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 200, size: "max" }),
        fc.nat(200),
        fc.nat(200),
        fc.boolean(),
        (kinds, skip, length, bringBack) => {
          const state = stateOf(kinds);
          const fromMs = NOON_MS - DAY_MS + skip * WINDOW_MS - 10 * HOUR_MS;
          const toMs = fromMs + length * WINDOW_MS;
          const plan = planRead(state, fromMs, toMs, NOON_MS, bringBack);
          const { slices, history, retainedFromMs } = plan;
          const damaged = [...state.damaged.keys()].filter((ms) => ms >= Math.max(fromMs, retainedFromMs) && ms < toMs);
          expect(plan.damagedFromMs).toBe(damaged.length === 0 ? undefined : Math.min(...damaged));
          const own = new Set(slices.map(({ startMs }) => startMs));
          for (let startMs = fromMs; startMs < toMs; startMs += WINDOW_MS) {
            const slice = state.slices.get(startMs);
            const count = isIn(history, startMs);
            // What is nowhere may be in a span or not.
            if (slice === undefined && !state.damaged.has(startMs) && startMs >= retainedFromMs) {
              expect(count).toBeLessThanOrEqual(1);
            } else {
              expect(count + (own.has(startMs) ? 1 : 0)).toBe(1);
            }
            if (count > 0 && slice !== undefined) expect(slice.storedRevision).toBe(slice.revision);
            if (bringBack && slice !== undefined && startMs >= retainedFromMs) expect(count).toBe(0);
          }
          expect(own.size).toBe(slices.length);
          expect(history.length).toBeLessThanOrEqual(HISTORY_SPANS_MAX);
          for (const [at, [spanFrom, spanTo]] of history.entries()) {
            expect(spanFrom).toBeGreaterThanOrEqual(at === 0 ? fromMs : (history[at - 1]?.[1] ?? 0));
            expect(spanTo).toBeGreaterThan(spanFrom);
            expect(spanTo).toBeLessThanOrEqual(toMs);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test("is no final window that is stored: what comes for it later is counted in history alone", () => {
    const minutes = (count: number) => NOON_MS + count * MINUTE_MS;
    const state = emptyState();
    const [counted, unstored, provisional] = [minutes(10), minutes(20), minutes(40)];
    state.slices.set(counted, sliceOf(counted, "resident"));
    state.slices.set(unstored, sliceOf(unstored, "unstored"));
    state.slices.set(provisional, sliceOf(provisional, "resident"));
    const nowMs = minutes(40) + DAY_MS;
    const plan = (bringBack: boolean) => planRead(state, NOON_MS, minutes(60), nowMs, bringBack);
    expect(plan(false).history).toEqual([
      [NOON_MS, unstored],
      // Nothing of the shard's stands here: history may have been counted from the archive.
      [unstored + WINDOW_MS, provisional],
    ]);
    expect(plan(false).slices.map(({ startMs }) => startMs)).toEqual([unstored, provisional]);
    // History is away: all that is retained.
    expect(plan(true).slices.map(({ startMs }) => startMs)).toEqual([unstored, provisional]);
  });

  test("is in no more spans than there may be: of what would be more the shard reads the pages", () => {
    const state = stateOf(
      Array.from({ length: 3 * HISTORY_SPANS_MAX }, (_, i) => (i % 2 === 0 ? "unstored" : "paged")),
    );
    const { history, slices } = planRead(state, 0, NOON_MS + WINDOW_MS, NOON_MS, false);
    expect(history.length).toBe(HISTORY_SPANS_MAX);
    expect(windowsOfMerchant(slices, "shop").length).toBe(3 * HISTORY_SPANS_MAX - (HISTORY_SPANS_MAX - 1));
  });

  test("is said of a damaged window that history has nothing of, too, and refused where there are more than can be said", () => {
    const state = stateOf(["resident", "resident"]);
    const damagedMs = NOON_MS - 5 * WINDOW_MS;
    state.damaged.set(damagedMs, { storedRevision: 0 });
    const { history, damagedFromMs } = planRead(state, damagedMs, NOON_MS, NOON_MS, true);
    expect([history, damagedFromMs]).toEqual([[[damagedMs, damagedMs + WINDOW_MS]], damagedMs]);
    expect(planRead(state, NOON_MS - WINDOW_MS, NOON_MS + 1, NOON_MS, true).damagedFromMs).toBeUndefined();
    const many = stateOf(
      Array.from({ length: 3 * HISTORY_SPANS_MAX }, (_, i) => (i % 2 === 0 ? "unstored" : "damaged")),
    );
    expect(() => planRead(many, 0, NOON_MS + WINDOW_MS, NOON_MS, true)).toThrow(WindowUnavailable);
  });
});

describe("the mark of a merchant's windows in a span", () => {
  const spanOf = (state: ShardState, merchantId = "shop") =>
    markOf(state, merchantId, NOON_MS - HOUR_MS, NOON_MS + WINDOW_MS);
  const count = (state: ShardState, merchantId: string, startMs: number, revision: number) => {
    const slice = state.slices.get(startMs);
    slice?.count(batchOf(payments(`${revision}`, 1, { merchant_id: merchantId, occurred_at: startMs })), 0, revision);
  };

  test("is another one after each change of theirs, and after none of others' in windows in memory", () => {
    const state = stateOf(["resident", "resident", "resident"]);
    const before = spanOf(state);
    count(state, "other", NOON_MS, 100);
    expect(spanOf(state)).toBe(before);
    expect(spanOf(state, "other")).toBe(100);
    count(state, "shop", NOON_MS - WINDOW_MS, 101);
    expect(spanOf(state)).toBe(101);
    expect(markOf(state, "shop", NOON_MS, NOON_MS + WINDOW_MS)).toBe(before);
  });

  test("reads no page of what is paged out, and is none of what is damaged", () => {
    const state = stateOf(["paged", "resident"]);
    expect(spanOf(state, "other")).toBe(7);
    expect(spanOf(stateOf(["damaged", "resident"]))).toBeNull();
    expect(markOf(stateOf(["damaged", "resident"]), "shop", NOON_MS, NOON_MS + WINDOW_MS)).toBe(7);
    expect(spanOf(stateOf([]))).toBe(0);
  });
});
