import type { BaseSpans, Comparison } from "./base-spans.ts";
import { changeOf } from "./change.ts";
import type { Compared } from "./comparison.ts";
import { figuresOf } from "./figures.ts";
import type { Part } from "./group-by.ts";
import { bucketsOf, type CurrencySeries, type MetricsReading, statusIn } from "./metrics.ts";
import {
  nested,
  presentAmounts,
  presentCell,
  presentChange,
  presentFigures,
  presentReport,
  presentSpan,
  presentTime,
} from "./present.ts";
import type { BucketReport } from "./read-range.ts";
import { presentRefunds, presentUndated } from "./refunds/present-refunds.ts";

/** The answer to `GET /v1/merchants/{id}/metrics` as JSON (metrics-schema.ts describes it). */
export function presentMetrics(reading: MetricsReading) {
  const { zone, granularity, series, compare } = reading.parameters;
  return {
    merchant_id: reading.merchantId,
    ...presentSpan(series, zone),
    timezone: zone,
    granularity,
    as_of: presentTime(reading.asOfMs, zone),
    complete_through: presentTime(reading.completeThroughMs, zone),
    notices: reading.notices,
    ...(compare && reading.spans && { compare: presentSpans(compare, reading.spans, zone) }),
    ...(reading.refunds && { refunds: presentRefunds(reading.refunds, zone) }),
    series: reading.series.map((one) => presentSeries(reading, one)),
  };
}

function presentSpans(compare: Comparison, { elapsed, bases }: BaseSpans, zone: string) {
  return {
    with: compare,
    elapsed: presentSpan(elapsed, zone),
    bases: bases.map((base) => presentSpan(base, zone)),
  };
}

function presentSeries(reading: MetricsReading, series: CurrencySeries) {
  const { zone, groupBy, hasAmounts } = reading.parameters;
  const { currency, total, comparison, parts } = series;
  /** In a series by value, the other dimensions would be many times as long as what was asked for. */
  const present = ({ report }: BucketReport) =>
    groupBy === undefined ? presentReport(report) : presentFigures(figuresOf(report));
  return {
    currency,
    total: {
      status: statusIn(reading, reading.parameters.series.toMs),
      revision: total.revision,
      ...present(total),
      ...(hasAmounts && { amounts: presentAmounts(total.report) }),
      ...(comparison && { comparison: presentCompared(comparison.total, zone) }),
    },
    buckets: [...bucketsOf(reading, series)].map(({ bucket, reading: one, compared }) => ({
      start: presentTime(bucket.startMs, zone),
      end: presentTime(bucket.endMs, zone),
      label: bucket.label,
      status: statusIn(reading, bucket.endMs),
      revision: one.revision,
      ...present(one),
      ...(comparison && { comparison: presentCompared(compared, zone) }),
    })),
    ...(reading.refunds && { refunds_undated: presentUndated(reading.refunds, currency) }),
    ...(groupBy && parts && { groups: { dimension: groupBy, parts: parts.map(presentPart) } }),
  };
}

function presentCompared(compared: Compared | null, zone: string) {
  if (compared === null) return null;
  const { spans, current, isPart, base, change } = compared;
  return {
    bases: spans.map((span) => presentSpan(span, zone)),
    ...(isPart && { current: presentFigures(current) }),
    base: presentFigures(base),
    change: nested((figure) => presentChange(change[figure])),
  };
}

function presentPart({ part, value, total, buckets, compared }: Part) {
  return {
    part,
    value,
    total: presentCell(total),
    buckets: buckets.map(presentCell),
    ...(compared && {
      comparison: {
        current: presentCell(compared.current),
        base: presentCell(compared.base),
        change: {
          count: presentChange(changeOf(compared.current.count, compared.base.count)),
          amount: presentChange(changeOf(compared.current.amount, compared.base.amount)),
        },
      },
    }),
  };
}
