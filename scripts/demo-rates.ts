import { dayFactor, isOut, type LocalDay, weekdayFor } from "./demo-calendar.ts";
import type { DemoMerchant } from "./demo-merchants.ts";
import { busyness } from "./demo-shop-kinds.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Offsets from UTC change at quarters of an hour only. */
const QUARTER_MS = 900_000;
/** Any whole week will do to find the mean: this one starts on Monday, 2026-01-05. */
const REFERENCE_WEEK_MS = Date.UTC(2026, 0, 5);
const HOURS_A_WEEK = 168;
/** Quiet hours of the whole demo are livened up and busy ones calmed by the root of what would make them equal, within these bounds. */
const EVENING_OUT = { min: 0.6, max: 1.8 };

/** Payments of a merchant to be expected in the minute that starts at `minuteMs`. */
export type MinuteRate = (merchant: DemoMerchant, minuteMs: number) => number;

/**
 * Rates that follow each shop's own day, week and year, scaled so that all merchants together make `paymentsPerSecond` on average of an ordinary
 * week. What is special about a day is left as it is: evened out it would be gone.
 */
export function minuteRates(merchants: readonly DemoMerchant[], paymentsPerSecond: number): MinuteRate {
  const clock = localClock();
  const special = daysOf();
  const ordinary = (merchant: DemoMerchant, ms: number) => {
    const { weekday, hour } = clock(merchant.timezone, ms);
    return busyness(merchant.kind, weekday, hour) * merchant.popularity;
  };
  const ordinaryTotal = (ms: number) => merchants.reduce((sum, merchant) => sum + ordinary(merchant, ms), 0);
  let weekTotal = 0;
  for (let hour = 0; hour < HOURS_A_WEEK; hour += 1) weekTotal += ordinaryTotal(REFERENCE_WEEK_MS + hour * HOUR_MS);
  const mean = weekTotal / HOURS_A_WEEK;
  const scales = new Map<number, number>();
  const scaleAt = (quarterMs: number) => {
    let scale = scales.get(quarterMs);
    if (scale === undefined) {
      const evened = Math.sqrt(mean / Math.max(ordinaryTotal(quarterMs), Number.EPSILON));
      const factor = Math.min(EVENING_OUT.max, Math.max(EVENING_OUT.min, evened));
      scale = (factor * paymentsPerSecond * (MINUTE_MS / 1000)) / mean;
      scales.set(quarterMs, scale);
    }
    return scale;
  };
  return (merchant, minuteMs) => {
    const local = clock(merchant.timezone, minuteMs);
    const { weekday, factor } = special(merchant, local);
    const busy = busyness(merchant.kind, weekday, local.hour);
    if (busy === 0 || isOut(merchant, local, local.hour)) return 0;
    return busy * merchant.popularity * factor * scaleAt(minuteMs - (minuteMs % QUARTER_MS));
  };
}

/** What a day is for a merchant; the last one asked for is kept. */
function daysOf(): (merchant: DemoMerchant, local: LocalDay) => { weekday: number; factor: number } {
  const last = new Map<string, { day: LocalDay; weekday: number; factor: number }>();
  return (merchant, local) => {
    const known = last.get(merchant.merchant_id);
    if (known?.day.day === local.day && known.day.month === local.month && known.day.year === local.year) return known;
    const day = { day: local, weekday: weekdayFor(merchant, local), factor: dayFactor(merchant, local) };
    last.set(merchant.merchant_id, day);
    return day;
  };
}

/** Date, weekday and hour with its fraction on the clock of a zone. Asks `Intl` once a zone and quarter of an hour. */
function localClock(): (timeZone: string, ms: number) => LocalDay & { hour: number } {
  const zones = new Map<string, Map<number, number>>();
  return (timeZone, ms) => {
    const offsets = zones.get(timeZone) ?? new Map<number, number>();
    zones.set(timeZone, offsets);
    const quarterMs = ms - (ms % QUARTER_MS);
    let offsetMs = offsets.get(quarterMs);
    if (offsetMs === undefined) {
      offsetMs = offsetOf(timeZone, quarterMs);
      offsets.set(quarterMs, offsetMs);
    }
    const local = new Date(ms + offsetMs);
    return {
      year: local.getUTCFullYear(),
      month: local.getUTCMonth() + 1,
      day: local.getUTCDate(),
      weekday: local.getUTCDay(),
      hour: local.getUTCHours() + local.getUTCMinutes() / 60,
    };
  };
}

const formats = new Map<string, Intl.DateTimeFormat>();

function offsetOf(timeZone: string, ms: number): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    const digits = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" } as const;
    format = new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", ...digits });
    formats.set(timeZone, format);
  }
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute")) - ms;
}
