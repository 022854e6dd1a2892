import type { ChartPoint } from "../chart/plot.ts";
import { type Bucket, MEASURE, type Measure } from "../data/answers.ts";
import { isRevised, type Revisions } from "../figures/revisions.ts";

/** Marks say where something was revised as long as that is the exception. */
const MARKED_SHARE_MAX = 0.2;

export interface SpanLine {
  readonly points: readonly ChartPoint[];
  /** How many buckets were revised after they had closed, and when the last was, if they are too many to be marked. */
  readonly revised: { readonly count: number; readonly lastMs: number } | undefined;
}

/** A span's line over its base's, bucket by bucket. */
export function spanLine(buckets: readonly Bucket[], measure: Measure, revisions: Revisions): SpanLine {
  const { of } = MEASURE[measure];
  const revised = buckets.filter(isRevised);
  const isMarked = revised.length <= Math.max(1, buckets.length * MARKED_SHARE_MAX);
  return {
    points: buckets.map((bucket) => ({
      atMs: Date.parse(bucket.start),
      value: of(bucket),
      base: bucket.comparison == null ? null : of(bucket.comparison.base),
      isOpen: bucket.status === "open",
      isRevised: revisions.has(bucket.start) || (isMarked && isRevised(bucket)),
    })),
    revised: isMarked
      ? undefined
      : { count: revised.length, lastMs: Math.max(...revised.map(({ revision }) => revision)) },
  };
}
