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

/** Rates that follow each shop's own day and week, scaled so that all merchants together make `paymentsPerSecond` on average. */
export function minuteRates(merchants: readonly DemoMerchant[], paymentsPerSecond: number): MinuteRate {
  const clock = localClock();
  const natural = (merchant: DemoMerchant, ms: number) => {
    const { weekday, hour } = clock(merchant.timezone, ms);
    return busyness(merchant.kind, weekday, hour) * merchant.popularity;
  };
  const naturalTotal = (ms: number) => merchants.reduce((sum, merchant) => sum + natural(merchant, ms), 0);
  let weekTotal = 0;
  for (let hour = 0; hour < HOURS_A_WEEK; hour += 1) weekTotal += naturalTotal(REFERENCE_WEEK_MS + hour * HOUR_MS);
  const mean = weekTotal / HOURS_A_WEEK;
  const scales = new Map<number, number>();
  const scaleAt = (quarterMs: number) => {
    let scale = scales.get(quarterMs);
    if (scale === undefined) {
      const evened = Math.sqrt(mean / Math.max(naturalTotal(quarterMs), Number.EPSILON));
      const factor = Math.min(EVENING_OUT.max, Math.max(EVENING_OUT.min, evened));
      scale = (factor * paymentsPerSecond * (MINUTE_MS / 1000)) / mean;
      scales.set(quarterMs, scale);
    }
    return scale;
  };
  return (merchant, minuteMs) => natural(merchant, minuteMs) * scaleAt(minuteMs - (minuteMs % QUARTER_MS));
}

/** Weekday (0 is Sunday) and hour with its fraction on the clock of a zone. Asks `Intl` once a zone and quarter of an hour. */
function localClock(): (timeZone: string, ms: number) => { weekday: number; hour: number } {
  const offsets = new Map<string, number>();
  return (timeZone, ms) => {
    const quarterMs = ms - (ms % QUARTER_MS);
    const key = `${timeZone} ${quarterMs}`;
    let offsetMs = offsets.get(key);
    if (offsetMs === undefined) {
      offsetMs = offsetOf(timeZone, quarterMs);
      offsets.set(key, offsetMs);
    }
    const local = new Date(ms + offsetMs);
    return { weekday: local.getUTCDay(), hour: local.getUTCHours() + local.getUTCMinutes() / 60 };
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
