import { DIMENSIONS, type Dimension } from "../../shared/breakdown.ts";
import { isCurrency } from "../../shared/iso-codes.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { DAY_MS, WINDOW_MS } from "../../shared/window.ts";
import { invalidParameter, type Problem } from "../http/problem.ts";
import type { Query } from "../http/query-string.ts";
import { COMPARISONS, type Comparison } from "./base-spans.ts";
import { type BucketRequest, type BucketSeries, type BucketsError, cutIntoBuckets } from "./calendar.ts";
import { GRANULARITIES, type Granularity } from "./calendar-unit.ts";
import { FORMAT_PARAMETERS } from "./format.ts";
import { parseInstant } from "./instant.ts";
import { REFUND_DATES, type RefundDate } from "./refunds/refund-date.ts";
import { parseZone } from "./zone.ts";

export { type Query, readQuery } from "../http/query-string.ts";

/** Five years by day are 1,827 buckets, a fortnight by window 2,016. */
export const BUCKETS_MAX = 2_200;
/** Currencies a request may name; a merchant with more of them reads them in several. */
export const CURRENCIES_MAX = 20;

export const METRICS_PARAMETERS = [
  ...["from", "to", "granularity", "tz", "currency", "group_by", "compare", "refunds_by", "amounts"],
  ...FORMAT_PARAMETERS,
] as const;
export const REPORT_PARAMETERS = ["at", "tz", "currency", ...FORMAT_PARAMETERS] as const;

export interface MetricsParameters {
  readonly zone: string;
  readonly granularity: Granularity;
  readonly currencies: readonly string[];
  readonly series: BucketSeries;
  /** The dimension that the series is asked for by value, too. */
  readonly groupBy: Dimension | undefined;
  readonly compare: Comparison | undefined;
  /** By what refunds are dated. */
  readonly refundsBy: RefundDate;
  /** Whether the totals are asked for with how large payments are. */
  readonly hasAmounts: boolean;
}

/** `from` and `to` default to today so far, `granularity` to what gives a readable number of buckets. */
export function parseMetrics(query: Query, homeZone: string, nowMs: number): Result<MetricsParameters, Problem> {
  const zone = parseZoneParameter(query.tz, homeZone);
  if (!zone.ok) return zone;
  const from = parseMoment("from", query.from ?? "today", zone.value, nowMs);
  if (!from.ok) return from;
  const to = parseMoment("to", query.to ?? "now", zone.value, nowMs);
  if (!to.ok) return to;
  const currencies = parseCurrencies(query);
  if (!currencies.ok) return currencies;
  const granularity = parseGranularity(query.granularity, to.value - from.value);
  if (!granularity.ok) return granularity;
  const groupBy = parseOneOf(query, "group_by", DIMENSIONS);
  if (!groupBy.ok) return groupBy;
  const compare = parseOneOf(query, "compare", COMPARISONS);
  if (!compare.ok) return compare;
  const refundsBy = parseOneOf(query, "refunds_by", REFUND_DATES);
  if (!refundsBy.ok) return refundsBy;
  const amounts = parseOneOf(query, "amounts", ["true", "false"]);
  if (!amounts.ok) return amounts;
  const ends = endOfSpan(from.value, to.value, query.to);
  if (!ends.ok) return ends;
  const range = { fromMs: from.value, toMs: to.value, zone: zone.value };
  const series = cutSeries({ ...range, granularity: granularity.value });
  if (!series.ok) return series;
  return ok({
    zone: zone.value,
    granularity: granularity.value,
    currencies: currencies.value,
    series: series.value,
    groupBy: groupBy.value,
    compare: compare.value,
    refundsBy: refundsBy.value ?? "refund",
    hasAmounts: amounts.value === "true",
  });
}

export interface ReportParameters {
  readonly zone: string;
  readonly currencies: readonly string[];
  /** A moment in the window, `undefined` for the latest closed one. */
  readonly atMs: number | undefined;
}

