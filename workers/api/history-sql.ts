import { MAP_COLUMNS, MERGED_COLUMNS, REPORT_COLUMNS } from "../merged-columns.ts";
import { type RollUpTier, TIERS, type Tier, type TierSpans, UNIT_MS } from "./tiers.ts";

const ROLL_UPS = ["days", "hours"] as const satisfies readonly RollUpTier[];
const START_OF = { days: "toStartOfDay", hours: "toStartOfHour" } as const satisfies Record<RollUpTier, string>;

const OF_MERCHANT = `merchant_id = {merchant:String}
    AND (empty({currencies:Array(String)}) OR currency IN {currencies:Array(String)})`;

/**
 * Asks which roll-ups, of the spans that are asked of them, cannot be taken: `tier` and `start`, in seconds. A roll-up's version has to be the sum of
 * the revisions of the windows it stands for. Each of those only grows, and a roll-up never has seen more than there is, so equal sums are
 * equal states. Of before `{kept_from}` the windows are gone, and their roll-ups are taken as they are. `undefined` when no roll-up is asked of.
 */
export function staleSql(tiers: TierSpans): string | undefined {
  const asked = ROLL_UPS.filter((tier) => tiers[tier].length > 0);
  if (asked.length === 0) return undefined;
  return `
SELECT tier, toUInt32(start) AS start
FROM (
  ${asked.flatMap((tier) => [windowSums(tiers, tier), rollUpVersions(tiers, tier)]).join("\n  UNION ALL\n  ")}
)
GROUP BY tier, start
HAVING sum(of_windows) != sum(of_roll_up)`;
}

function windowSums(tiers: TierSpans, tier: RollUpTier): string {
  return `SELECT '${tier}' AS tier, ${START_OF[tier]}(window_start) AS start, sum(revision) AS of_windows, 0 AS of_roll_up
  FROM windows FINAL
  WHERE ${OF_MERCHANT}
    AND window_start >= toDateTime({kept_from:UInt32}, 'UTC')
    AND ${inSpans(tiers, tier, "window_start", `${START_OF[tier]}(window_start)`)}
  GROUP BY start`;
}

function rollUpVersions(tiers: TierSpans, tier: RollUpTier): string {
  return `SELECT '${tier}' AS tier, start, 0 AS of_windows, version AS of_roll_up
  FROM ${tier} FINAL
  WHERE ${OF_MERCHANT} AND start >= toDateTime({kept_from:UInt32}, 'UTC') AND ${inSpans(tiers, tier, "start")}`;
}

/** One row a currency and bucket: the rows of all tiers in the spans that are asked of each, merged. */
export function reportsSql(tiers: TierSpans): string {
  const asked = TIERS.filter((tier) => tiers[tier].length > 0);
  return `
SELECT
  currency,
  roundDown(toUInt32(w.start), {bounds:Array(UInt32)}) AS bucket,
  max(w.revision) AS revision,
  ${MERGED_COLUMNS},
  ${MAP_COLUMNS}
FROM (
  ${asked.map((tier) => rows(tiers, tier)).join("\n  UNION ALL\n  ")}
) AS w
GROUP BY currency, bucket
ORDER BY currency, bucket`;
}

function rows(tiers: TierSpans, tier: Tier): string {
  const start = tier === "windows" ? "window_start" : "start";
  return `SELECT currency, ${start} AS start, revision, ${REPORT_COLUMNS.join(", ")}
  FROM ${tier} FINAL
  WHERE ${OF_MERCHANT} AND ${inSpans(tiers, tier, start)}`;
}

/** Up to so many spans are written out as ranges, which take less planning than a set. */
const RANGES_MAX = 4;

/**
 * In the spans that are asked of a tier, in a form that the tables' keys and partitions are searched by; `unit` is the start of the tier's row
 * that `column` falls in, unless that is one.
 */
function inSpans(tiers: TierSpans, tier: Tier, column: string, unit = column): string {
  const spans = tiers[tier].length;
  if (spans > RANGES_MAX) return `${unit} IN (SELECT ${starts(tier)})`;
  const ranges = Array.from({ length: spans }, (_, at) => {
    const [from, to] = [`{${tier}_from:Array(UInt32)}[${at + 1}]`, `{${tier}_to:Array(UInt32)}[${at + 1}]`];
    return `(${column} >= toDateTime(${from}, 'UTC') AND ${column} < toDateTime(${to}, 'UTC'))`;
  });
  return `(${ranges.join(" OR ")})`;
}

function starts(tier: Tier): string {
  const ranges = `arrayMap((from, to) -> range(from, to, ${UNIT_MS[tier] / 1000}), {${tier}_from:Array(UInt32)}, {${tier}_to:Array(UInt32)})`;
  return `toDateTime(arrayJoin(arrayFlatten(${ranges})), 'UTC')`;
}
