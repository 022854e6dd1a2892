import { DAY_MS, WINDOW_MS } from "../../shared/window.ts";
import { type BucketSeries, nearestWindow } from "./calendar.ts";
import type { Granularity } from "./calendar-unit.ts";
import type { HistorySpan } from "./tiers.ts";
import { type WallClock, wallClock } from "./wall-clock.ts";
import { dayAt, startOfDay } from "./zone.ts";

/** What a span may be compared with (docs/decisions/0040). */
export const COMPARISONS = ["previous_period", "same_weekday", "year_ago", "four_week_average"] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** An earlier span of the same elapsed time; of each bucket, in order, its part, `null` where there is none. */
export interface BaseSpan extends HistorySpan {
  readonly buckets: readonly (HistorySpan | null)[];
}

export interface BaseSpans {
  /** What of the span has elapsed, and is compared. Empty, `toMs` not after `fromMs`, while nothing has. */
  readonly elapsed: HistorySpan;
  /** One, or four whose mean is meant; none while nothing has elapsed. */
  readonly bases: readonly BaseSpan[];
}

export interface CompareRequest {
  readonly comparison: Comparison;
  readonly series: BucketSeries;
  readonly granularity: Granularity;
  readonly zone: string;
  /** The end of the last window that is complete: what comes after is not compared. */
  readonly elapsedMs: number;
}

const HALF_WINDOW_MS = WINDOW_MS / 2;
const WEEK_DAYS = 7;
/** 52 weeks: a year ago on the same weekday. */
const YEAR_DAYS = 364;
const AVERAGED_WEEKS = [1, 2, 3, 4];
/** The farthest a base begins before its span, beside the span's own length. */
const BEFORE_DAYS_MAX = YEAR_DAYS + WEEK_DAYS;

/**
 * The spans that a series is compared with: the same times on the zone's clock, some days earlier, whatever the clock did in between. Of a span that is still
 * going on only what has elapsed is compared, and the base ends when the clock had shown the same.
 */
export function baseSpans(request: CompareRequest): BaseSpans {
  const { series, zone, elapsedMs } = request;
  const elapsed = { fromMs: series.fromMs, toMs: Math.max(series.fromMs, Math.min(series.toMs, elapsedMs)) };
  if (elapsed.toMs === elapsed.fromMs) return { elapsed, bases: [] };
  const lengthMs = series.toMs - series.fromMs;
  const clock = wallClock(zone, series.fromMs - lengthMs - BEFORE_DAYS_MAX * DAY_MS, series.toMs);
  const whole = { fromMs: startTime(clock, zone, elapsed.fromMs), toMs: clock.shownUntil(elapsed.toMs) };
  const buckets = bucketsByClock(request, clock, elapsed);
  const bases = shiftsMs(request, clock).map((shiftMs) => {
    const earlier = (local: HistorySpan): HistorySpan => ({
      fromMs: nearestWindow(clock.reached(local.fromMs - shiftMs)),
      toMs: nearestWindow(clock.reached(local.toMs - shiftMs)),
    });
    const spans = buckets.map((local) => (local === null ? null : nonEmpty(earlier(local))));
    return { ...earlier(whole), buckets: spans };
  });
  return { elapsed, bases };
}

/** What has elapsed of each bucket, as the clock has shown it; `null` of those of which nothing has. */
function bucketsByClock({ series, granularity, zone }: CompareRequest, clock: WallClock, elapsed: HistorySpan) {
  const isOfDates = granularity !== "10m" && granularity !== "1h";
  return series.buckets.map(({ startMs, endMs }) => {
    const toMs = Math.min(endMs, elapsed.toMs);
    if (toMs <= startMs) return null;
    const fromMs = isOfDates ? startTime(clock, zone, startMs) : clock.shownFrom(startMs);
    return { fromMs, toMs: clock.shownUntil(toMs) };
  });
}

const nonEmpty = (span: HistorySpan) => (span.fromMs < span.toMs ? span : null);

/** How far back on the clock the bases are. */
function shiftsMs({ comparison, series, zone }: CompareRequest, clock: WallClock): readonly number[] {
  const lengthMs = clock.shownUntil(series.toMs) - startTime(clock, zone, series.fromMs);
  const days = Math.ceil(lengthMs / DAY_MS);
  switch (comparison) {
    case "previous_period":
      return [lengthMs < DAY_MS && !isStartOfDay(zone, series.fromMs) ? lengthMs : days * DAY_MS];
    case "same_weekday":
      return [Math.ceil(days / WEEK_DAYS) * WEEK_DAYS * DAY_MS];
    case "year_ago":
      return [YEAR_DAYS * DAY_MS];
    case "four_week_average":
      return AVERAGED_WEEKS.map((weeks) => weeks * WEEK_DAYS * DAY_MS);
    default:
      return comparison satisfies never;
  }
}

/** The local time at which something begins: a day begins at 00:00, also where the clock skips that. */
function startTime(clock: WallClock, zone: string, ms: number): number {
  return isStartOfDay(zone, ms) ? dayOf(zone, ms) * DAY_MS : clock.shownFrom(ms);
}

function isStartOfDay(zone: string, ms: number): boolean {
  return nearestWindow(startOfDay(zone, dayOf(zone, ms))) === ms;
}

/** The day that has the window which begins at a moment: where days do not begin on windows, that at its middle. */
function dayOf(zone: string, ms: number): number {
  return dayAt(zone, ms + HALF_WINDOW_MS);
}
