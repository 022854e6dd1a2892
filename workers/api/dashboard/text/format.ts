import { minorUnitDigits } from "../../../../shared/iso-codes.ts";
import type { Granularity } from "../data/answers.ts";
import { language } from "./preferences.ts";

/** Numbers, money and times as the page's language writes them. What has no value is a dash. */

export const NOTHING = "–";

/** Formats are slow to make and quick to use. */
const kept = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function numberFormat(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  return keep(`n${language.value}${JSON.stringify(options)}`, () => new Intl.NumberFormat(language.value, options));
}

function dateFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return keep(`d${language.value}${JSON.stringify(options)}`, () => new Intl.DateTimeFormat(dateLocale(), options));
}

function keep<T extends Intl.NumberFormat | Intl.DateTimeFormat>(key: string, make: () => T): T {
  const known = kept.get(key) as T | undefined;
  if (known !== undefined) return known;
  const made = make();
  kept.set(key, made);
  return made;
}

/** English without a country writes months first, and hours by twelve. */
const dateLocale = () => (language.value === "en" ? "en-GB" : language.value);

/** Shortened to a decimal, or to three digits where that says more: 112.5M, and 1.24K or 0.25, which are no 1.2K and 0.3. */
const COMPACT = {
  notation: "compact",
  maximumFractionDigits: 1,
  maximumSignificantDigits: 3,
  roundingPriority: "morePrecision",
} as const;

export interface MoneyOptions {
  /** Shortened, for an axis: ¥1.2M. */
  readonly compact?: boolean;
  /** With a plus before gains. */
  readonly signed?: boolean;
}

export function money(
  minorUnits: number | null,
  currency: string,
  { compact = false, signed = false }: MoneyOptions = {},
): string {
  if (minorUnits === null) return NOTHING;
  const digits = minorUnitDigits(currency);
  return numberFormat({
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    ...(compact ? COMPACT : { minimumFractionDigits: digits, maximumFractionDigits: digits }),
    ...(signed ? { signDisplay: "exceptZero" } : {}),
  }).format(minorUnits / 10 ** digits);
}

export function count(value: number | null, { compact = false, signed = false }: MoneyOptions = {}): string {
  if (value === null) return NOTHING;
  return numberFormat({
    ...(compact ? COMPACT : {}),
    ...(signed ? { signDisplay: "exceptZero" } : {}),
  }).format(value);
}

