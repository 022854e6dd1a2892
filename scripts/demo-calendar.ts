import type { DemoMerchant } from "./demo-merchants.ts";
import { type ShopKind, shopTraits } from "./demo-shop-kinds.ts";
import { logNormal, seededRandom } from "./seeded-random.ts";

const DAY_MS = 86_400_000;
const YEAR_MS = 365.25 * DAY_MS;

/** A day on the calendar of a shop's street. */
export type LocalDay = { year: number /** From 1. */; month: number; day: number /** 0 is Sunday. */; weekday: number };

/** A day of rest there is as busy as a Sunday, whatever day of the week it is. */
export function weekdayFor(merchant: DemoMerchant, { month, day, weekday }: LocalDay): number {
  const { dates, mondays } = HOLIDAYS[merchant.country] ?? NO_HOLIDAYS;
  const isHoliday = dates.has(dateOf(month, day)) || mondays.has(dateOf(month, Math.ceil(day / 7), weekday));
  return isHoliday ? 0 : weekday;
}

/**
 * What makes a day of a shop more or less than an ordinary one of its weekday, around 1: season, growth, pay, weather, and chance. It depends
 * on merchant and day alone.
 */
export function dayFactor(merchant: DemoMerchant, local: LocalDay): number {
  const dayNumber = Date.UTC(local.year, local.month - 1, local.day) / DAY_MS;
  const season = shopTraits(merchant.kind).months[local.month - 1] ?? 1;
  return season * growth(merchant, dayNumber * DAY_MS) * pay(merchant, local) * chance(merchant, dayNumber);
}

const GROWTH_SINCE_MS = Date.UTC(2026, 6, 1);
/** Some shops lose a little, others gain a lot; nobody goes on growing for ever. */
const GROWTH_A_YEAR = { min: -0.1, max: 0.4 };
const GROWTH_YEARS_MAX = 1;

function growth({ merchant_id }: DemoMerchant, ms: number): number {
  const { min, max } = GROWTH_A_YEAR;
  const aYear = min + (max - min) * seededRandom(merchant_id, "growth")();
  const years = Math.min(GROWTH_YEARS_MAX, Math.max(-GROWTH_YEARS_MAX, (ms - GROWTH_SINCE_MS) / YEAR_MS));
  return (1 + aYear) ** years;
}

/** On payday and for two days after people spend more, and on what is dear most of all. */
const AFTER_PAY = [0.14, 0.09, 0.04];
const DEAR: ReadonlySet<ShopKind> = new Set(["izakaya", "clothing", "electronics", "bookshop"]);

function pay({ country, kind }: DemoMerchant, { day }: LocalDay): number {
  const more = (PAYDAYS[country] ?? []).reduce((sum, payday) => sum + (AFTER_PAY[day - payday] ?? 0), 0);
  return 1 + (DEAR.has(kind) ? 2 * more : more);
}

/** The share of wet days, on which fewer people are out in the streets of a place. */
const RAIN_SHARE = 0.2;
const RAIN_FACTOR = 0.86;
const CHANCE_SPREAD = 0.06;

function chance({ merchant_id, location }: DemoMerchant, dayNumber: number): number {
  const rain = seededRandom(location, dayNumber, "rain")() < RAIN_SHARE ? RAIN_FACTOR : 1 / RAIN_FACTOR ** RAIN_SHARE;
  return rain * logNormal(seededRandom(merchant_id, dayNumber, "day"), 1, CHANCE_SPREAD);
}

/** Its terminals fail now and then, for some hours at a time. */
const OUTAGE = { merchant: "sakura-drug", everyDays: 23, onDay: 7, fromHour: 11.4, toHour: 15.2 };

export function isOut({ merchant_id }: DemoMerchant, { year, month, day }: LocalDay, hour: number): boolean {
  if (merchant_id !== OUTAGE.merchant || hour < OUTAGE.fromHour || hour >= OUTAGE.toHour) return false;
  return (Date.UTC(year, month - 1, day) / DAY_MS) % OUTAGE.everyDays === OUTAGE.onDay;
}

type Holidays = {
  dates: ReadonlySet<string> /** Or another day of the week: month, which one of the month, weekday. */;
  mondays: ReadonlySet<string>;
};
const dateOf = (...parts: number[]) => parts.join("-");
const holidays = (dates: string[], mondays: string[] = []): Holidays => ({
  dates: new Set(dates),
  mondays: new Set(mondays),
});

/** The day of the month on which many are paid, by country. */
const PAYDAYS: Readonly<Record<string, readonly number[]>> = { JP: [25], DE: [1], GB: [28], US: [1, 15], IN: [1] };
const NO_HOLIDAYS = holidays([]);
/** By country, without those that follow the moon. */
const HOLIDAYS: Readonly<Record<string, Holidays>> = {
  JP: holidays(
    ["1-1", "1-2", "1-3", "2-11", "2-23", "4-29", "5-3", "5-4", "5-5", "8-11", "11-3", "11-23"],
    ["1-2-1", "7-3-1", "9-3-1", "10-2-1"],
  ),
  DE: holidays(["1-1", "5-1", "10-3", "12-25", "12-26"]),
  GB: holidays(["1-1", "12-25", "12-26"], ["5-1-1"]),
  US: holidays(["1-1", "7-4", "12-25"], ["9-1-1", "11-4-4"]),
  IN: holidays(["1-26", "8-15", "10-2", "12-25"]),
};
