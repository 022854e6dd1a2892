import { HOUR_MS } from "../../shared/window.ts";
import { MERGED_COLUMNS, REPORT_COLUMNS } from "../merged-columns.ts";
import { CHECKED_ROLL_UPS, type CheckedRollUp, ROLL_UPS, type Tier, type TierSpans, UNIT_MS } from "./tiers.ts";

const START_OF = { days: "toStartOfDay", hours: "toStartOfHour" } as const satisfies Record<CheckedRollUp, string>;

/** Whose rows: no column more than what was asked for needs is read. */
export interface Whose {
  /** All of the merchant's, or those of `{currencies}`. */
  readonly ofCurrencies: boolean;
}

const ofMerchant = ({ ofCurrencies }: Whose) =>
  `merchant_id = {merchant:String}${ofCurrencies ? " AND currency IN {currencies:Array(String)}" : ""}`;

/**
 * Asks what the revisions of the windows come to that the roll-ups asked for stand for, in `{checked_from}` and `{checked_to}`, which are whole hours: `revisions`. Of before
 * `{kept_from}` the windows are gone. `ranges` is how many spans these are.
 */
export function revisionsSql(whose: Whose, ranges: number): string {
  return `
SELECT toString(sum(revision)) AS revisions
FROM windows FINAL
WHERE ${ofMerchant(whose)}
  AND window_start >= toDateTime({kept_from:UInt32}, 'UTC')
  AND ${ranges > RANGES_MAX ? `toStartOfHour(window_start) IN (SELECT ${startsIn("checked", HOUR_MS)})` : inRanges("checked", ranges, "window_start")}`;
}

/**
 * Asks which roll-ups, of the spans that are asked of them, cannot be taken: `tier` and `start`, in seconds. A roll-up's version has to be the sum of
 * the revisions of the windows it stands for. Each of those only grows, and a roll-up never has seen more than there is, so equal sums are
 * equal states. Of before `{kept_from}` the windows are gone, and their roll-ups are taken as they are. `undefined` when no roll-up is asked of.
 */
export function staleSql(whose: Whose, tiers: TierSpans): string | undefined {
  const asked = CHECKED_ROLL_UPS.filter((tier) => tiers[tier].length > 0);
  if (asked.length === 0) return undefined;
  return `
SELECT tier, toUInt32(start) AS start
FROM (
  ${asked.flatMap((tier) => [windowSums(whose, tiers, tier), rollUpVersions(whose, tiers, tier)]).join("\n  UNION ALL\n  ")}
)
GROUP BY tier, start
HAVING sum(of_windows) != sum(of_roll_up)`;
}

function windowSums(whose: Whose, tiers: TierSpans, tier: CheckedRollUp): string {
  return `SELECT '${tier}' AS tier, ${START_OF[tier]}(window_start) AS start, sum(revision) AS of_windows, 0 AS of_roll_up
  FROM windows FINAL
  WHERE ${ofMerchant(whose)}
    AND window_start >= toDateTime({kept_from:UInt32}, 'UTC')
    AND ${inSpans(tiers, tier, "window_start", `${START_OF[tier]}(window_start)`)}
  GROUP BY start`;
}

/** `r.tier`, since `tier` would be the name's constant, and rows of all tiers would be looked at. */
function rollUpVersions(whose: Whose, tiers: TierSpans, tier: CheckedRollUp): string {
  return `SELECT '${tier}' AS tier, start, 0 AS of_windows, version AS of_roll_up
  FROM roll_ups AS r FINAL
  WHERE ${ofMerchant(whose)} AND r.tier = '${tier}' AND start >= toDateTime({kept_from:UInt32}, 'UTC') AND ${inSpans(tiers, tier, "start")}`;
}

/**
 * One row a currency and bucket: the rows of all tiers in the spans that are asked of each, merged. `version` is the sum of those of the roll-ups among
 * them that can be compared with their windows: all from `{kept_from}` on. `mergedRow` reads what it selects, by position.
 */
