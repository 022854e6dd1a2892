import { AHEAD_MAX_MS } from "../../shared/accept-event.ts";
import { BREAKDOWN_VALUES_MAX, DIMENSIONS, type Dimension } from "../../shared/breakdown.ts";
import { WINDOW_MS } from "../../shared/window.ts";
import { MOVED_REPEAT_MS } from "./engine.ts";

/**
 * What `recount.ts` does, in ClickHouse: windows counted from lines of the archive, to the byte what counting them live gives. The first event
 * received of an identity counts; so does a later one in another window, unless a window that counted it was recent when it came.
 */

/** A line of the archive as `JSONEachRow` reads it; what it does not name is passed over. */
const LINE = [
  "event_id String, type String, merchant_id String, occurred_at UInt64, amount UInt64, currency String, payment_method String",
  "points_used UInt64, points_earned UInt64, received_at UInt64, batch String, n UInt32, merchant Tuple(location String)",
  "user Tuple(id String, grade String, gender String, country String, device String, age_band String)",
].join(", ");

/** To read a line so; and in the order of the lines, which `rowNumberInAllBlocks` counts. */
export const LINE_SETTINGS = {
  input_format_skip_unknown_fields: 1,
  input_format_json_ignore_unknown_keys_in_named_tuple: 1,
  input_format_json_defaults_for_missing_elements_in_named_tuple: 1,
  input_format_parallel_parsing: 0,
  max_insert_threads: "1",
  max_threads: 1,
} as const;

/**
 * Takes lines into `archived_events`, as the body of the call: those of the merchants, when any are named. A line that lacks what every event has
 * is none of ours and left out. Of merchants of one slice of several, when there are several. Parameters: `replay` UInt64, `merchants` Array(String),
 * `slices` and `slice` UInt32.
 */
export const LOAD_SQL = `
INSERT INTO archived_events (replay, hour, merchant_id, event_id, received_at, batch, n, line, occurred_at, type, amount, currency,
  points_used, points_earned, user_id, payment_method, gender, age_band, grade, country, device, location)
SELECT {replay:UInt64}, toStartOfHour(toDateTime(intDiv(occurred_at, 1000), 'UTC')), merchant_id, event_id, received_at, batch, n,
  rowNumberInAllBlocks(), occurred_at, type, amount, currency, points_used, points_earned, user.id, payment_method,
  user.gender, user.age_band, user.grade, user.country, user.device, merchant.location
FROM input('${LINE}')
WHERE (empty({merchants:Array(String)}) OR has({merchants:Array(String)}, merchant_id))
  AND ({slices:UInt32} < 2 OR cityHash64(merchant_id) % {slices:UInt32} = {slice:UInt32})
  AND type IN ('payment', 'refund') AND merchant_id != '' AND event_id != '' AND currency != ''
FORMAT JSONEachRow`;

/** What an event is counted by, and the order in which those of one identity were received. */
const COUNTED = ["occurred_at", "type", "amount", "currency", "points_used", "points_earned", "user_id", ...DIMENSIONS];
/** `n` is the order within a request whose lines do not all stand together; of the others the lines are in order. */
const ORDER = "received_at, batch, n, line";
const SLOT = `intDiv(occurred_at, ${WINDOW_MS})`;

/** Lines of the replay in the hours to be counted. */
const LINES = `SELECT * FROM archived_events WHERE replay = {replay:UInt64} AND hour IN ({hours:Array(DateTime('UTC'))})`;

/** Identities with several lines, of all that is loaded. They are few, and what the others cost is what counts: no line of those is grouped. */
const REPEATED = `
SELECT merchant_id, event_id FROM archived_events WHERE replay = {replay:UInt64} GROUP BY merchant_id, event_id HAVING count() > 1`;

/** The events of one identity that count, of `seen`, all in the order in which they were received: (received_at, batch, n, line, slot, counted). */
const ACCEPTED = `arrayFold(
  (accepted, one) -> if(
    arrayExists(other -> other.5 = one.5 OR (toInt64(other.5) * ${WINDOW_MS} + ${WINDOW_MS + MOVED_REPEAT_MS} > one.1
      AND toInt64(other.5) * ${WINDOW_MS} <= one.1 + ${AHEAD_MAX_MS}), accepted),
    accepted, arrayPushBack(accepted, one)),
  arraySort(one -> (one.1, one.2, one.3, one.4), groupArray((${ORDER}, ${SLOT}, (${COUNTED.join(", ")}))) AS seen),
  arraySlice(seen, 1, 0))`;

