import { mergedColumns } from "../merged-columns.ts";
import { boundsWithin, type HistoryRange } from "./history.ts";
import { sourceOf } from "./history-sql.ts";
import { HALF_WINDOW_MS, type QueryPlan } from "./query-plan.ts";
import type { TierSpans } from "./tiers.ts";

/**
 * One row a group, of the rows that `tiers` ask for: currency, bucket, weekday, hour, revision, then the plan's columns. Nothing of the caller's stands in
 * it: what is named comes from closed lists, all else is bound. The zone's clock is bound, too: ClickHouse's own may know a change that ours does not.
 */
export function querySql(plan: QueryPlan, tiers: TierSpans): string {
  const { from, start } = sourceOf({ ofCurrencies: plan.currencies.length > 0 }, tiers);
  const groups = ["currency", ...keysOf(plan)];
  return `
SELECT
  currency,
  ${plan.bucketsMs === undefined ? "0" : `roundDown(toUInt32(w.${start}), {buckets:Array(UInt32)})`} AS bucket,
  ${plan.byWeekday ? `(intDiv(${localTime(start)}, 86400) + 3) % 7 + 1` : "0"} AS weekday,
  ${plan.byHour ? `intDiv(${localTime(start)} % 86400, 3600)` : "0"} AS hour,
  max(w.revision) AS latest,
  ${mergedColumns(plan.columns)}
${from}
GROUP BY ${groups.join(", ")}`;
}

function keysOf({ bucketsMs, byWeekday, byHour }: QueryPlan): string[] {
  return [
    ...(bucketsMs === undefined ? [] : ["bucket"]),
    ...(byWeekday ? ["weekday"] : []),
    ...(byHour ? ["hour"] : []),
  ];
}

/** Seconds of the zone's clock at the middle of the window that a row begins with. 1970-01-01 was a Thursday. */
function localTime(start: string): string {
  const middle = `toUInt32(toUInt32(w.${start}) + ${HALF_WINDOW_MS / 1000})`;
  const since = `roundDown(${middle}, {clock_from:Array(UInt32)})`;
  return `(${middle} + transform(${since}, {clock_from:Array(UInt32)}, {clock_offset:Array(Int32)}, toInt32(0)))`;
}

/** What `querySql` binds beside the merchant and the spans. */
export function queryClock({ bucketsMs, clock }: QueryPlan, range: HistoryRange): Record<string, unknown> {
  return {
    ...(bucketsMs && { buckets: boundsWithin(range, bucketsMs) }),
    ...(clock.length > 0 && {
      clock_from: clock.map(({ startMs }) => Math.floor(startMs / 1000)),
      clock_offset: clock.map(({ offsetMs }) => Math.floor(offsetMs / 1000)),
    }),
  };
}
