import type { Dimension } from "../../shared/breakdown.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { completeThrough, WINDOW_MS, windowStatus } from "../../shared/window.ts";
import { invalidParameter, type Problem } from "../http/problem.ts";
import { type BaseSpans, baseSpans } from "./base-spans.ts";
import type { Bucket } from "./calendar.ts";
import { type BasesReading, type CurrencyComparison, compareCurrency, readBases, wholeOf } from "./comparison.ts";
import type { Env } from "./env.ts";
import { GROUP_CELLS_MAX, type Part, partsOf } from "./group-by.ts";
import { HistoryUnavailable } from "./history.ts";
import { ShardUnavailable } from "./hot-windows.ts";
import { countLateWindows, type MerchantHome } from "./merchant.ts";
import { type Notice, noticesOf, noticesOfBase } from "./notices.ts";
import type { MetricsParameters } from "./parameters.ts";
import { type BucketReport, type Completeness, type RangeReading, readRange } from "./read-range.ts";
import { withSaleRefunds } from "./refunds/date-refunds.ts";
import { isUnread, type MetricsRefunds, readMetricsRefunds } from "./refunds/metrics-refunds.ts";
import { noticesOfRefunds } from "./refunds/notices.ts";
import { historyFrom } from "./retention.ts";
import { boundsOf, SpanReports, withBreakdown } from "./span-reports.ts";
import type { HistorySpan } from "./tiers.ts";

/** What `GET /v1/merchants/{id}/metrics` asks for, before it is shown in a form. */
export interface MetricsReading extends Completeness {
  readonly merchantId: string;
  readonly parameters: MetricsParameters;
  readonly notices: readonly Notice[];
  /** What is compared with what, if anything was to be. */
  readonly spans: BaseSpans | undefined;
  readonly series: readonly CurrencySeries[];
  /** Where refunds are dated by their sales. */
  readonly refunds: MetricsRefunds | undefined;
}

export interface CurrencySeries {
  readonly currency: string;
  readonly total: BucketReport;
  /** In the order of the buckets, empty ones included. */
  readonly buckets: readonly BucketReport[];
  readonly comparison: CurrencyComparison | undefined;
  /** Of the dimension that was asked for. */
  readonly parts: readonly Part[] | undefined;
}

export interface Asked {
  readonly nowMs: number;
  /** Fires when whoever asked has left: then the archive is not searched any more. */
  readonly signal: AbortSignal;
}

/** By currency a series of reports and their total, beside their base and in their parts where that is asked for. */
export async function readMetrics(
  env: Env,
  merchantId: string,
  home: MerchantHome,
  parameters: MetricsParameters,
  { nowMs, signal }: Asked,
): Promise<Result<MetricsReading, Problem>> {
  const { currencies, series, groupBy } = parameters;
  const { buckets, fromMs, toMs } = series;
  const spans = spansOf(parameters, nowMs);
  const whole = spans && wholeOf(spans.bases);
  if (whole !== undefined && whole.fromMs < 0) return err(beforeTime);
  const refundsRead = await readMetricsRefunds(env, { merchantId, parameters, spans, signal }, nowMs);
  if (!refundsRead.ok) return refundsRead;
  const refunds = refundsRead.value;
  const boundsMs = boundsOf([
    ...buckets.map(({ startMs }) => startMs),
    ...(spans && spans.elapsed.toMs < toMs ? [spans.elapsed.toMs] : []),
  ]);
  const [reading, base, lateWindows, lateBaseWindows] = await Promise.all([
    readRange(env, { merchantId, fromMs, toMs, boundsMs, currencies, takesPartial: true }, nowMs),
    spans && readBases(env, { merchantId, currencies, spans }, nowMs).catch(unlessAway),
    countLateWindows(env.DIRECTORY, merchantId, [{ fromMs, toMs: refunds?.made.toMs ?? toMs }]),
    whole === undefined ? 0 : countLateWindows(env.DIRECTORY, merchantId, [whole]),
  ]);
  const isLateUnknown = lateWindows === undefined || lateBaseWindows === undefined;
  const counted = leastComplete(reading, refunds?.completeness);
  // What is not all there is not compared.
  const isComparable = !(counted.isPartial || counted.isRebuilding);
  const isBaseAway = spans !== undefined && base === undefined && isComparable;
  const startsBefore = whole !== undefined && whole.fromMs < historyFrom(nowMs);
  const read = withRefunds(refunds, series, {
    ...{ boundsMs, currencies: reading.currencies, spans },
    base: isComparable ? base : undefined,
  });
  const found = [read.currencies, base?.currencies, refunds?.leftOut].flatMap((by) => [...(by?.keys() ?? [])]);
  const all = shownCurrencies(currencies, [...new Set(found)], home).map((currency) =>
    seriesOf(currency, parameters, read),
  );
  const cells = all.reduce((sum, { parts }) => sum + (parts?.length ?? 0) * buckets.length, 0);
  if (groupBy !== undefined && cells > GROUP_CELLS_MAX) return err(tooManyCells(groupBy, cells));
  return ok({
    merchantId,
    parameters,
    ...counted,
    // What is counted and not in the archive yet is there soon, and nothing would tell of it.
    isPartial: !isComparable || isBaseAway || isLateUnknown || (refunds !== undefined && isUnread(refunds)),
    notices: [
      ...noticesOf({
        exact: series.exact,
        lateWindows: isLateUnknown ? undefined : lateWindows,
        isPartial: counted.isPartial,
        isRebuilding: counted.isRebuilding,
        startsBefore: fromMs < historyFrom(nowMs),
      }),
      ...noticesOfBase({ isAway: isBaseAway, startsBefore, lateBaseWindows }),
      ...noticesOfRefunds(refunds, parameters.zone),
    ],
    spans,
    series: all,
    refunds,
  });
}