const picked = (tuple: string) => COUNTED.map((name, at) => `${tuple}.${at + 1} AS ${name}`).join(", ");

/**
 * Each event that counts, once. An identity of several lines may be in several windows, one of which may know the event of another: all that is
 * loaded of it is asked, not only the hours to be counted.
 */
const EVENTS = `
SELECT merchant_id, ${COUNTED.join(", ")} FROM (${LINES}) WHERE (merchant_id, event_id) NOT IN (${REPEATED})
UNION ALL
SELECT merchant_id, ${picked("one.6")} FROM (
  SELECT merchant_id, event_id, arrayJoin(${ACCEPTED}) AS one
  FROM archived_events WHERE replay = {replay:UInt64} AND (merchant_id, event_id) IN (${REPEATED}) GROUP BY merchant_id, event_id)
WHERE toStartOfHour(toDateTime(one.5 * ${WINDOW_MS / 1000}, 'UTC')) IN ({hours:Array(DateTime('UTC'))})`;

/** Position of the highest bit, exact: the logarithm is only asked of 32 bits. */
const highestBit = (number: string) =>
  `if(${number} >= 4294967296, 32 + toUInt8(floor(log2(bitShiftRight(${number}, 32)))), toUInt8(floor(log2(greatest(bitAnd(${number}, 4294967295), 1)))))`;

/** `amountBucket` of shared/amounts.ts. */
const BUCKET = `if(amount < 64, toUInt16(amount),
  toUInt16((${highestBit("amount")} - 6) * 64 + bitShiftRight(amount, ${highestBit("amount")} - 6)))`;

/** `customerValue` of shared/customers.ts, of a hash whose digits are those of the high half, then of the low one. */
const USER_HASH = "reinterpretAsUInt64(reverse(unhex(user_id)))";
const USER_HIGH = `bitShiftRight(${USER_HASH}, 32)`;
const CUSTOMER = `toUInt16(bitAnd(${USER_HASH}, 2047) * 32 + if(${USER_HIGH} = 0, 31, least(32 - ${highestBit(USER_HIGH)}, 31)))`;

/** The highest value of each register, ascending. */
const CUSTOMERS = `arrayFilter((value, next) -> intDiv(value, 32) != intDiv(next, 32), values, arrayResize(arrayPushBack(arrayPopFront(values), toUInt32(65536)), length(values)))`;

/** Bytes of UTF-8 are in the order of UTF-16, a row's, once those that begin U+E000 to U+FFFF go behind those of the characters beyond. */
const UTF16_ORDER = "replaceAll(replaceAll(cell.1, '\\xEE', '\\xF5'), '\\xEF', '\\xF6')";

const HAS_ODD_ORDER = "position(cell.1, '\\xEE') > 0 OR position(cell.1, '\\xEF') > 0";

/**
 * Columns of a breakdown of any number of values: the 128 of smallest hash are kept, the rest stands under ''. As `capped` of shared/breakdown.ts.
 * Each list is for a query over the one before: ClickHouse writes an alias out wherever it stands, and names of 100 KB take longer to plan than
 * the rows to count.
 */
const BREAKDOWN_LAYERS: readonly ((dimension: Dimension) => string)[] = [
  (d) => `arrayZip(by_${d}.1, by_${d}.2, by_${d}.3) AS cells_${d}`,
  // Cells come in the order of their bytes, which is right for nearly all.
  (d) => `if(length(cells_${d}) > ${BREAKDOWN_VALUES_MAX} OR arrayExists(cell -> ${HAS_ODD_ORDER}, cells_${d}),
    arraySort(cell -> (sipHash64(cell.1), cell.1), cells_${d}), []) AS ranked_${d}`,
  (d) => `if(empty(ranked_${d}), cells_${d}, arrayConcat(
    if(length(ranked_${d}) > ${BREAKDOWN_VALUES_MAX}, [('', ${restOf(d, 2)}, ${restOf(d, 3)})], []),
    arraySort(cell -> ${UTF16_ORDER}, arraySlice(ranked_${d}, 1, ${BREAKDOWN_VALUES_MAX})))) AS kept_${d}`,
  (d) => `kept_${d}.1 AS by_${d}_value, kept_${d}.2 AS by_${d}_count, kept_${d}.3 AS by_${d}_amount`,
];

const restOf = (dimension: Dimension, member: 2 | 3) =>
  `arraySum(cell -> cell.${member}, arraySlice(ranked_${dimension}, ${BREAKDOWN_VALUES_MAX + 1}))`;

