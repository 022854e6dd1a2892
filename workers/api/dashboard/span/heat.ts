import { weekdayOf } from "../address/civil-date.ts";
import { type Dates, dayCount } from "../address/span.ts";
import type { QueryAnswer } from "../data/answers.ts";

/** By weekday (Monday first) and hour: the mean over the span's days, in minor units. */
export type Heat = readonly (readonly number[])[];

const HOURS = 24;
const WEEKDAYS = 7;

export function heatOf({ rows }: QueryAnswer, dates: Dates): Heat {
  const days = daysOf(dates);
  const heat = Array.from({ length: WEEKDAYS }, () => new Array<number>(HOURS).fill(0));
  for (const { weekday = 0, hour = 0, net } of rows as readonly HeatRow[]) {
    const row = heat[weekday - 1];
    if (row !== undefined) row[hour] = (net ?? 0) / Math.max(days[weekday - 1] ?? 0, 1);
  }
  return heat;
}

interface HeatRow {
  readonly weekday?: number;
  readonly hour?: number;
  readonly net?: number | null;
}

/** How many of each weekday there are. */
function daysOf(dates: Dates): number[] {
  const days = dayCount(dates);
  const first = weekdayOf(dates.from) - 1;
  return Array.from({ length: WEEKDAYS }, (_, weekday) => {
    const after = (weekday - first + WEEKDAYS) % WEEKDAYS;
    return after >= days ? 0 : Math.floor((days - 1 - after) / WEEKDAYS) + 1;
  });
}
