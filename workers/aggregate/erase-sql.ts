import { PARQUET_COLUMNS, parquetSource, RECEIVED, ROW_HASH } from "./compact-sql.ts";

/** Users taken out of a Parquet of the archive. Parameters: `users` and, in the same order, `erased`, what stands in their place. */

const ERASED = "transform(user_id, {users:Array(String)}, {erased:Array(String)}, user_id)";
const OTHERS = PARQUET_COLUMNS.filter((name) => name !== "user_id");

/** Of `parquet_url`: `found` rows of the users, and what all of it comes to without them, `events` and `checksum`. */
export const ERASING_SQL = `
SELECT toString(sum(is_found)) AS found, toString(count()) AS events, toString(sum(${ROW_HASH})) AS checksum FROM (
  SELECT ${OTHERS.join(", ")}, ${ERASED} AS user_id, has({users:Array(String)}, source_user) AS is_found
  FROM (SELECT ${OTHERS.join(", ")}, user_id, user_id AS source_user FROM ${parquetSource("parquet_url")}))`;

/** Whether `parquet_url` has any of them: reads that column alone. */
export const FIND_SQL = `
SELECT toString(countIf(has({users:Array(String)}, user_id))) AS found FROM ${parquetSource("parquet_url")}`;

/** Writes `target_url` from `parquet_url`. */
export const ERASE_SQL = `
INSERT INTO FUNCTION ${parquetSource("target_url")}
SELECT ${PARQUET_COLUMNS.map((name) => (name === "user_id" ? `${ERASED} AS user_id` : name)).join(", ")}
FROM ${parquetSource("parquet_url")}
ORDER BY merchant_id, occurred_at, ${RECEIVED}`;