/** The rows of a query with their breakdowns as `windows` has them. */
function withBreakdowns(query: string): string {
  return BREAKDOWN_LAYERS.reduce(
    (below, layer) => `SELECT *, ${DIMENSIONS.map(layer).join(", ")} FROM (${below})`,
    query,
  );
}

const payments = (expression: string) => `if(type = 'payment', ${expression}, [])`;

/** Rows of `windows` but for the revision, one for each merchant, currency and window of the hours. */
const COUNTS = `
SELECT merchant_id, currency, toDateTime(${SLOT} * ${WINDOW_MS / 1000}, 'UTC') AS window_start,
  countIf(type = 'payment') AS payments_count,
  sumIf(toUInt128(amount), type = 'payment') AS payments_amount,
  countIf(type = 'refund') AS refunds_count,
  sumIf(toUInt128(amount), type = 'refund') AS refunds_amount,
  minIf(amount, type = 'payment') AS amount_min,
  maxIf(amount, type = 'payment') AS amount_max,
  sum(toUInt128(points_used)) AS points_used_sum,
  sum(toUInt128(points_earned)) AS points_earned_sum,
  sumMap(${payments(`[${BUCKET}]`)}, ${payments("[toUInt64(1)]")}) AS amounts,
  arraySort(groupUniqArrayIf(${CUSTOMER}, user_id != '')) AS values,
  ${DIMENSIONS.map((d) => {
    const known = (expression: string) => `if(type = 'payment' AND ${d} != '', ${expression}, [])`;
    return `sumMap(${known(`[toString(${d})]`)}, ${known("[toUInt64(1)]")}, ${known("[toUInt128(amount)]")}) AS by_${d}`;
  }).join(",\n  ")}
FROM (${EVENTS})
WHERE empty({merchants:Array(String)}) OR (merchant_id, ${SLOT}) IN (SELECT arrayJoin(arrayZip({merchants:Array(String)}, {slots:Array(UInt64)})))
GROUP BY merchant_id, currency, window_start`;

/** The columns of `windows`, in the order of `RECOUNT_SQL`. */
export const WINDOW_COLUMNS = [
  ...["merchant_id", "currency", "window_start", "revision", "payments_count", "payments_amount", "refunds_count"],
  ...[
    "refunds_amount",
    "amount_min",
    "amount_max",
    "points_used",
    "points_earned",
    "amount_bucket",
    "amount_bucket_count",
  ],
  "customers",
  ...DIMENSIONS.flatMap((dimension) => [`by_${dimension}_value`, `by_${dimension}_count`, `by_${dimension}_amount`]),
];

/**
 * Rows of `windows` under a revision, of windows in some hours of which lines are loaded: of those that `merchants` and `slots` (start in
 * milliseconds / 600000) name pair by pair, or of all when they are empty. Loaded must also be the hours in which such a line may have been
 * counted before: `NEIGHBOURS_SQL` names them. Parameters: `replay` UInt64, `hours` Array(DateTime), `merchants` Array(String),
 * `slots` Array(UInt64), `revision` UInt64.
 */
export const RECOUNT_SQL = `
SELECT ${WINDOW_COLUMNS.join(", ")} FROM (
SELECT *, {revision:UInt64} AS revision, points_used_sum AS points_used, points_earned_sum AS points_earned,
  amounts.1 AS amount_bucket, amounts.2 AS amount_bucket_count, ${CUSTOMERS} AS customers
FROM (${withBreakdowns(COUNTS)}))`;

/** Hours of windows that may have counted an event of these hours before it was received again. Parameters: `replay`, `hours`. */
export const NEIGHBOURS_SQL = `
SELECT DISTINCT arrayJoin(range(
  intDiv(toUInt64(greatest(toInt64(received_at) - ${WINDOW_MS + MOVED_REPEAT_MS}, 0)), 3600000),
  intDiv(received_at + ${AHEAD_MAX_MS}, 3600000) + 1)) * 3600 AS hour_s
FROM (SELECT DISTINCT intDiv(received_at, ${WINDOW_MS}) * ${WINDOW_MS} + arrayJoin([0, ${WINDOW_MS - 1}]) AS received_at FROM (${LINES}))
ORDER BY hour_s`;

/** The pairs as they stand in `windows`. */
const PAIRS = `
  SELECT arrayJoin(arrayMap((merchant, slot) -> (merchant, toDateTime(slot * ${WINDOW_MS / 1000}, 'UTC')), {merchants:Array(String)}, {slots:Array(UInt64)}))`;

/** Keeps the rows of `RECOUNT_SQL` to be compared and written. */
export const KEEP_RECOUNTED_SQL = `
INSERT INTO recounted_windows (${WINDOW_COLUMNS.join(", ")}) ${RECOUNT_SQL}`;

