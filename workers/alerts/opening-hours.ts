import { z } from "zod";
import { DAY_MS } from "../../shared/window.ts";
import { dayAt, instantOfLocal } from "../api/zone.ts";

/** In the order of ISO 8601. */
export const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const WEEK_MINUTES = 7 * DAY_MINUTES;
const SPANS_A_DAY_MAX = 4;
/** 1970-01-01 was a Thursday. */
const EPOCH_WEEKDAY = 3;
/** A shop that opens once a week, whose day the clock leaves out, opens in the week after. */
const DAYS_AHEAD_MAX = 14;

const timeSchema = z
  .string()
  .regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, "a time from 00:00 to 24:00")
  .meta({ examples: ["09:00"] });

const spanSchema = z
  .strictObject({ from: timeSchema, to: timeSchema })
  .refine(({ from, to }) => from !== to && from !== "24:00", "a whole day is 00:00 to 24:00")
  .meta({ description: "By the merchant's clock. A `to` that is not later than `from` is on the next day." });

const daySchema = z.array(spanSchema).max(SPANS_A_DAY_MAX).default([]);

/** When a shop is open, by weekday; a day that is left out is closed. */
export const openingHoursSchema = z
  .strictObject({
    monday: daySchema,
    tuesday: daySchema,
    wednesday: daySchema,
    thursday: daySchema,
    friday: daySchema,
    saturday: daySchema,
    sunday: daySchema,
  })
  .meta({ id: "OpeningHours" });

export type OpeningHours = z.output<typeof openingHoursSchema>;

/** A stretch in which the shop is open, `[fromMs, toMs)`. */
export interface OpenStretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The stretch that a moment is in, and when the next one begins; `undefined` for none. Stretches that touch are one, so that a bar that is open past
 * midnight does not close there. A time that the clock skips is the one it jumps to, and of a time that it shows twice the first is meant: a gap is then
 * rather not told than told of an hour in which the shop is closed.
 */
export function openingAt(
  hours: OpeningHours,
  zone: string,
  ms: number,
): { readonly open: OpenStretch | undefined; readonly opensMs: number | undefined } {
  const today = dayAt(zone, ms);
  // Two days back for what began then and crosses midnight; further back only as far as stretches touch.
  let stretches = stretchesOf(hours, zone, today - 2, today + 1);
  let open = stretches.find(({ fromMs, toMs }) => fromMs <= ms && ms < toMs);
  let opensMs = stretches.find(({ fromMs }) => fromMs > ms)?.fromMs;
  for (let ahead = 2; opensMs === undefined && open === undefined && ahead <= DAYS_AHEAD_MAX; ahead++) {
    stretches = stretchesOf(hours, zone, today + ahead - 1, today + ahead);
    opensMs = stretches.find(({ fromMs }) => fromMs > ms)?.fromMs;
  }
  if (open !== undefined) open = { fromMs: open.fromMs, toMs: open.toMs };
  return { open, opensMs };
}

/** Minutes of the longest stretch in a week; of one that never closes, a week's. */
export function longestOpenMinutes(hours: OpeningHours): number {
  const spans = WEEKDAYS.flatMap((weekday, day) =>
    hours[weekday].map(({ from, to }) => ({
      from: day * DAY_MINUTES + minuteOf(from),
      to: day * DAY_MINUTES + endMinuteOf(from, to),
    })),
  );
  // Twice, for what goes on from Sunday into Monday.
  const twice = [...spans, ...spans.map(({ from, to }) => ({ from: from + WEEK_MINUTES, to: to + WEEK_MINUTES }))];
  const lengths = merged(twice).map(({ from, to }) => to - from);
  return Math.min(WEEK_MINUTES, Math.max(0, ...lengths));
}

/** Of the local dates from one to another, both included. */
function stretchesOf(hours: OpeningHours, zone: string, fromDay: number, toDay: number): OpenStretch[] {
  const spans: { from: number; to: number }[] = [];
  for (let day = fromDay; day <= toDay; day++) {
    const weekday = WEEKDAYS[(((day + EPOCH_WEEKDAY) % 7) + 7) % 7];
    if (weekday === undefined) throw new Error(`no weekday of day ${day}`);
    for (const { from, to } of hours[weekday]) {
      const localMs = day * DAY_MS;
      spans.push({
        from: instantOfLocal(zone, localMs + minuteOf(from) * MINUTE_MS),
        to: instantOfLocal(zone, localMs + endMinuteOf(from, to) * MINUTE_MS),
      });
    }
  }
  // Of a stretch that the clock skips nothing is left.
  return merged(spans.filter(({ from, to }) => from < to)).map(({ from, to }) => ({ fromMs: from, toMs: to }));
}

/** In order, with what overlaps or touches as one. */
function merged(spans: readonly { readonly from: number; readonly to: number }[]): { from: number; to: number }[] {
  const whole: { from: number; to: number }[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = whole.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else whole.push({ from, to });
  }
  return whole;
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

function endMinuteOf(from: string, to: string): number {
  const end = minuteOf(to);
  return end > minuteOf(from) ? end : end + DAY_MINUTES;
}
