import { DIMENSIONS, type Dimension } from "../../../shared/breakdown.ts";
import { WINDOW_MS } from "../../../shared/window.ts";
import { s3Source } from "../../aggregate/archive-s3.ts";
import {
  type CompactSources,
  IS_EVENT,
  LINE_STRUCTURE,
  ofLine,
  PARQUET_COLUMNS,
  parquetSource,
} from "../../aggregate/compact-sql.ts";

/** Which events are listed. */
export interface EventFilter {
  readonly type: "payment" | "refund" | undefined;
  /** Empty for all. */
  readonly currencies: readonly string[];
  /** By the dimensions asked for; the empty text is of events without it. */
  readonly values: Readonly<Partial<Record<Dimension, string>>>;
  /** Only these events; in lists, since each is a parameter of its own, of 128 KB at the most. All when it is left out. */
  readonly ids?: readonly (readonly string[])[];
}

export type EventOrder = "oldest" | "newest";

/** The filter as a condition on a row of the archive; its values are parameters, by `filterParameters`. */
function filterSql({ type, currencies, values, ids }: EventFilter): string {
  const conditions = DIMENSIONS.filter((dimension) => values[dimension] !== undefined).map(
    (dimension) => `${dimension} = {by_${dimension}:String}`,
  );
  if (type !== undefined) conditions.push("type = {type:String}");
  if (currencies.length > 0) conditions.push("currency IN {currencies:Array(String)}");
  if (ids !== undefined) {
    const lists = ids.map((_, at) => `event_id IN {ids_${at}:Array(String)}`);
    conditions.push(`(${["0", ...lists].join(" OR ")})`);
  }
  return conditions.length === 0 ? "1" : conditions.join(" AND ");
}

export function filterParameters({ type, currencies, values, ids = [] }: EventFilter): Record<string, unknown> {
  const dimensions = Object.entries(values).map(([dimension, value]) => [`by_${dimension}`, value]);
  const lists = ids.map((list, at) => [`ids_${at}`, list]);
  return { type, currencies, ...Object.fromEntries([...dimensions, ...lists]) };
}

/** The merchant's rows of all sources: the tenant's condition stands beside each table that is read, so that it is what finds the pages of a Parquet, too. */
function rowsSql({ lines, parquet }: CompactSources, columns: readonly string[], condition: string): string {
  const where = `WHERE merchant_id = {merchant:String} AND ${IS_EVENT} AND ${condition}`;
  const selects = [];
  if (lines) {
    const source = s3Source("lines_url", "JSONEachRow", LINE_STRUCTURE);
    selects.push(`SELECT ${columns.map(ofLine).join(", ")} FROM ${source} ${where}`);
  }
  if (parquet) selects.push(`SELECT ${columns.join(", ")} FROM ${parquetSource("parquet_url")} ${where}`);
  return selects.join(" UNION ALL ");
}

const KEY_COLUMNS = ["occurred_at", "event_id", "type", "currency", ...DIMENSIONS, "received_at"];

/**
 * The next events of a list, whether they count or are repeats: `[occurred_at, event_id, numbers of the ten minutes in which copies were received]`.
 * Parameters: those of `s3Source`, `merchant`, those of the filter, `from` and `to` in milliseconds, the place they come after as `at` and `id`, `limit`.
 */
export function keysSql(sources: CompactSources, filter: EventFilter, order: EventOrder): string {
  const [after, direction] = order === "oldest" ? [">", "ASC"] : ["<", "DESC"];
  const inSpan = "occurred_at >= {from:UInt64} AND occurred_at < {to:UInt64}";
  const condition = `${inSpan} AND (occurred_at, event_id) ${after} ({at:UInt64}, {id:String}) AND ${filterSql(filter)}`;
  return `
SELECT occurred_at, event_id, groupUniqArray(intDiv(received_at, ${WINDOW_MS})) AS received
FROM (${rowsSql(sources, KEY_COLUMNS, condition)})
GROUP BY occurred_at, event_id ORDER BY occurred_at ${direction}, event_id ${direction} LIMIT {limit:UInt32}`;
}

/**
 * How many identities there are in a span: `events`. Parameters: those of `s3Source`, `merchant`, those of the filter, `from` and `to` in milliseconds.
 */
export function countSql(sources: CompactSources, filter: EventFilter): string {
  const condition = `occurred_at >= {from:UInt64} AND occurred_at < {to:UInt64} AND ${filterSql(filter)}`;
  const columns = ["occurred_at", "event_id", "type", "currency", ...DIMENSIONS];
  return `SELECT uniqExact(event_id) AS events FROM (${rowsSql(sources, columns, condition)})`;
}

/**
 * Every copy of some events, in the order in which they were received (`recount-sql.ts`), `matches` says whether the filter takes it. Parameters: those of
 * `s3Source`, `merchant`, those of the filter, `ids`.
 */
export function copiesSql(sources: CompactSources, filter: EventFilter): string {
  return `
SELECT *, (${filterSql(filter)}) AS matches
FROM (${rowsSql(sources, PARQUET_COLUMNS, "event_id IN {ids:Array(String)}")})
ORDER BY received_at, batch, n, line`;
}

/** Reads all of the sources, to find out whether they can be read. */
export function probeSql(sources: CompactSources): string {
  return `SELECT countIf(NOT ignore(*)) FROM (${rowsSql(sources, PARQUET_COLUMNS, "1")})`;
}

/**
 * Hours that have events of a merchant, by what history has counted: as numbers of hours. `{limit}` of them after, or before, a moment in seconds. Where windows are
 * kept no more, before `kept_from`, roll-ups tell.
 */
export function hoursSql({ type, currencies }: EventFilter, order: EventOrder): string {
  const conditions = ["merchant_id = {merchant:String}"];
  if (type !== undefined) conditions.push(`${type}s_count > 0`);
  if (currencies.length > 0) conditions.push("currency IN {currencies:Array(String)}");
  const within = (column: string) =>
    `${column} >= fromUnixTimestamp({from_s:UInt32}) AND ${column} < fromUnixTimestamp({to_s:UInt32})`;
  return `
SELECT intDiv(toUnixTimestamp(moment), 3600) AS hour FROM (
  SELECT window_start AS moment FROM windows WHERE ${[...conditions, within("window_start")].join(" AND ")}
  UNION ALL
  SELECT start AS moment FROM roll_ups
  WHERE ${[...conditions, within("start")].join(" AND ")} AND tier = 'hours' AND start < fromUnixTimestamp({kept_from_s:UInt32}))
GROUP BY hour ORDER BY hour ${order === "oldest" ? "ASC" : "DESC"} LIMIT {limit:UInt32}`;
}
