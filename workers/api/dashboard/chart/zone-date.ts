/** By zone: slow to make and quick to use. */
const clocks = new Map<string, Intl.DateTimeFormat>();

/**
 * A date whose own parts, hours and all, are those that a zone's clock shows: by it the chart sets its axis' labels on full hours, days and months. The
 * chart's own way makes a format each time, dozens of times a frame.
 */
export function zoneDate(zone: string, seconds: number): Date {
  const ms = Math.round(seconds * 1000);
  const date = new Date(clockText(zone, ms));
  date.setMilliseconds(((ms % 1000) + 1000) % 1000);
  return date;
}

/** What a zone's clock shows: 2026-10-25T02:00:00. */
export const clockText = (zone: string, ms: number): string => clockOf(zone).format(ms).replace(" ", "T");

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known !== undefined) return known;
  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  clocks.set(zone, clock);
  return clock;
}
