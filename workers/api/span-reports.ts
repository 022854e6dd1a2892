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
    let merged = NOTHING;
    for (let at = this.#firstFrom(fromMs); at < this.#boundsMs.length; at++) {
      const boundMs = this.#boundsMs[at] as number;
      if (boundMs >= toMs) break;
      const one = this.#reports.get(boundMs);
      if (one !== undefined) merged = merged === NOTHING ? one : both(merged, one);
    }
    return merged;
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

function both(a: BucketReport, b: BucketReport): BucketReport {
  return { report: mergeReports(a.report, b.report), revision: Math.max(a.revision, b.revision) };
}

/** Ascending, each once. */
export function boundsOf(boundsMs: Iterable<number>): number[] {
  return [...new Set(boundsMs)].sort((a, b) => a - b);
}
