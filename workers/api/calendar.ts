import { err, ok, type Result } from "../../shared/result.ts";
import { WINDOW_MS } from "../../shared/window.ts";
import { countUnits, GRANULARITIES, type Granularity, type UnitStart, unitStarts } from "./calendar-unit.ts";
import { offsetAt } from "./zone.ts";

export interface BucketRequest {
  /** `[fromMs, toMs)` in epoch milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly granularity: Granularity;
  /** As `parseZone` gives it; an unknown zone is a bug here and throws. */
  readonly zone: string;
  readonly bucketsMax: number;
}

/** A run of ten-minute windows, `[startMs, endMs)`, and the unit of the calendar it belongs to. */
export interface Bucket {
  readonly startMs: number;
  readonly endMs: number;
  /**
   * The unit's local name: `2026-03-29` (1d), its Monday (1w), `2026-03` (1mo), `2026-03-29T10:00+02:00` (10m, 1h). Of a
   * clipped or moved bucket still the whole unit's name, so that a unit has one label in every answer.
   */
  readonly label: string;
}

export interface BucketSeries {
  readonly buckets: readonly Bucket[];
  /** False when a start of a unit that bounds a bucket does not fall on a window and was moved to the nearest one. */
  readonly exact: boolean;
  /** The range that is really covered, in whole windows: what was asked, if that fell on windows. */
  readonly fromMs: number;
  readonly toMs: number;
}

export type BucketsError =
  | { readonly reason: "empty_range"; readonly fromMs: number; readonly toMs: number }
  | {
      readonly reason: "too_many_buckets";
      readonly granularity: Granularity;
      readonly count: number;
      readonly bucketsMax: number;
      /** The finest granularity whose buckets would be few enough, or null. */
      readonly finest: Granularity | null;
    };

/**
 * Cuts a range into the zone's hours, days, ISO weeks (from Monday) or months, or into windows. Buckets follow each other
 * without gap or overlap, cover exactly `[fromMs, toMs)` of the answer, begin and end on windows, and are never empty; the
 * first and the last are clipped to the range.
 *
 * - A day begins at the first moment of its local date: 23, 24.5 or 25 hours are one bucket, a date left out is none.
 * - An hour begins when the zone's clock shows a full hour, and where the clock jumps. So hours are real elapsed hours; the
 *   hour shown twice in autumn is two buckets with different offsets in their labels; and where the clock jumps by half an
 *   hour (Lord Howe) the broken hour is a bucket of 30 minutes. Never more than an hour, never two offsets in one bucket.
 * - Where units do not begin on windows (+05:45), every start moves to the nearest window, halfway down. An end of the range
 *   that lies on the zone's own ten minutes moves the same way, so that a local month still has whole days and shares no
 *   window with the next; any other end widens the range to whole windows.
 */
export function cutIntoBuckets(request: BucketRequest): Result<BucketSeries, BucketsError> {
  const { granularity, zone, bucketsMax } = request;
  if (!(request.fromMs < request.toMs))
    return err({ reason: "empty_range", fromMs: request.fromMs, toMs: request.toMs });
  const range = snapRange(request);
  // Counted before anything is built: ten-minute buckets of five years have to fail at once.
  const expected = countBuckets(granularity, zone, range);
  if (expected > bucketsMax) return tooMany(request, range, expected);
  const series = clip(unitStarts(granularity, zone, range.fromMs, range.toMs + WINDOW_MS), range);
  if (series.buckets.length > bucketsMax) return tooMany(request, range, series.buckets.length);
  return ok(series);
}

/** A range of whole windows. */
type Range = Pick<BucketSeries, "fromMs" | "toMs">;

function snapRange({ fromMs, toMs, zone }: BucketRequest): Range {
  const startMs = isOnLocalWindow(zone, fromMs) ? nearestWindow(fromMs) : windowFloor(fromMs);
  const endMs = isOnLocalWindow(zone, toMs) ? nearestWindow(toMs) : -windowFloor(-toMs);
  return { fromMs: startMs, toMs: Math.max(endMs, startMs + WINDOW_MS) };
}

function isOnLocalWindow(zone: string, ms: number): boolean {
  const localMs = ms + offsetAt(zone, ms);
  return localMs === windowFloor(localMs);
}

/** Rounds halfway down, so that local midnight at +05:45 (18:15 UTC) is 18:10 wherever it occurs. */
export function nearestWindow(ms: number): number {
  return windowFloor(ms + WINDOW_MS / 2 - 1);
}

function windowFloor(ms: number): number {
  return Math.floor(ms / WINDOW_MS) * WINDOW_MS;
}

function countBuckets(granularity: Granularity, zone: string, { fromMs, toMs }: Range): number {
  // Starts move to a window from either side of it: the unit that has a window is the one at the window's middle.
  return countUnits(granularity, zone, fromMs + WINDOW_MS / 2, toMs - WINDOW_MS / 2);
}

function clip(starts: Iterable<UnitStart>, range: Range): BucketSeries {
  const buckets: Bucket[] = [];
  let exact = true;
  let open: Pick<Bucket, "startMs" | "label"> | undefined;
  for (const { atMs, label } of starts) {
    const boundaryMs = nearestWindow(atMs);
    if (boundaryMs > range.toMs) break;
    if (boundaryMs >= range.fromMs && boundaryMs !== atMs) exact = false;
    if (boundaryMs === range.toMs) continue;
    const startMs = Math.max(boundaryMs, range.fromMs);
    // A unit that would be empty (before the range, or a date left out) gives way to the next.
    if (open !== undefined && startMs > open.startMs) buckets.push({ ...open, endMs: startMs });
    open = { startMs, label };
  }
  if (open !== undefined) buckets.push({ ...open, endMs: range.toMs });
  return { buckets, exact, ...range };
}

function tooMany(request: BucketRequest, range: Range, count: number): Result<never, BucketsError> {
  const { granularity, zone, bucketsMax } = request;
  const coarser = GRANULARITIES.slice(GRANULARITIES.indexOf(granularity) + 1);
  const finest = coarser.find((each) => countBuckets(each, zone, range) <= bucketsMax) ?? null;
  return err({ reason: "too_many_buckets", granularity, count, bucketsMax, finest });
}
