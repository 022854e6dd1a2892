import { z } from "zod";
import type { Delta } from "./delta.ts";

export const MINUTE_MS = 60_000;
/** Minutes of which a meter knows what was counted in each: what rates of the last minutes are made of. */
export const MINUTES_KEPT = 15;
/** Keys of one meter. The program names some hundred; a bug that makes new ones without end is stopped here. */
export const SERIES_MAX = 1_000;

const numbersSchema = z.record(z.string(), z.number().min(0));

/** What stands in a meter's row, and what it answers (docs/storage.md). */
export const meterStateSchema = z.strictObject({
  v: z.literal(1),
  /** When the meter began to count. */
  since_ms: z.int().min(0),
  counts: numbersSchema,
  /** Ascending; the last one is still filling. */
  minutes: z.array(z.strictObject({ start_ms: z.int().min(0), counts: numbersSchema, peaks: numbersSchema })),
});
export type MeterState = z.output<typeof meterStateSchema>;

export function newMeterState(nowMs: number): MeterState {
  return { v: 1, since_ms: nowMs, counts: {}, minutes: [] };
}

/** Adds what an isolate tells. Counts never fall, so what is made of them may be scraped as counters. */
export function addDelta(state: MeterState, delta: Delta, nowMs: number): MeterState {
  const startMs = nowMs - (nowMs % MINUTE_MS);
  const minutes = keptMinutes(state, nowMs);
  const last = minutes.at(-1);
  // A clock that went back goes on with the minute it was in.
  const isCurrent = last !== undefined && last.start_ms >= startMs;
  const minute = isCurrent ? last : { start_ms: startMs, counts: {}, peaks: {} };
  return {
    ...state,
    counts: merged(state.counts, delta.counts, (a, b) => a + b),
    minutes: [
      ...(isCurrent ? minutes.slice(0, -1) : minutes),
      {
        start_ms: minute.start_ms,
        counts: merged(minute.counts, delta.counts, (a, b) => a + b),
        peaks: merged(minute.peaks, delta.peaks, Math.max),
      },
    ],
  };
}

function keptMinutes({ minutes }: MeterState, nowMs: number): MeterState["minutes"] {
  return minutes.filter(({ start_ms }) => start_ms > nowMs - MINUTES_KEPT * MINUTE_MS);
}

function merged(
  known: Readonly<Record<string, number>>,
  added: Readonly<Record<string, number>>,
  merge: (a: number, b: number) => number,
): Record<string, number> {
  const all = new Map(Object.entries(known));
  for (const [key, value] of Object.entries(added)) {
    const before = all.get(key);
    if (before === undefined && all.size >= SERIES_MAX) continue;
    all.set(key, before === undefined ? value : merge(before, value));
  }
  return Object.fromEntries(all);
}

/** What several meters have counted, together. */
export interface Reading {
  readonly sinceMs: number;
  readonly counts: ReadonlyMap<string, number>;
  /** What was counted in the last `recentMs`, and the peaks of that time. */
  readonly recent: ReadonlyMap<string, number>;
  readonly peaks: ReadonlyMap<string, number>;
  readonly recentMs: number;
}

/** Adds meters up. Rates and peaks are of the minute that fills and those before it, `minutes` together; of less, where meters began later. */
export function readingOf(states: readonly MeterState[], minutes: number, nowMs: number): Reading {
  const fromMs = nowMs - (nowMs % MINUTE_MS) - (minutes - 1) * MINUTE_MS;
  const counts = new Map<string, number>();
  const recent = new Map<string, number>();
  const peaks = new Map<string, number>();
  for (const state of states) {
    addTo(counts, state.counts, (a, b) => a + b);
    for (const minute of state.minutes) {
      if (minute.start_ms < fromMs) continue;
      addTo(recent, minute.counts, (a, b) => a + b);
      addTo(peaks, minute.peaks, Math.max);
    }
  }
  const sinceMs = Math.min(nowMs, ...states.map(({ since_ms }) => since_ms));
  return { sinceMs, counts, recent, peaks, recentMs: Math.max(MINUTE_MS, nowMs - Math.max(fromMs, sinceMs)) };
}

function addTo(
  sums: Map<string, number>,
  added: Readonly<Record<string, number>>,
  merge: (a: number, b: number) => number,
): void {
  for (const [key, value] of Object.entries(added)) {
    const before = sums.get(key);
    sums.set(key, before === undefined ? value : merge(before, value));
  }
}
