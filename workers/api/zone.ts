import { Temporal } from "temporal-polyfill";
import { err, ok, type Result } from "../../shared/result.ts";
import { DAY_MS } from "../../shared/window.ts";

export interface UnknownZone {
  readonly reason: "unknown_zone";
  /** What was sent, cut to 64 characters. */
  readonly zone: string;
  /** What to do about it, for people. */
  readonly hint: string;
}

/** A span in which a zone's clock runs evenly: local time is `ms + offsetMs` for every `ms` in `[startMs, endMs)`. */
export interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
  readonly offsetMs: number;
}

const HINT = "write an IANA name such as Europe/Berlin, or an offset such as +09:00";
const LOST_PLUS_HINT = 'a "+" in a query string is read as a space: write the offset with %2B';
const LOST_PLUS = /^ \d{2}:\d{2}$/;

const FIXED_OFFSET = /^[+-](?:[01]\d|2[0-3]):[0-5]\d$/;
/** The longest IANA name, America/Argentina/ComodRivadavia, has 32 characters. */
const NAME = /^[A-Za-z][A-Za-z0-9_+/-]{1,39}$/;
/** Names that ICU still knows from System V, and the IANA database does not. */
const NOT_IANA = /^SystemV\//i;

/** Zones found so far, by upper-case name: an `Intl.DateTimeFormat` costs some 50 µs. Bounded by the ~600 names there are. */
const known = new Map<string, string>();

/**
 * The canonical id of a zone: an IANA name in any case (aliases become the name in use now, all of UTC's names become
 * `UTC`), or a fixed offset `±HH:MM`. Everything else is refused, abbreviations that ICU guesses at (`PST`) included.
 */
export function parseZone(text: string): Result<string, UnknownZone> {
  if (FIXED_OFFSET.test(text)) return ok(text.endsWith("00:00") ? "UTC" : text);
  const name = text.toUpperCase();
  const zone = known.get(name) ?? canonicalName(name);
  if (zone === undefined) {
    const hint = LOST_PLUS.test(text) ? LOST_PLUS_HINT : HINT;
    return err({ reason: "unknown_zone", zone: text.slice(0, 64), hint });
  }
  known.set(name, zone);
  return ok(zone);
}

/** Milliseconds that the zone's clock is ahead of UTC at a moment. */
export function offsetAt(zone: string, ms: number): number {
  return at(zone, ms).offsetNanoseconds / 1e6;
}

/** The even stretches that make up `[fromMs, toMs)`, in order, without a gap; never empty when `fromMs < toMs`. */
export function stretches(zone: string, fromMs: number, toMs: number): Stretch[] {
  const found: Stretch[] = [];
  let local = at(zone, fromMs);
  while (local.epochMilliseconds < toMs) {
    const startMs = local.epochMilliseconds;
    // The polyfill looks ahead to three years from `startMs` or from today, whichever is later, and then says null:
    // enough, as a zone that changes its clock later than that has already done so in between.
    const next = local.getTimeZoneTransition("next");
    const endMs = Math.min(next?.epochMilliseconds ?? toMs, toMs);
    found.push({ startMs, endMs, offsetMs: local.offsetNanoseconds / 1e6 });
    if (next === null) break;
    local = next;
  }
  return found;
}

/**
 * The moment a zone's clock shows `localMs` (a wall-clock time written as if it were UTC). A time the clock skips counts on
 * from before the gap (02:30 becomes 03:30), a time it shows twice is the first one: Temporal's "compatible", RFC 5545's rule.
 */
export function instantOfLocal(zone: string, localMs: number): number {
  return at("UTC", localMs).toPlainDateTime().toZonedDateTime(zone).epochMilliseconds;
}

/** The local date at a moment, in days since 1970-01-01. */
export function dayAt(zone: string, ms: number): number {
  return Math.floor((ms + offsetAt(zone, ms)) / DAY_MS);
}

/** First moment of a local date (days since 1970-01-01): not always 00:00, and for a date left out the next one's start. */
export function startOfDay(zone: string, day: number): number {
  return at("UTC", day * DAY_MS)
    .toPlainDate()
    .toZonedDateTime(zone).epochMilliseconds;
}

function at(zone: string, ms: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);
}

function canonicalName(name: string): string | undefined {
  if (!NAME.test(name) || NOT_IANA.test(name)) return undefined;
  try {
    at(name, 0); // refuses ICU's own abbreviations, which Intl takes
    const id = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
    return RENAMED[id] ?? id;
  } catch (cause) {
    if (cause instanceof RangeError) return undefined;
    throw cause;
  }
}

/** ICU keeps a zone's first name for ever; these are the ones the IANA database (2026c, zone.tab) has renamed since. */
const RENAMED: Readonly<Record<string, string>> = {
  "Africa/Asmera": "Africa/Asmara",
  "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
  "America/Catamarca": "America/Argentina/Catamarca",
  "America/Coral_Harbour": "America/Atikokan",
  "America/Cordoba": "America/Argentina/Cordoba",
  "America/Godthab": "America/Nuuk",
  "America/Indianapolis": "America/Indiana/Indianapolis",
  "America/Jujuy": "America/Argentina/Jujuy",
  "America/Louisville": "America/Kentucky/Louisville",
  "America/Mendoza": "America/Argentina/Mendoza",
  "Asia/Calcutta": "Asia/Kolkata",
  "Asia/Katmandu": "Asia/Kathmandu",
  "Asia/Rangoon": "Asia/Yangon",
  "Asia/Saigon": "Asia/Ho_Chi_Minh",
  "Atlantic/Faeroe": "Atlantic/Faroe",
  "Europe/Kiev": "Europe/Kyiv",
  "Pacific/Enderbury": "Pacific/Kanton",
  "Pacific/Ponape": "Pacific/Pohnpei",
  "Pacific/Truk": "Pacific/Chuuk",
};
