import { addDays, weekdayOf } from "../address/civil-date.ts";
import { type Dates, dayCount } from "../address/span.ts";
import type { QueryAnswer } from "../data/answers.ts";
import { clockChanges } from "./clock-changes.ts";

/** By weekday (Monday first) and hour: the mean over the span's days, in minor units; `null` where there has been no such hour. */
export type Heat = readonly (readonly (number | null)[])[];

export const HOURS: readonly number[] = Array.from({ length: 24 }, (_, hour) => hour);
/** 1 is Monday. */
export const WEEKDAYS: readonly number[] = [1, 2, 3, 4, 5, 6, 7];

export interface HeatCell {
  readonly weekday: number;
  readonly hour: number;
}

/** Hours that are still to come count neither as something nor as nothing; the present one does. An hour that the clock shows twice is two. */
export function heatOf(
  { rows, as_of, timezone }: Pick<QueryAnswer, "rows" | "as_of" | "timezone">,
  { from, last }: Dates,
): Heat {
  const today = as_of.slice(0, 10);
  const hourNow = Number(as_of.slice(11, 13));
  const days = last < today ? daysOf({ from, last }) : daysOf({ from, last: addDays(today, -1) });
  const daysWithToday = last < today ? days : daysOf({ from, last: today });
  const changes = clockChanges(timezone, { from, last }, Date.parse(as_of));
  const sums = new Map((rows as readonly HeatRow[]).map(({ weekday, hour, net }) => [`${weekday} ${hour}`, net ?? 0]));
  return WEEKDAYS.map((weekday) =>
    HOURS.map((hour) => {
      const onDays = (hour <= hourNow ? daysWithToday : days)[weekday - 1] ?? 0;
      const count = onDays + (changes[weekday - 1]?.[hour] ?? 0);
      return count <= 0 ? null : (sums.get(`${weekday} ${hour}`) ?? 0) / count;
    }),
  );
}

interface HeatRow {
  readonly weekday?: number;
  readonly hour?: number;
  readonly net?: number | null;
}

/** How many of each weekday there are. */
function daysOf(dates: Dates): number[] {
  const days = Math.max(dayCount(dates), 0);
  const first = weekdayOf(dates.from) - 1;
  return WEEKDAYS.map((weekday) => {
    const after = (weekday - 1 - first + WEEKDAYS.length) % WEEKDAYS.length;
    return after >= days ? 0 : Math.floor((days - 1 - after) / WEEKDAYS.length) + 1;
  });
}

/** Finer shades are not told apart. */
const SHADE_PERCENT = 5;

/** Cells of one shade, as one path over squares of 1 × 1: a browser lays out twenty of them sooner than 168 cells. */
export interface HeatPath {
  /** Of the largest there is; of a loss it is negative. */
  readonly percent: number;
  readonly path: string;
}

export function heatPaths(heat: Heat): HeatPath[] {
  const largest = Math.max(1, ...heat.flat().map((value) => Math.abs(value ?? 0)));
  const paths = new Map<number, string>();
  for (const [row, hours] of heat.entries())
    for (const [hour, value] of hours.entries()) {
      // An hour that there has not been is no hour without sales: its place stays empty.
      if (value === null) continue;
      const percent = Math.round(((value / largest) * 100) / SHADE_PERCENT) * SHADE_PERCENT;
      paths.set(percent, `${paths.get(percent) ?? ""}M${hour} ${row}h1v1h-1z`);
    }
  return [...paths].map(([percent, path]) => ({ percent, path }));
}