export function reportsSql(whose: Whose, tiers: TierSpans): string {
  const { from, start, version } = sourceOf(whose, tiers);
  return `
SELECT
  currency,
  roundDown(toUInt32(w.${start}), {bounds:Array(UInt32)}) AS bucket,
  max(w.revision) AS revision,
  ${version} AS version,
  ${MERGED_COLUMNS}
${from}
GROUP BY currency, bucket
ORDER BY currency, bucket`;
}

const VERSION = "toString(sumIf(w.version, w.start >= toDateTime({kept_from:UInt32}, 'UTC')))";

/** Two tables only where both are asked: each subquery is planned by itself, column by column, for as long as it takes to read it. */
export function sourceOf(
  whose: Whose,
  tiers: TierSpans,
): { readonly from: string; readonly start: string; readonly version: string } {
  const ofRollUps = rollUpsAsked(tiers);
  const ofWindows = inSpans(tiers, "windows", "window_start");
  if (ofRollUps === undefined) {
    return {
      from: `FROM windows AS w FINAL\nWHERE ${ofMerchant(whose)} AND ${ofWindows}`,
      start: "window_start",
      version: "'0'",
    };
  }
  if (tiers.windows.length === 0) {
    return {
      from: `FROM roll_ups AS w FINAL\nWHERE ${ofMerchant(whose)} AND ${ofRollUps}`,
      start: "start",
      version: VERSION,
    };
  }
  const columns = `revision, ${REPORT_COLUMNS.join(", ")}`;
  const from = `FROM (
  SELECT currency, start, version, ${columns} FROM roll_ups FINAL
  WHERE ${ofMerchant(whose)} AND ${ofRollUps}
  UNION ALL
  SELECT currency, window_start AS start, 0 AS version, ${columns} FROM windows FINAL
  WHERE ${ofMerchant(whose)} AND ${ofWindows}
) AS w`;
  return { from, start: "start", version: VERSION };
}

/** Of `undefined` roll-ups none are asked for. */
function rollUpsAsked(tiers: TierSpans): string | undefined {
  const asked = ROLL_UPS.filter((tier) => tiers[tier].length > 0);
  if (asked.length === 0) return undefined;
  return `(${asked.map((tier) => `tier = '${tier}' AND ${inSpans(tiers, tier, "start")}`).join(" OR ")})`;
}

/** Up to so many spans are written out as ranges, which take less planning than a set. */
const RANGES_MAX = 4;

/**
 * In the spans that are asked of a tier, in a form that the tables' keys and partitions are searched by; `unit` is the start of the tier's row
 * that `column` falls in, unless that is one.
 */
function inSpans(tiers: TierSpans, tier: Tier, column: string, unit = column): string {
  const spans = tiers[tier].length;
  return spans > RANGES_MAX ? `${unit} IN (SELECT ${starts(tier)})` : inRanges(tier, spans, column);
}

/** In one of the ranges of two parameters of a name. */
function inRanges(name: string, count: number, column: string): string {
  const ranges = Array.from({ length: count }, (_, at) => {
    const [from, to] = [`{${name}_from:Array(UInt32)}[${at + 1}]`, `{${name}_to:Array(UInt32)}[${at + 1}]`];
    return `(${column} >= toDateTime(${from}, 'UTC') AND ${column} < toDateTime(${to}, 'UTC'))`;
  });
  return `(${ranges.join(" OR ")})`;
}

/** Of months, the days: rows of a month start on those that are its first. */
function starts(tier: Tier): string {
  return startsIn(tier, UNIT_MS[tier === "months" ? "days" : tier]);
}

/** Starts of units in the ranges of two parameters of a name; each is named once, since ClickHouse writes a parameter out where it stands. */
function startsIn(name: string, unitMs: number): string {
  const ranges = `arrayMap((from, to) -> range(from, to, ${unitMs / 1000}), {${name}_from:Array(UInt32)}, {${name}_to:Array(UInt32)})`;
  return `toDateTime(arrayJoin(arrayFlatten(${ranges})), 'UTC')`;
}