const KEYS = ["merchant_id", "currency", "window_start"];
const COUNTED_COLUMNS = WINDOW_COLUMNS.filter((name) => !KEYS.includes(name) && name !== "revision");
const EVENTS_OF = (row: string) => `${row}.payments_count + ${row}.refunds_count`;

/**
 * What is counted anew beside what history has of the same windows: `verdict` is what the one is to the other. `equal`; `changed`; `missing` in
 * history; `short`, when the archive has fewer events; `unarchived`, when it has none at all.
 */
const COMPARED = `
SELECT if(new.merchant_id = '', old.merchant_id, new.merchant_id) AS merchant,
  if(new.merchant_id = '', toString(old.currency), toString(new.currency)) AS currency_code,
  if(new.merchant_id = '', old.window_start, new.window_start) AS start,
  ${EVENTS_OF("new")} AS archived_events, ${EVENTS_OF("old")} AS stored_events,
  old.revision AS stored_revision, new.payments_amount AS archived_amount, old.payments_amount AS stored_amount,
  multiIf(new.merchant_id = '', 'unarchived', old.merchant_id = '', 'missing',
    (${COUNTED_COLUMNS.map((name) => `new.${name}`).join(", ")}) = (${COUNTED_COLUMNS.map((name) => `old.${name}`).join(", ")}), 'equal',
    archived_events < stored_events, 'short', 'changed') AS verdict
FROM (SELECT * FROM recounted_windows WHERE revision = {revision:UInt64}) AS new
FULL JOIN (
  SELECT * FROM windows FINAL
  WHERE window_start >= fromUnixTimestamp({from:UInt32}) AND window_start < fromUnixTimestamp({to:UInt32})
    AND (empty({only:Array(String)}) OR has({only:Array(String)}, merchant_id))
    AND ({slices:UInt32} < 2 OR cityHash64(merchant_id) % {slices:UInt32} = {slice:UInt32})
    AND (empty({merchants:Array(String)}) OR (merchant_id, window_start) IN (${PAIRS}))) AS old
ON new.merchant_id = old.merchant_id AND new.currency = old.currency AND new.window_start = old.window_start`;

/**
 * The verdicts on a pass, with how many windows and events have each. Parameters: `revision`, `from` and `to` in seconds, `only` Array(String),
 * `slices`, `slice`; `merchants` and `slots` as of `RECOUNT_SQL`.
 */
export const VERDICTS_SQL = `
SELECT verdict, count() AS windows, sum(archived_events) AS archived, sum(stored_events) AS stored FROM (${COMPARED}) GROUP BY verdict`;

/** The windows that differ, the earliest first, up to `limit`. Parameters: those, and `limit`. */
export const DIFFERENCES_SQL = `
SELECT merchant, currency_code, toUnixTimestamp(start) AS start_s, verdict, archived_events, stored_events,
  toString(archived_amount) AS archived_amount_text, toString(stored_amount) AS stored_amount_text
FROM (${COMPARED}) WHERE verdict != 'equal' ORDER BY start, merchant, currency_code LIMIT {limit:UInt32}`;

/** The windows with their verdicts, one row a currency. Parameters: as of `VERDICTS_SQL`. */
export const JUDGED_SQL = `
SELECT merchant, intDiv(toUInt64(toUnixTimestamp(start)), ${WINDOW_MS / 1000}) AS slot, verdict FROM (${COMPARED})`;

/**
 * Writes what history lacks or has otherwise, in `sound` hours, of which the archive was read whole; never what has fewer events there. The revision
 * is newer than history's, whatever the clock says. Parameters: those of `VERDICTS_SQL`, and `sound` Array(DateTime).
 */
export const HEAL_SQL = `
INSERT INTO windows (${WINDOW_COLUMNS.join(", ")})
SELECT ${WINDOW_COLUMNS.map((name) => (name === "revision" ? "greatest(rows.revision, verdicts.stored_revision + 1)" : `rows.${name}`)).join(", ")}
FROM (SELECT *, toString(currency) AS code FROM recounted_windows WHERE revision = {revision:UInt64}) AS rows
INNER JOIN (SELECT merchant, currency_code, start, stored_revision FROM (${COMPARED}) WHERE verdict IN ('changed', 'missing')) AS verdicts
ON rows.merchant_id = verdicts.merchant AND rows.code = verdicts.currency_code AND rows.window_start = verdicts.start
WHERE toStartOfHour(rows.window_start) IN ({sound:Array(DateTime('UTC'))})`;
