import { err, ok, type Result } from "../../shared/result.ts";
import { parseRfc3339 } from "../../shared/rfc3339.ts";
import { DAY_MS } from "../../shared/window.ts";
import { dayAt, instantOfLocal, startOfDay } from "./zone.ts";

/** Moments asked for lie in [1970, 2200): wide enough for any history, narrow enough that zones' data hold. */
export const INSTANT_MS_MAX = 7_258_118_400_000;

const HINTS = {
  looks_like_seconds:
    "too few digits for epoch milliseconds: seconds are to be multiplied by 1000, and a date is written 2026-03-29",
  looks_like_microseconds: "too many digits for epoch milliseconds: is it in micro- or nanoseconds?",
  unescaped_plus: 'a "+" in a query string is read as a space: write the offset with %2B',
  no_such_time: "no calendar or clock shows this date or time",
  out_of_range: "outside the years 1970 to 2199 of UTC",
  unrecognised:
    "write epoch milliseconds, 2026-03-29, 2026-03-29T10:00, 2026-03-29T10:00:00+02:00, now, today or yesterday",
} as const;

export interface InvalidTime {
  readonly reason: "invalid_time";
  /** What was sent, cut to 64 characters. */
  readonly text: string;
  readonly problem: keyof typeof HINTS;
  /** What to do about it, for people. */
  readonly hint: string;
}

const DIGITS = /^\d{1,20}$/;
/** 12 digits of milliseconds begin in 1973, 11 digits of seconds end in 5138: the two never meet. */
const MILLISECONDS_DIGITS_MIN = 12;
const MILLISECONDS_DIGITS_MAX = 14;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})?$/;
const LOST_PLUS = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)? \d{2}:\d{2}$/;

/**
 * Epoch milliseconds of a moment as a query names it:
 * - epoch milliseconds (12 to 14 digits);
 * - a date and time with offset or `Z` (RFC 3339; the seconds may be left out);
 * - a date and time without offset: the zone's clock. A time skipped by the clock counts on from before the gap, a time
 *   shown twice is the first one;
 * - a date: its first moment in the zone, which is not 00:00 where the clock skips midnight;
 * - `now`, `today` and `yesterday`, the last two as dates in the zone at `nowMs`.
 */
export function parseInstant(text: string, zone: string, nowMs: number): Result<number, InvalidTime> {
  const ms = readInstant(text, zone, nowMs);
  if (typeof ms === "string") return invalid(text, ms);
  return isInRange(ms) ? ok(ms) : invalid(text, "out_of_range");
}

function readInstant(text: string, zone: string, nowMs: number): number | InvalidTime["problem"] {
  if (text === "now") return nowMs;
  if (text === "today") return startOfDay(zone, dayAt(zone, nowMs));
  if (text === "yesterday") return startOfDay(zone, dayAt(zone, nowMs) - 1);
  if (DIGITS.test(text)) return readDigits(text);
  if (DATE.test(text)) {
    const localMs = parseRfc3339(`${text}T00:00:00Z`);
    if (localMs === undefined) return "no_such_time";
    return isInRange(localMs) ? startOfDay(zone, localMs / DAY_MS) : "out_of_range";
  }
  const [, date, time, seconds, offset] = DATE_TIME.exec(text) ?? [];
  if (date === undefined) return LOST_PLUS.test(text) ? "unescaped_plus" : "unrecognised";
  const ms = parseRfc3339(`${date}T${time}${seconds ?? ":00"}${offset ?? "Z"}`);
  if (ms === undefined) return "no_such_time";
  if (offset !== undefined) return ms;
  return isInRange(ms) ? instantOfLocal(zone, ms) : "out_of_range";
}

function readDigits(text: string): number | InvalidTime["problem"] {
  if (text.length < MILLISECONDS_DIGITS_MIN) return "looks_like_seconds";
  return text.length > MILLISECONDS_DIGITS_MAX ? "looks_like_microseconds" : Number(text);
}

/** Checked before a zone is asked, too: what it is asked is remembered, and the polyfill never forgets. */
function isInRange(ms: number): boolean {
  return ms >= 0 && ms < INSTANT_MS_MAX;
}

function invalid(text: string, problem: InvalidTime["problem"]): Result<never, InvalidTime> {
  return err({ reason: "invalid_time", text: text.slice(0, 64), problem, hint: HINTS[problem] });
}
