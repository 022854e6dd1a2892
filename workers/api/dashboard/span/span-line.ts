import type { ChartPoint } from "../chart/plot.ts";
import { type Bucket, MEASURE, type Measure } from "../data/answers.ts";
import type { Marks } from "../figures/revisions.ts";

/** A span's line over its base's, bucket by bucket. */
export function spanLine(buckets: readonly Bucket[], measure: Measure, { isMarked }: Marks): ChartPoint[] {
  const { of } = MEASURE[measure];
  return buckets.map((bucket) => ({
    atMs: Date.parse(bucket.start),
    value: of(bucket),
    base: bucket.comparison == null ? null : of(bucket.comparison.base),
    isOpen: bucket.status === "open",
    isRevised: isMarked(bucket),
  }));
}
