import { daysSinceEpoch } from "./rfc3339.ts";
import { DAY_MS } from "./window.ts";

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Lower bound in years of each band; the first is `0-17`, the last `65+`. */
const BANDS: readonly (readonly [fromYears: number, band: string])[] = [
  [65, "65+"],
  [55, "55-64"],
  [45, "45-54"],
  [35, "35-44"],
  [25, "25-34"],
  [18, "18-24"],
  [0, "0-17"],
];

/**
 * The age band at a moment of somebody born on `dateOfBirth` (`YYYY-MM-DD`). This is all that is kept of a birthday.
 * `undefined` when the text is no date, or lies more than a day (time zones) after the moment.
 */
export function ageBand(dateOfBirth: string, atMs: number): string | undefined {
  const match = DATE.exec(dateOfBirth);
  if (match === null) return undefined;
  const birthday = daysSinceEpoch(Number(match[1]), Number(match[2]), Number(match[3]));
  if (birthday === undefined) return undefined;
  const ageDays = atMs / DAY_MS - birthday;
  if (ageDays < -1) return undefined;
  // The mean Gregorian year; a band may turn a day early or late, which no merchant's question depends on.
  const years = Math.floor(ageDays / 365.2425);
  return BANDS.find(([fromYears]) => years >= fromYears)?.[1] ?? "0-17";
}
