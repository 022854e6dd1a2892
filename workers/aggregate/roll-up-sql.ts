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

export const ROLLED_UP = { hours: "toStartOfHour", days: "toStartOfDay" } as const;
export type RollUp = keyof typeof ROLLED_UP;

/**
 * Computes the rows of a roll-up for a batch, up to `{to_merchant}` and `{to_day}`, from all windows of its days. Nothing is added to what is
 * there: the sum of revisions says which state a row is of, and the furthest stays.
 */
export function rollUpSql(table: RollUp): string {
  const key = ["merchant_id", "currency", "start", "version", "revision"];
  const columns = [...key, ...REPORT_COLUMNS].join(", ");
  return `
INSERT INTO ${table} (${columns})
SELECT ${columns} FROM (
  SELECT
    ${key.map((column) => `m.${column} AS ${column}`).join(", ")},
    ${CANONICAL_COLUMNS}
  FROM (
    SELECT
      w.merchant_id AS merchant_id,
      w.currency AS currency,
      ${ROLLED_UP[table]}(w.window_start) AS start,
      sum(w.revision) AS version,
      max(w.revision) AS revision,
      ${MERGED_COLUMNS}
    FROM windows AS w FINAL
    WHERE (merchant_id, toDate(window_start)) IN (
      SELECT merchant_id, day FROM changed_days
      WHERE ${LEFT} AND merchant_id <= {to_merchant:String} AND (merchant_id, day) <= ({to_merchant:String}, {to_day:Date})
    )
    GROUP BY merchant_id, currency, start
  ) AS m
)`;
}
