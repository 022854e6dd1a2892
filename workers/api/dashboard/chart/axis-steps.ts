/** Steps between an axis' labels, of which the chart takes the smallest that leaves room for them. */

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;
/** As the chart itself knows months and years, which it sets on their firsts. */
const MONTH_S = 30 * DAY_S;
const YEAR_S = 365 * DAY_S;

const TIME_STEPS_S = [
  ...[10, 30].map((minutes) => minutes * MINUTE_S),
  ...[1, 2, 3, 4, 6, 8, 12].map((hours) => hours * HOUR_S),
  ...[1, 2, 3, 4, 5, 7, 10, 15].map((days) => days * DAY_S),
  ...[1, 2, 3, 4, 6].map((months) => months * MONTH_S),
  ...[1, 2, 5].map((years) => years * YEAR_S),
];

/** None narrower than the points stand apart: between two days there is no 08:00. */
export function timeSteps(pointsAtMs: readonly number[]): number[] {
  const [first = 0, second] = pointsAtMs;
  // A day has 23 hours, too; and a month 28 days.
  const apartS = ((second ?? first + DAY_S * 1_000) - first) / 1_000 - HOUR_S;
  const steps = TIME_STEPS_S.filter((step) => step >= (apartS > 27 * DAY_S ? MONTH_S : apartS));
  return steps.length === 0 ? [YEAR_S] : steps;
}

/** Whole ones: there is no half payment, and amounts are in minor units. */
export const VALUE_STEPS: number[] = [
  1,
  2,
  5,
  ...Array.from({ length: 15 }, (_, power) => [1, 2, 2.5, 5].map((times) => times * 10 ** (power + 1))).flat(),
];
