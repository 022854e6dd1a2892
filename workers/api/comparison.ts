import type { Report } from "../../shared/report.ts";
import type { BaseSpans } from "./base-spans.ts";
import type { Bucket } from "./calendar.ts";
import { type Change, changeOf } from "./change.ts";
import type { Env } from "./env.ts";
import type { Figure, Figures } from "./figure-names.ts";
import { eachFigure, figuresOf, meanFigures } from "./figures.ts";
import { type RangeReading, readRange } from "./read-range.ts";
import { boundsOf, type SpanReports } from "./span-reports.ts";
import type { HistorySpan } from "./tiers.ts";

/** What of a span has elapsed, against its base. */
export interface Compared {
  /** What the base covers. */
  readonly spans: readonly HistorySpan[];
  readonly current: Figures;
  /** Whether `current` is of less than the span it is shown beside. */
  readonly isPart: boolean;
  readonly base: Figures;
  readonly change: Readonly<Record<Figure, Change>>;
}

export interface CurrencyComparison {
  /** `null` while nothing has elapsed. */
  readonly total: Compared | null;
  /** In the order of the buckets; `null` where nothing has elapsed, or the base's clock skipped the time. */
  readonly buckets: readonly (Compared | null)[];
  /** What has elapsed, and each base, as reports. */
  readonly current: Report;
  readonly bases: readonly Report[];
}

/** Reads all bases at once: what lies between several of them is one bucket more, and costs less than to ask again. */
export async function readBases(
  env: Env,
  { merchantId, currencies, spans }: BasesQuery,
  nowMs: number,
): Promise<BasesReading> {
  const { bases } = spans;
  const whole = wholeOf(bases);
  if (whole === undefined) return { boundsMs: [], currencies: new Map() };
  const ends = bases.flatMap(({ fromMs, toMs, buckets }) => [{ fromMs, toMs }, ...buckets.filter((b) => b !== null)]);
  const boundsMs = boundsOf(ends.flatMap(({ fromMs, toMs }) => [fromMs, toMs])).filter((ms) => ms < whole.toMs);
  const { currencies: read } = await readRange(env, { merchantId, currencies, boundsMs, ...whole }, nowMs);
  return { boundsMs, currencies: read };
}

export interface BasesQuery {
  readonly merchantId: string;
  readonly currencies: readonly string[];
  readonly spans: BaseSpans;
}

export interface BasesReading {
  readonly boundsMs: readonly number[];
  readonly currencies: RangeReading["currencies"];
}

/** From the first base's start to the last one's end; `undefined` of none. */
export function wholeOf(bases: readonly HistorySpan[]): HistorySpan | undefined {
  if (bases.length === 0) return undefined;
  return {
    fromMs: Math.min(...bases.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...bases.map(({ toMs }) => toMs)),
  };
}

/** What is shown, in the order of the buckets, and what it is made of, which has a bound at the end of what has elapsed. */
export interface Shown {
  readonly toMs: number;
  readonly buckets: readonly Bucket[];
  readonly total: Report;
  readonly inBuckets: readonly Report[];
  readonly reports: SpanReports;
}

export function compareCurrency({ elapsed, bases }: BaseSpans, shown: Shown, base: SpanReports): CurrencyComparison {
  const reportOf = (span: HistorySpan) => base.over(span).report;
  const isPart = elapsed.toMs < shown.toMs;
  const current = isPart ? shown.reports.over(elapsed).report : shown.total;
  const totals = bases.map(reportOf);
  return {
    current,
    bases: totals,
    total: bases.length === 0 ? null : compare(bases, current, isPart, totals),
    buckets: shown.buckets.map(({ startMs, endMs }, at) => {
      const parts = bases.flatMap((one) => one.buckets[at] ?? []);
      const whole = shown.inBuckets[at];
      if (parts.length === 0 || whole === undefined) return null;
      const isPart = elapsed.toMs < endMs;
      const report = isPart ? shown.reports.over({ fromMs: startMs, toMs: elapsed.toMs }).report : whole;
      return compare(parts, report, isPart, parts.map(reportOf));
    }),
  };
}

function compare(
  bases: readonly HistorySpan[],
  report: Report,
  isPart: boolean,
  baseReports: readonly Report[],
): Compared {
  const current = figuresOf(report);
  const base = meanFigures(baseReports);
  return {
    spans: bases.map(({ fromMs, toMs }) => ({ fromMs, toMs })),
    current,
    isPart,
    base,
    change: eachFigure((figure) => changeOf(current[figure], base[figure])),
  };
}
