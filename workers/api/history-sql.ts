import { MAP_COLUMNS, MERGED_COLUMNS, REPORT_COLUMNS } from "../merged-columns.ts";
import type { Tier } from "./tiers.ts";

/** Rows of a tier, and of how many seconds each of them is. */
const TABLES = {
  days: { start: "start", seconds: 86_400 },
  hours: { start: "start", seconds: 3_600 },
  windows: { start: "window_start", seconds: 600 },
} as const satisfies Record<Tier, { readonly start: string; readonly seconds: number }>;

const OF_MERCHANT = `merchant_id = {merchant:String}
    AND (empty({currencies:Array(String)}) OR currency IN {currencies:Array(String)})`;

/**
 * One row a currency and bucket, made of days where there are whole days, of whole hours, and of windows: `coarsest` says what is asked
 * of it. The query makes sure of every roll-up it uses: its version must be the sum of the revisions of the windows it stands for. Each of them only
 * grows, and a roll-up never has seen more than there is, so equal sums are equal states. Where they differ (not yet computed,
 * overtaken by a correction) the next finer tier is read instead. Roll-ups from before `kept_from`, whose windows are gone, are taken as they are.
 *
 * What is asked and what is stale are arrays of starts, constant when the query is planned, so that each table is read by its key.
 */
export function historySql(coarsest: Tier): string {
  const steps: string[] = [];
  const parts: string[] = [];
  if (coarsest === "days") {
    steps.push(`${asked("days")} AS wanted_days`, `${stale("days")} AS stale_days`);
    parts.push(rows("days", "wanted_days", "stale_days"));
  }
  if (coarsest !== "windows") {
    const finer =
      coarsest === "days" ? `arrayConcat(${asked("hours")}, ${pieces("stale_days", "days", "hours")})` : asked("hours");
    steps.push(`${finer} AS wanted_hours`, `${stale("hours")} AS stale_hours`);
    parts.push(rows("hours", "wanted_hours", "stale_hours"));
  }
  const finest =
    coarsest === "windows"
      ? asked("windows")
      : `arrayConcat(${asked("windows")}, ${pieces("stale_hours", "hours", "windows")})`;
  steps.push(`${finest} AS wanted_windows`);
  parts.push(rows("windows", "wanted_windows"));
  return `
WITH
  ${steps.join(",\n  ")}
SELECT
  currency,
  roundDown(toUInt32(w.start), {bounds:Array(UInt32)}) AS bucket,
  max(w.revision) AS revision,
  ${MERGED_COLUMNS},
  ${MAP_COLUMNS}
FROM (
  ${parts.join("\n  UNION ALL\n  ")}
) AS w
GROUP BY currency, bucket
ORDER BY currency, bucket`;
}

/** Starts of a tier's rows in the spans that are asked of it. */
function asked(tier: Tier): string {
  const starts = `range(from, to, ${TABLES[tier].seconds})`;
  return dateTimes(`arrayMap((from, to) -> ${starts}, {${tier}_from:Array(UInt32)}, {${tier}_to:Array(UInt32)})`);
}

/** Starts of the finer rows that make up coarser ones. */
function pieces(starts: string, coarse: Tier, fine: Tier): string {
  const of = `range(toUInt32(start), toUInt32(start) + ${TABLES[coarse].seconds}, ${TABLES[fine].seconds})`;
  return dateTimes(`arrayMap(start -> ${of}, ${starts})`);
}

function dateTimes(ranges: string): string {
  return `arrayMap(second -> toDateTime(second, 'UTC'), arrayFlatten(${ranges}))`;
}

/** Starts, among those that are wanted, of which roll-up and windows differ. By day the windows are found, whatever the tier: few to look for. */
function stale(tier: "days" | "hours"): string {
  const unit = tier === "days" ? "toStartOfDay" : "toStartOfHour";
  return `(
    SELECT groupArray(start) FROM (
      SELECT start FROM (
        SELECT ${unit}(window_start) AS start, sum(revision) AS of_windows, 0 AS of_rows
        FROM windows FINAL
        WHERE ${OF_MERCHANT}
          AND toStartOfDay(window_start) IN (SELECT toStartOfDay(arrayJoin(wanted_${tier})))
          AND window_start >= toDateTime({kept_from:UInt32}, 'UTC')
        GROUP BY start
        UNION ALL
        SELECT start, 0 AS of_windows, version AS of_rows
        FROM ${tier} FINAL
        WHERE ${OF_MERCHANT} AND start IN (SELECT arrayJoin(wanted_${tier})) AND start >= toDateTime({kept_from:UInt32}, 'UTC')
      )
      GROUP BY start
      HAVING sum(of_windows) != sum(of_rows)
    ) WHERE start IN (SELECT arrayJoin(wanted_${tier}))
  )`;
}

function rows(tier: Tier, wanted: string, except?: string): string {
  const { start } = TABLES[tier];
  const fresh = except === undefined ? "" : ` AND ${start} NOT IN (SELECT arrayJoin(${except}))`;
  return `SELECT currency, ${start} AS start, revision, ${REPORT_COLUMNS.join(", ")}
  FROM ${tier} FINAL
  WHERE ${OF_MERCHANT} AND ${start} IN (SELECT arrayJoin(${wanted}))${fresh}`;
}