export function parseReport(query: Query, homeZone: string, nowMs: number): Result<ReportParameters, Problem> {
  const zone = parseZoneParameter(query.tz, homeZone);
  if (!zone.ok) return zone;
  const currencies = parseCurrencies(query);
  if (!currencies.ok) return currencies;
  if (query.at === undefined) return ok({ zone: zone.value, currencies: currencies.value, atMs: undefined });
  const at = parseMoment("at", query.at, zone.value, nowMs);
  return at.ok ? ok({ zone: zone.value, currencies: currencies.value, atMs: at.value }) : at;
}

export function parseZoneParameter(tz: string | undefined, homeZone: string): Result<string, Problem> {
  const zone = parseZone(tz ?? homeZone);
  return zone.ok ? zone : err(invalidParameter("tz", "unknown_zone", zone.error.hint));
}

export function parseMoment(name: string, text: string, zone: string, nowMs: number): Result<number, Problem> {
  const moment = parseInstant(text, zone, nowMs);
  return moment.ok ? moment : err(invalidParameter(name, "invalid_time", moment.error.hint));
}

export function parseCurrencies(query: Query): Result<readonly string[], Problem> {
  if (query.currency === undefined) return ok([]);
  const codes = [...new Set(query.currency.toUpperCase().split(","))];
  if (codes.length > CURRENCIES_MAX || !codes.every(isCurrency)) {
    return err(
      invalidParameter(
        "currency",
        "invalid_currency",
        `Up to ${CURRENCIES_MAX} ISO 4217 codes, such as JPY or JPY,USD.`,
      ),
    );
  }
  return ok(codes);
}

/** `invalid_<name>` unless it is one of them, or left out. */
function parseOneOf<T extends string>(
  query: Query,
  name: string,
  values: readonly T[],
): Result<T | undefined, Problem> {
  const text = query[name];
  const value = values.find((known) => known === text);
  if (text === undefined || value !== undefined) return ok(value);
  return err(invalidParameter(name, `invalid_${name}`, `One of ${values.join(", ")}.`));
}

const emptyRange = invalidParameter("to", "empty_range", "to must be later than from.");
const notBegun = invalidParameter(
  "from",
  "empty_range",
  "from must be before now, where a span ends unless to is given.",
);

/** That a span has something in it; `to` is as it was given. */
export function endOfSpan(fromMs: number, toMs: number, to: string | undefined): Result<number, Problem> {
  if (fromMs < toMs) return ok(toMs);
  return err(to === undefined || to === "now" ? notBegun : emptyRange);
}

/** A span in buckets, no more of them than an answer has. */
export function cutSeries(request: Omit<BucketRequest, "bucketsMax">): Result<BucketSeries, Problem> {
  const series = cutIntoBuckets({ ...request, bucketsMax: BUCKETS_MAX });
  return series.ok ? series : err(rangeProblem(series.error));
}

export function parseGranularity(text: string | undefined, spanMs: number): Result<Granularity, Problem> {
  if (text === undefined) return ok(spanMs <= 2 * DAY_MS ? "1h" : spanMs <= 400 * DAY_MS ? "1d" : "1mo");
  const granularity = GRANULARITIES.find((known) => known === text);
  if (granularity !== undefined) return ok(granularity);
  return err(invalidParameter("granularity", "invalid_granularity", `One of ${GRANULARITIES.join(", ")}.`));
}

function rangeProblem(error: BucketsError): Problem {
  if (error.reason === "empty_range") return emptyRange;
  const finer = error.finest === null ? "Ask for a shorter range." : `granularity=${error.finest} or coarser fits.`;
  const detail = `${error.count} buckets of ${error.granularity}; an answer has ${error.bucketsMax} at most. ${finer}`;
  return invalidParameter("granularity", "too_many_buckets", detail);
}

/** The first moment of the window before which everything that was on time is counted. */
export function latestClosedWindow(completeThroughMs: number): number {
  return completeThroughMs - WINDOW_MS;
}
