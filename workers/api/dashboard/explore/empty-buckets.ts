import { DAY_MS, HOUR_MS, WINDOW_MS } from "../../../../shared/window.ts";
import { addDays, addMonths, type CivilDate, msOf, startOfMonth, weekdayOf } from "../address/civil-date.ts";
import { clockText } from "../chart/zone-date.ts";
import type { Granularity } from "../data/answers.ts";

/** How long the buckets of an answer are, and by which clock. */
export interface Steps {
  readonly zone: string;
  readonly granularity: Granularity;
}

/** As a row of a query has them: times in RFC 3339, and the unit's local name. */
export interface EmptyBucket {
  readonly start: string;
  readonly end: string;
  readonly label: string;
}

/** No answer has more (`BUCKETS_MAX`): what has is one of other steps, still shown while that of these is read. */
const BUCKETS_MAX = 2_200;

/**
 * The buckets that fill `[fromMs, toMs)`, two edges of buckets, as the API cuts them (../../calendar.ts): each window is of the unit that the zone's clock shows
 * in its middle. So a day in a zone of +05:45 begins at 23:55, and a date or an hour that was skipped has no bucket.
 */
export function emptyBuckets({ zone, granularity }: Steps, fromMs: number, toMs: number): EmptyBucket[] {
  const buckets: EmptyBucket[] = [];
  let startMs = fromMs;
  while (startMs < toMs) {
    if (buckets.length === BUCKETS_MAX) return [];
    const endMs = Math.min(nextStart(zone, granularity, startMs), toMs);
    const [start, end] = [timeText(zone, startMs), timeText(zone, endMs)];
    buckets.push({ start, end, label: labelOf(zone, granularity, startMs) });
    startMs = endMs;
  }
  return buckets;
}

function nextStart(zone: string, granularity: Granularity, startMs: number): number {
  switch (granularity) {
    case "10m":
      return startMs + WINDOW_MS;
    case "1h":
      return nextHour(zone, startMs);
    case "1d":
    case "1w":
    case "1mo":
      return startOf(zone, nextDate(unitDate(granularity, dateOf(zone, startMs)), granularity), startMs);
    default:
      return granularity satisfies never;
  }
}

/** The window in whose middle the clock has reached the next full hour, or that from which on it has jumped. */
function nextHour(zone: string, startMs: number): number {
  const offsetMs = offsetAt(zone, middleOf(startMs));
  const untilFullMs = HOUR_MS - ((middleOf(startMs) + offsetMs) % HOUR_MS);
  const fullMs = startMs + Math.ceil(untilFullMs / WINDOW_MS) * WINDOW_MS;
  const isEven = (windowMs: number) => offsetAt(zone, middleOf(windowMs)) === offsetMs;
  if (isEven(fullMs - WINDOW_MS)) return fullMs;
  let ms = startMs + WINDOW_MS;
  while (isEven(ms)) ms += WINDOW_MS;
  return ms;
}

/** The first window after another in whose middle the clock has reached a date. Dates only go on, so it is searched by halves. */
function startOf(zone: string, date: CivilDate, afterMs: number): number {
  // No clock is a day from UTC.
  let low = Math.max(afterMs, msOf(date) - DAY_MS) / WINDOW_MS;
  let high = (msOf(date) + DAY_MS) / WINDOW_MS;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (dateOf(zone, middle * WINDOW_MS) < date) low = middle;
    else high = middle;
  }
  return high * WINDOW_MS;
}

type DateGranularity = Exclude<Granularity, "10m" | "1h">;

/** The first date of the unit that has a date. */
function unitDate(granularity: DateGranularity, date: CivilDate): CivilDate {
  if (granularity === "1mo") return startOfMonth(date);
  return granularity === "1w" ? addDays(date, 1 - weekdayOf(date)) : date;
}

function nextDate(date: CivilDate, granularity: DateGranularity): CivilDate {
  if (granularity === "1mo") return addMonths(date, 1);
  return addDays(date, granularity === "1w" ? 7 : 1);
}

function labelOf(zone: string, granularity: Granularity, startMs: number): string {
  switch (granularity) {
    case "10m":
      return labelAt(startMs, offsetAt(zone, startMs));
    case "1h": {
      // A full hour, whose bucket may begin at the window before it; or where the clock has jumped to.
      const offsetMs = offsetAt(zone, middleOf(startMs));
      const hourMs = Math.floor((middleOf(startMs) + offsetMs) / HOUR_MS) * HOUR_MS - offsetMs;
      return labelAt(Math.max(hourMs, startMs), offsetMs);
    }
    case "1d":
    case "1w":
      return unitDate(granularity, dateOf(zone, startMs));
    case "1mo":
      return dateOf(zone, startMs).slice(0, 7);
    default:
      return granularity satisfies never;
  }
}

/** `2026-03-29T10:00+02:00` */
const labelAt = (ms: number, offsetMs: number) => `${clockAt(ms, offsetMs).slice(0, 16)}${offsetText(offsetMs)}`;

/** `2026-03-29T10:00:00+02:00` */
function timeText(zone: string, ms: number): string {
  const offsetMs = offsetAt(zone, ms);
  return `${clockAt(ms, offsetMs)}${offsetMs === 0 ? "Z" : offsetText(offsetMs)}`;
}

const clockAt = (ms: number, offsetMs: number) => new Date(ms + offsetMs).toISOString().slice(0, 19);

function offsetText(offsetMs: number): string {
  return `${offsetMs < 0 ? "-" : "+"}${new Date(Math.abs(offsetMs)).toISOString().slice(11, 16)}`;
}

const middleOf = (windowMs: number) => windowMs + WINDOW_MS / 2;

/** The date of a window. */
const dateOf = (zone: string, windowMs: number): CivilDate => clockText(zone, middleOf(windowMs)).slice(0, 10);

/** How far the zone's clock is ahead of UTC; of whole seconds. */
const offsetAt = (zone: string, ms: number) => Date.parse(`${clockText(zone, ms)}Z`) - ms;