/** To one decimal: 1.4. */
export const decimal = (value: number) =>
  numberFormat({ minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);

/** Of a ratio: 0.031 is 3.1%, 0.02 is 2.0%; from ten on without decimals, and nothing at all as well. */
export function percent(ratio: number): string {
  const digits = ratio !== 0 && Math.abs(ratio) < 0.0995 ? 1 : 0;
  return numberFormat({ style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(ratio);
}

/** Of what was read: 1.2 MB. */
export function bytes(value: number): string {
  const [unit, size] =
    value < 1_000_000
      ? (["kilobyte", 1_000] as const)
      : value < 1e9
        ? (["megabyte", 1e6] as const)
        : (["gigabyte", 1e9] as const);
  return numberFormat({ style: "unit", unit, maximumFractionDigits: 1 }).format(value / size);
}

/** 4 sec, 12 min, 3.5 hr, or 14 days. */
export function duration(seconds: number): string {
  const [unit, size] =
    seconds < 2 * MINUTE_S
      ? (["second", 1] as const)
      : seconds < 2 * HOUR_S
        ? (["minute", MINUTE_S] as const)
        : seconds < 2 * DAY_S
          ? (["hour", HOUR_S] as const)
          : (["day", DAY_S] as const);
  const maximumFractionDigits = size < HOUR_S ? 0 : 1;
  return numberFormat({ style: "unit", unit, maximumFractionDigits }).format(seconds / size);
}

const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;

export const milliseconds = (value: number) =>
  numberFormat({ style: "unit", unit: "millisecond", maximumFractionDigits: 0 }).format(value);

/**
 * The API writes times by the clock of the zone asked for. Here they are read as that clock shows them, whatever zone this device is in.
 */
const clockMs = (rfc3339: string) => Date.parse(`${rfc3339.slice(0, 16)}Z`);

/** `14:30` */
export const clockTime = (time: string) =>
  dateFormat({ hour: "2-digit", minute: "2-digit", timeZone: "UTC" }).format(clockMs(time));

/** `Friday 27 November`; with a year where it is not this one. */
export function longDate(time: string): string {
  const year = yearWhereOther(time);
  return dateFormat({ weekday: "long", day: "numeric", month: "long", year, timeZone: "UTC" }).format(
    clockMs(`${time.slice(0, 10)}T00:00`),
  );
}

export const shortDate = (time: string) =>
  dateFormat({ day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).format(
    clockMs(`${time.slice(0, 10)}T00:00`),
  );

const TO_THE_MINUTE = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "UTC" } as const;
/** A date without a year is read as one of this. */
const yearWhereOther = (time: string) =>
  time.slice(0, 4) === String(new Date().getFullYear()) ? undefined : ("numeric" as const);

/** `27 Nov, 14:30`; with the year where it is not this one. */
export const dateAndTime = (time: string) =>
  dateFormat({ ...TO_THE_MINUTE, year: yearWhereOther(time) }).format(clockMs(time));

/** `14:30`, or with its date where that is not the other time's. */
export const timeBeside = (time: string, other: string) =>
  time.slice(0, 10) === other.slice(0, 10) ? clockTime(time) : dateAndTime(time);

/** Dates both of which are meant. */
export function dateRange(from: string, last: string): string {
  const format = dateFormat({ day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  return from === last
    ? format.format(clockMs(`${from}T00:00`))
    : format.formatRange(clockMs(`${from}T00:00`), clockMs(`${last}T00:00`));
}

export const monthName = (date: string) =>
  dateFormat({ month: "long", year: "numeric", timeZone: "UTC" }).format(clockMs(`${date}T00:00`));

/** 1 is Monday. The first of January 2024 was one. */
export const weekdayName = (weekday: number, width: "short" | "long" | "narrow" = "short") =>
  dateFormat({ weekday: width, timeZone: "UTC" }).format(Date.UTC(2024, 0, weekday));

/**
 * A bucket by its label, as long as it needs to be. Its start is no name: in a zone a quarter of an hour off, days begin at the nearest window, five
 * minutes before midnight.
 */
export function bucketName(label: string, granularity: Granularity): string {
  switch (granularity) {
    case "10m":
    case "1h":
      return dateFormat({ ...TO_THE_MINUTE, weekday: "short", year: yearWhereOther(label) }).format(clockMs(label));
    case "1d":
      return dateFormat({ weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).format(
        clockMs(`${label.slice(0, 10)}T00:00`),
      );
    case "1w":
      return shortDate(label);
    case "1mo":
      return monthName(`${label.slice(0, 7)}-01`);
    default:
      return granularity satisfies never;
  }
}

/** Ten-minute buckets in the hour, at the most, by which clocks are set back. */
const SET_BACK_BUCKETS_MAX = 6;
const CLOCK_CHARACTERS = "2026-10-25T02:00".length;

/** The name of one of a line's buckets, told apart by its offset where the clock shows an hour twice. */
export function bucketNameAmong(labels: readonly string[], at: number, granularity: Granularity): string {
  const label = labels[at];
  if (label === undefined) return "";
  const name = bucketName(label, granularity);
  const around = labels.slice(Math.max(0, at - SET_BACK_BUCKETS_MAX), at + SET_BACK_BUCKETS_MAX + 1);
  const clock = label.slice(0, CLOCK_CHARACTERS);
  const offset = label.slice(CLOCK_CHARACTERS);
  return around.filter((other) => other.startsWith(clock)).length === 1
    ? name
    : `${name} UTC${offset.replace("Z", "")}`;
}

/** For an axis, of epoch milliseconds in a zone. */
export function axisTime(ms: number, zone: string, stepMs: number): string {
  if (stepMs < 86_400_000) return dateFormat({ hour: "2-digit", minute: "2-digit", timeZone: zone }).format(ms);
  if (stepMs < 27 * 86_400_000) return dateFormat({ day: "numeric", month: "short", timeZone: zone }).format(ms);
  if (stepMs < 300 * 86_400_000) return dateFormat({ month: "short", year: "2-digit", timeZone: zone }).format(ms);
  return dateFormat({ year: "numeric", timeZone: zone }).format(ms);
}

/** A moment of this device by a zone's clock: as the API writes times, to be read by the functions above. */
export function timeIn(zone: string, ms: number): string {
  const options = { timeZone: zone, dateStyle: "short", timeStyle: "medium" } as const;
  const format = keep(`i${zone}`, () => new Intl.DateTimeFormat("sv-SE", options));
  return format.format(ms).replace(" ", "T");
}

let regions: { readonly of: (code: string) => string | undefined; readonly language: string } | undefined;

export function countryName(code: string): string {
  if (regions?.language !== language.value) {
    const names = new Intl.DisplayNames(language.value, { type: "region", fallback: "code" });
    regions = { of: (region) => names.of(region), language: language.value };
  }
  return /^[A-Z]{2}$/.test(code) ? (regions.of(code) ?? code) : code;
}
