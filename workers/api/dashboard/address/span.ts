import type { Granularity } from "../data/answers.ts";
import { addDays, addMonths, type CivilDate, daysBetween, startOfMonth, weekdayOf } from "./civil-date.ts";

/** Spans that move with the calendar. */
export const PRESETS = [
  "today",
  "yesterday",
  "last-7-days",
  "last-28-days",
  "this-week",
  "this-month",
  "last-month",
  "this-year",
  "last-12-months",
  "last-5-years",
] as const;
export type Preset = (typeof PRESETS)[number];

/** Of dates both of which are meant. */
export interface Dates {
  readonly from: CivilDate;
  readonly last: CivilDate;
}

export type Span = Preset | Dates;

/** What history has, and an answer has room for (buckets). */
const DAYS_MAX = 1_826;
const BUCKETS_MAX = 2_200;

export function datesOf(span: Span, today: CivilDate): Dates {
  if (typeof span === "object") return span;
  switch (span) {
    case "today":
      return { from: today, last: today };
    case "yesterday":
      return { from: addDays(today, -1), last: addDays(today, -1) };
    case "last-7-days":
      return { from: addDays(today, -6), last: today };
    case "last-28-days":
      return { from: addDays(today, -27), last: today };
    case "this-week":
      return { from: addDays(today, 1 - weekdayOf(today)), last: today };
    case "this-month":
      return { from: startOfMonth(today), last: today };
    case "last-month":
      return { from: addMonths(today, -1), last: addDays(startOfMonth(today), -1) };
    case "this-year":
      return { from: `${today.slice(0, 4)}-01-01`, last: today };
    case "last-12-months":
      return { from: addMonths(today, -11), last: today };
    case "last-5-years":
      return { from: addDays(today, 1 - DAYS_MAX), last: today };
    default:
      return span satisfies never;
  }
}

export const dayCount = ({ from, last }: Dates): number => daysBetween(from, last) + 1;

const BUCKETS_A_DAY: Readonly<Record<Granularity, number>> = {
  "10m": 144,
  "1h": 24,
  "1d": 1,
  "1w": 1 / 7,
  "1mo": 1 / 30,
};

/** Those that make a line of a span: two points at the least, and no more than an answer has. */
export function granularitiesFor(dates: Dates): Granularity[] {
  const days = dayCount(dates);
  const fitting = (Object.keys(BUCKETS_A_DAY) as Granularity[]).filter((granularity) => {
    const buckets = days * BUCKETS_A_DAY[granularity];
    return buckets >= 2 && buckets + 2 <= BUCKETS_MAX;
  });
  return fitting.length === 0 ? ["1mo"] : fitting;
}

export function granularityFor(dates: Dates, wished: Granularity | undefined): Granularity {
  const fitting = granularitiesFor(dates);
  const days = dayCount(dates);
  const usual: Granularity = days <= 2 ? "1h" : days <= 400 ? "1d" : "1w";
  const [first = usual] = fitting;
  if (wished !== undefined && fitting.includes(wished)) return wished;
  return fitting.includes(usual) ? usual : first;
}
