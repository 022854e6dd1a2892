import { DAY_MS, HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import { offsetAt, type Stretch, stretches } from "./zone.ts";

/** Finest first. */
export const GRANULARITIES = ["10m", "1h", "1d", "1w", "1mo"] as const;
export type Granularity = (typeof GRANULARITIES)[number];

/** Units that are dates, against those that are elapsed time. */
type DateGranularity = Exclude<Granularity, "10m" | "1h">;

/** Where a unit of a zone's calendar begins (epoch milliseconds, not yet moved to a window), and its local name. */
export interface UnitStart {
  readonly atMs: number;
  readonly label: string;
}

/** Further back than any clock has jumped: starting here, the unit in force at a moment is found whatever happened before. */
const LOOK_BACK_MS = 3 * DAY_MS;

/**
 * How many units of the zone's calendar lie between two moments, both theirs included. It looks at the clock at the two ends
 * only, so it costs microseconds: a date that the zone left out is counted, the extra bucket of an hour broken by a
 * half-hour jump is not.
 */
export function countUnits(granularity: Granularity, zone: string, firstMs: number, lastMs: number): number {
  const firstOffsetMs = offsetAt(zone, firstMs);
  switch (granularity) {
    case "10m":
      return Math.floor(lastMs / WINDOW_MS) - Math.floor(firstMs / WINDOW_MS) + 1;
    case "1h":
      // One offset for both: hours are elapsed time, of which daylight saving takes none away.
      return Math.floor((lastMs + firstOffsetMs) / HOUR_MS) - Math.floor((firstMs + firstOffsetMs) / HOUR_MS) + 1;
    default: {
      const first = unitIndex(granularity, firstMs + firstOffsetMs);
      return unitIndex(granularity, lastMs + offsetAt(zone, lastMs)) - first + 1;
    }
  }
}

/**
 * Starts of units in ascending order: from one at or before `fromMs` to the last before `toMs`. The first may lie inside its
 * unit, and a date left out starts together with the next one.
 */
export function* unitStarts(
  granularity: Granularity,
  zone: string,
  fromMs: number,
  toMs: number,
): Generator<UnitStart> {
  const even = stretches(zone, fromMs - LOOK_BACK_MS, toMs);
  switch (granularity) {
    case "10m":
      return yield* windowStarts(even);
    case "1h":
      return yield* hourStarts(even);
    default:
      return yield* dateStarts(granularity, even);
  }
}

function* windowStarts(even: readonly Stretch[]): Generator<UnitStart> {
  for (const { startMs, endMs, offsetMs } of even) {
    for (let atMs = ceilTo(startMs, WINDOW_MS); atMs < endMs; atMs += WINDOW_MS) {
      yield { atMs, label: dateTimeLabel(atMs, offsetMs) };
    }
  }
}

function* hourStarts(even: readonly Stretch[]): Generator<UnitStart> {
  for (const { startMs, endMs, offsetMs } of even) {
    const fullHourMs = ceilTo(startMs + offsetMs, HOUR_MS) - offsetMs;
    if (fullHourMs > startMs) yield { atMs: startMs, label: dateTimeLabel(startMs, offsetMs) };
    for (let atMs = fullHourMs; atMs < endMs; atMs += HOUR_MS) yield { atMs, label: dateTimeLabel(atMs, offsetMs) };
  }
}

function* dateStarts(granularity: DateGranularity, even: readonly Stretch[]): Generator<UnitStart> {
  const [first] = even;
  if (first === undefined) return;
  let index = unitIndex(granularity, first.startMs + first.offsetMs);
  for (const { startMs, endMs, offsetMs } of even) {
    // A date begins at the first moment whose local time has reached it: in this stretch, or it belongs to a later one.
    for (; ; index++) {
      const localMs = unitLocalMs(granularity, index);
      const atMs = Math.max(startMs, localMs - offsetMs);
      if (atMs >= endMs) break;
      yield { atMs, label: new Date(localMs).toISOString().slice(0, granularity === "1mo" ? 7 : 10) };
    }
  }
}

/** Number of the day, ISO week or month that holds a local time, counted from that of 1970-01-01. */
function unitIndex(granularity: DateGranularity, localMs: number): number {
  switch (granularity) {
    case "1d":
      return Math.floor(localMs / DAY_MS);
    case "1w":
      return Math.floor((localMs / DAY_MS + 3) / 7); // 1970-01-01 was a Thursday
    case "1mo": {
      const local = new Date(localMs);
      return (local.getUTCFullYear() - 1970) * 12 + local.getUTCMonth();
    }
    default:
      return granularity satisfies never;
  }
}

/** Local time 00:00 of the unit's first date. */
function unitLocalMs(granularity: DateGranularity, index: number): number {
  switch (granularity) {
    case "1d":
      return index * DAY_MS;
    case "1w":
      return (index * 7 - 3) * DAY_MS;
    case "1mo":
      return Date.UTC(1970, index);
    default:
      return granularity satisfies never;
  }
}

/** `2026-03-29T10:00+02:00`; an offset with seconds (none since 1972) is rounded. */
function dateTimeLabel(ms: number, offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  const clock = `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
  return `${new Date(ms + offsetMs).toISOString().slice(0, 16)}${offsetMs < 0 ? "-" : "+"}${clock}`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

function ceilTo(ms: number, stepMs: number): number {
  return Math.ceil(ms / stepMs) * stepMs;
}
