import { DAY_MS, HOUR_MS } from "../../../../shared/window.ts";
import { civilDateOf, msOf, weekdayOf } from "../address/civil-date.ts";
import type { Dates } from "../address/span.ts";
import { clockText } from "../chart/zone-date.ts";

/** No zone changes its clock twice within so many days. */
const STEP_DAYS = 7;
const MINUTE_MS = 60_000;
const HALF_HOUR_MS = HOUR_MS / 2;

/**
 * By weekday (Monday first) and hour of a zone's clock: how many such hours a span has more (shown twice) or fewer (skipped) than days, because the clock
 * was changed before `untilMs`.
 */
export function clockChanges(zone: string, { from, last }: Dates, untilMs: number): number[][] {
  const hours = Array.from({ length: 7 }, () => new Array<number>(24).fill(0));
  // A date is elsewhere in UTC by half a day and more.
  const endMs = Math.min(msOf(last) + 2 * DAY_MS, untilMs);
  let nextMs: number;
  for (let ms = msOf(from) - DAY_MS; ms < endMs; ms = nextMs) {
    nextMs = Math.min(ms + STEP_DAYS * DAY_MS, endMs);
    const [before, after] = [offsetMs(zone, ms), offsetMs(zone, nextMs)];
    if (before === after) continue;
    const atMs = changeBetween(zone, ms, nextMs);
    const shownMs = [atMs + before, atMs + after].sort((a, b) => a - b);
    const [startMs = 0, stopMs = 0] = shownMs;
    for (let clockMs = startMs; clockMs < stopMs; clockMs += HALF_HOUR_MS) {
      const date = civilDateOf(clockMs);
      const ofDay = hours[weekdayOf(date) - 1];
      const hour = new Date(clockMs).getUTCHours();
      if (ofDay !== undefined && date >= from && date <= last)
        ofDay[hour] = (ofDay[hour] ?? 0) + (after < before ? 0.5 : -0.5);
    }
  }
  return hours;
}

/** The first minute by the new clock. */
function changeBetween(zone: string, beforeMs: number, afterMs: number): number {
  const before = offsetMs(zone, beforeMs);
  let [low, high] = [Math.floor(beforeMs / MINUTE_MS), Math.ceil(afterMs / MINUTE_MS)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(zone, middle * MINUTE_MS) === before) low = middle;
    else high = middle;
  }
  return high * MINUTE_MS;
}

function offsetMs(zone: string, ms: number): number {
  const toTheMinute = Math.floor(ms / MINUTE_MS) * MINUTE_MS;
  return Date.parse(`${clockText(zone, toTheMinute)}Z`) - toTheMinute;
}