function leastComplete(one: Completeness, other: Completeness = one): Completeness {
  return {
    asOfMs: Math.min(one.asOfMs, other.asOfMs),
    completeThroughMs: Math.min(one.completeThroughMs, other.completeThroughMs),
    isPartial: one.isPartial || other.isPartial,
    isRebuilding: one.isRebuilding || other.isRebuilding,
  };
}

/** Numbers of today are shown without what they are compared with, rather than not at all. */
function unlessAway(error: unknown): undefined {
  if (!(error instanceof HistoryUnavailable || error instanceof ShardUnavailable)) throw error;
}

function spansOf({ compare, series, granularity, zone }: MetricsParameters, nowMs: number): BaseSpans | undefined {
  if (compare === undefined) return undefined;
  return baseSpans({ comparison: compare, series, granularity, zone, elapsedMs: completeThrough(nowMs) });
}

interface Read {
  readonly boundsMs: readonly number[];
  readonly currencies: RangeReading["currencies"];
  readonly spans: BaseSpans | undefined;
  readonly base: BasesReading | undefined;
}

/** With the refunds of their sales, in what is shown and in its base, where refunds are dated so. */
function withRefunds(refunds: MetricsRefunds | undefined, shown: HistorySpan, read: Read): Read {
  if (refunds === undefined) return read;
  const { boundsMs, currencies, spans, base } = read;
  const { dated } = refunds;
  const whole = wholeOf(spans?.bases ?? []);
  return {
    ...read,
    currencies: withSaleRefunds(currencies, boundsMs, shown, dated),
    base: base && whole ? { ...base, currencies: withSaleRefunds(base.currencies, base.boundsMs, whole, dated) } : base,
  };
}

function seriesOf(
  currency: string,
  { series, groupBy }: MetricsParameters,
  { boundsMs, currencies, spans, base }: Read,
): CurrencySeries {
  const reports = new SpanReports(boundsMs, currencies.get(currency));
  const buckets = series.buckets.map(({ startMs, endMs }) => reports.over({ fromMs: startMs, toMs: endMs }));
  const total = reports.over(series);
  const inBuckets = buckets.map(({ report }) => report);
  const shown = { toMs: series.toMs, buckets: series.buckets, total: total.report, inBuckets, reports };
  const comparison =
    spans &&
    base &&
    compareCurrency(
      spans,
      shown,
      new SpanReports(base.boundsMs, withBreakdown(base.currencies.get(currency), groupBy)),
    );
  const parts = groupBy && partsOf(groupBy, { total: total.report, buckets: inBuckets, compared: comparison ?? null });
  return { currency, total, buckets, comparison, parts };
}

/** A span is as finished as its last window, which is its least finished one. */
export function statusOf(endMs: number, asOfMs: number) {
  return windowStatus(endMs - WINDOW_MS, asOfMs);
}

/** With the refunds of its sales a span is never final: another may come. */
export function statusIn({ asOfMs, parameters }: MetricsReading, endMs: number) {
  const status = statusOf(endMs, asOfMs);
  return status === "final" && parameters.refundsBy === "sale" ? "provisional" : status;
}

/** What was asked for, else what there is, else the merchant's own: somebody who sold nothing still sees a row of zeros. */
export function shownCurrencies(
  asked: readonly string[],
  found: readonly string[],
  home: MerchantHome,
): readonly string[] {
  if (asked.length > 0) return asked;
  if (found.length > 0) return [...found].sort();
  return home.currency === undefined ? [] : [home.currency];
}

/** A bucket, what is in it and what it is compared with, in the order of time. */
export function* bucketsOf({ parameters }: MetricsReading, { buckets, comparison }: CurrencySeries) {
  for (const [at, bucket] of parameters.series.buckets.entries()) {
    const reading = buckets[at];
    if (reading !== undefined) yield { at, bucket, reading, compared: comparison?.buckets[at] ?? null } satisfies Row;
  }
}

interface Row {
  readonly at: number;
  readonly bucket: Bucket;
  readonly reading: BucketReport;
  readonly compared: CurrencyComparison["total"];
}

const beforeTime = invalidParameter(
  "compare",
  "invalid_compare",
  "The base would begin before 1970: ask for a later span.",
);

function tooManyCells(dimension: Dimension, cells: number): Problem {
  const detail = `${cells} values by bucket of ${dimension}; an answer has ${GROUP_CELLS_MAX} at most. Ask for a coarser granularity, a shorter range, or one currency.`;
  return invalidParameter("group_by", "too_many_groups", detail);
}
