import { CANONICAL_COLUMNS, MERGED_COLUMNS, REPORT_COLUMNS } from "../merged-columns.ts";

/** What a pass has left: days that have become final, and changes of those that were. Parameters as `passParameters` gives them. */
const LEFT = `changed_at <= fromUnixTimestamp64Milli({goal_changed:Int64})
    AND day < toDate({goal_final:UInt32}, 'UTC')
    AND (day >= toDate({done_final:UInt32}, 'UTC') OR changed_at > fromUnixTimestamp64Milli({done_changed:Int64}))
    AND merchant_id >= {after_merchant:String} AND (merchant_id, day) > ({after_merchant:String}, {after_day:Date})`;

/** The next of them, at most `{batch}`: how many, and the last. */
export const NEXT_BATCH = `
SELECT count() AS days, max((merchant_id, day)).1 AS last_merchant, toString(max((merchant_id, day)).2) AS last_day FROM (
  SELECT DISTINCT merchant_id, day FROM changed_days
  WHERE ${LEFT}
  ORDER BY merchant_id, day
  LIMIT {batch:UInt32}
)`;

/**
 * What each roll-up is merged from: rows of which each says of which state it is. Each is computed for whole units, of which a changed day may be
 * a part. Hours come first, months last.
 */
const SOURCES = {
  hours: { from: "windows", start: "window_start", version: "revision", unit: "toStartOfHour", changed: "toDate" },
  days: { from: "hours", start: "start", version: "version", unit: "toStartOfDay", changed: "toDate" },
  months: { from: "days", start: "start", version: "version", unit: "toStartOfMonth", changed: "toStartOfMonth" },
} as const;
export type RollUp = keyof typeof SOURCES;
export const ROLL_UPS = ["hours", "days", "months"] as const satisfies readonly RollUp[];

/**
 * Computes the rows of a roll-up for a batch, up to `{to_merchant}` and `{to_day}`, from all rows of its days, or of their months. Nothing is added
 * to what is there: the version, the sum of the revisions of the windows merged, says which state a row is of, and the furthest stays. Days are of
 * the hours as they are at that moment, months of the days, whichever state those are of, and say so.
 */
export function rollUpSql(rollUp: RollUp): string {
  const { from, start, version, unit, changed } = SOURCES[rollUp];
  const [table, ofTier] = from === "windows" ? ["windows", ""] : ["roll_ups", `w.tier = '${from}' AND `];
  const key = ["merchant_id", "currency", "start", "version", "revision"];
  const columns = [...key, ...REPORT_COLUMNS].join(", ");
  return `
INSERT INTO roll_ups (tier, ${columns})
SELECT '${rollUp}' AS tier, ${columns} FROM (
  SELECT
    ${key.map((column) => `m.${column} AS ${column}`).join(", ")},
    ${CANONICAL_COLUMNS}
  FROM (
    SELECT
      w.merchant_id AS merchant_id,
      w.currency AS currency,
      ${unit}(w.${start}) AS start,
      sum(w.${version}) AS version,
      max(w.revision) AS revision,
      ${MERGED_COLUMNS}
    FROM ${table} AS w FINAL
    WHERE ${ofTier}(w.merchant_id, ${changed}(w.${start})) IN (
      SELECT merchant_id, ${changed}(day) FROM changed_days
      WHERE ${LEFT} AND merchant_id <= {to_merchant:String} AND (merchant_id, day) <= ({to_merchant:String}, {to_day:Date})
    )
    GROUP BY merchant_id, currency, start
  ) AS m
)`;
}
