import type { Dimension } from "../../shared/breakdown.ts";
import { EMPTY_REPORT, mergeReports } from "../../shared/report.ts";
import type { BucketReport } from "./read-range.ts";
import type { HistorySpan } from "./tiers.ts";

const NOTHING: BucketReport = { report: EMPTY_REPORT, revision: 0 };

/** The reports between some bounds, to be merged over any span that begins and ends at them. */
export class SpanReports {
  readonly #boundsMs: readonly number[];
  readonly #reports: ReadonlyMap<number, BucketReport>;

  /** Bounds are ascending; `reports` are by the bound that they begin at, those of nothing absent. */
  constructor(boundsMs: readonly number[], reports: ReadonlyMap<number, BucketReport> | undefined) {
    this.#boundsMs = boundsMs;
    this.#reports = reports ?? new Map();
  }

  over({ fromMs, toMs }: HistorySpan): BucketReport {
    const within: BucketReport[] = [];
    for (let at = this.#firstFrom(fromMs); at < this.#boundsMs.length; at++) {
      const boundMs = this.#boundsMs[at] as number;
      if (boundMs >= toMs) break;
      const one = this.#reports.get(boundMs);
      if (one !== undefined) within.push(one);
    }
    return merged(within);
  }

  #firstFrom(ms: number): number {
    let low = 0;
    let high = this.#boundsMs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#boundsMs[middle] as number) < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** By pairs, and pairs of those: one by one, each of a thousand days would be merged into all that were before it. */
function merged(reports: readonly BucketReport[]): BucketReport {
  let level = reports;
  while (level.length > 1) {
    const pairs: BucketReport[] = [];
    for (let at = 0; at < level.length; at += 2) pairs.push(both(level[at] as BucketReport, level[at + 1]));
    level = pairs;
  }
  return level[0] ?? NOTHING;
}

function both(a: BucketReport, b: BucketReport | undefined): BucketReport {
  if (b === undefined) return a;
  return { report: mergeReports(a.report, b.report), revision: Math.max(a.revision, b.revision) };
}

/** The same reports with one of their breakdowns, or none: what is not shown need not be merged. */
export function withBreakdown(
  reports: ReadonlyMap<number, BucketReport> | undefined,
  kept: Dimension | undefined,
): ReadonlyMap<number, BucketReport> {
  const none = EMPTY_REPORT.breakdowns;
  return new Map(
    [...(reports ?? [])].map(([startMs, { report, revision }]) => {
      const breakdowns = kept === undefined ? none : { ...none, [kept]: report.breakdowns[kept] };
      return [startMs, { report: { ...report, breakdowns }, revision }];
    }),
  );
}

/** Ascending, each once. */
export function boundsOf(boundsMs: Iterable<number>): number[] {
  return [...new Set(boundsMs)].sort((a, b) => a - b);
}
