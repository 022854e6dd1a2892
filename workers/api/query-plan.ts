import { EMPTY_REPORT, type Report } from "../../shared/report.ts";
import { HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import type { MergedColumn } from "../merged-columns.ts";
import type { Figure } from "./figure-names.ts";
import type { QueryParameters } from "./query-parameters.ts";
import { bucketOf } from "./read-range.ts";
import { boundsOf } from "./span-reports.ts";
import type { HistorySpan } from "./tiers.ts";
import { offsetAt, type Stretch, stretches } from "./zone.ts";

/** What windows are merged by, beside their currency; what is not asked for is 0. */
export interface GroupKey {
  readonly currency: string;
  /** Start of the bucket of time. */
  readonly bucketMs: number;
  /** 1 is Monday, as ISO 8601 has it. */
  readonly weekday: number;
  /** 0 to 23. */
  readonly hour: number;
}

/** How a query is asked of windows, wherever they are. */
export interface QueryPlan extends HistorySpan {
  readonly merchantId: string;
  /** Empty for all. */
  readonly currencies: readonly string[];
  /** The columns that the metrics are made of. */
  readonly columns: readonly MergedColumn[];
  /** Starts of the buckets of time, if rows have one. */
  readonly bucketsMs: readonly number[] | undefined;
  readonly byWeekday: boolean;
  readonly byHour: boolean;
  readonly zone: string;
  /** The zone's clock in the span, where rows have a weekday or hour: the local time of a window is that at its middle. */
  readonly clock: readonly Stretch[];
  /** What no row of history may reach over. */
  readonly barsMs: readonly number[];
  /** The coarsest rows of history that hold one hour of the zone's clock each, where rows have an hour. */
  readonly coarsest: "hours" | "windows" | undefined;
}

/** Where windows do not begin with the zone's days and hours, they are whose middle they hold, as in every other answer (calendar.ts). */
export const HALF_WINDOW_MS = WINDOW_MS / 2;

const COLUMNS_OF: Readonly<Record<Figure, readonly MergedColumn[]>> = {
  "payments.count": ["payments_count"],
  "payments.amount": ["payments_amount"],
  "refunds.count": ["refunds_count"],
  "refunds.amount": ["refunds_amount"],
  net: ["payments_amount", "refunds_amount"],
  average: ["payments_count", "payments_amount"],
  min: ["payments_count", "amount_min"],
  max: ["payments_count", "amount_max"],
  p50: ["payments_count", "amount_min", "amount_max", "amounts"],
  p90: ["payments_count", "amount_min", "amount_max", "amounts"],
  p99: ["payments_count", "amount_min", "amount_max", "amounts"],
  "points.used": ["points_used"],
  "points.earned": ["points_earned"],
  customers: ["customers"],
};

export function planQuery(merchantId: string, parameters: QueryParameters): QueryPlan {
  const { fromMs, toMs, zone, dimensions, buckets, days, breakdown, metrics, currencies } = parameters;
  const byHour = dimensions.has("hour");
  const byWeekday = dimensions.has("weekday");
  const clock = byHour || byWeekday ? stretches(zone, fromMs, toMs) : [];
  // The first stretch begins where the span does.
  const hasWholeHours = clock.every(
    ({ startMs, offsetMs }, at) => offsetMs % HOUR_MS === 0 && (at === 0 || startMs % HOUR_MS === 0),
  );
  const bucketsMs = buckets?.map(({ startMs }) => startMs);
  const byValue: MergedColumn[] = breakdown ? ["payments_count", "payments_amount", `by_${breakdown.dimension}`] : [];
  return {
    merchantId,
    fromMs,
    toMs,
    currencies,
    columns: [...new Set([...metrics.flatMap((metric) => COLUMNS_OF[metric]), ...byValue])],
    bucketsMs,
    byWeekday,
    byHour,
    zone,
    clock,
    barsMs: boundsOf([fromMs, ...(bucketsMs ?? []), ...(days ?? []).map(({ startMs }) => startMs)]),
    coarsest: byHour ? (hasWholeHours ? "hours" : "windows") : undefined,
  };
}

/** The group of a window: the same as SQL finds for it. */
export function groupOf(
  { bucketsMs, byWeekday, byHour, zone }: QueryPlan,
  currency: string,
  startMs: number,
): GroupKey {
  const middleMs = startMs + HALF_WINDOW_MS;
  const local = new Date(byWeekday || byHour ? middleMs + offsetAt(zone, middleMs) : 0);
  return {
    currency,
    bucketMs: bucketsMs === undefined ? 0 : bucketOf(bucketsMs, startMs),
    weekday: byWeekday ? local.getUTCDay() || 7 : 0,
    hour: byHour ? local.getUTCHours() : 0,
  };
}

/** What of a report is in some columns, all else being nothing: as history answers of them. */
export function onlyColumns(report: Report, columns: readonly MergedColumn[]): Report {
  const breakdowns = { ...EMPTY_REPORT.breakdowns };
  const parts: { -readonly [Part in keyof Report]?: unknown } = {};
  for (const column of columns) {
    if (column.startsWith("by_")) {
      const dimension = column.slice("by_".length) as keyof Report["breakdowns"];
      breakdowns[dimension] = report.breakdowns[dimension];
    } else parts[column as keyof Report] = report[column as keyof Report];
  }
  return { ...EMPTY_REPORT, ...(parts as Partial<Report>), breakdowns };
}
