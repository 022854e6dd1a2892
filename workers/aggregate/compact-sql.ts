import { WINDOW_MS } from "../../shared/window.ts";
import { s3Source } from "./archive-s3.ts";

/**
 * Objects of an hour as one Parquet, in SQL: all of every line, the lines that no count can depend on left out (docs/decisions/0022), sorted
 * by merchant and time.
 */

/** A line with all it may have. One that has more is refused, so that nothing is lost by a newer kind of line. */
export const LINE_STRUCTURE = [
  "event_id String, type String, merchant_id String, occurred_at UInt64, amount UInt64, currency String, payment_method String",
  "points_used UInt64, points_earned UInt64, refund_of String, attributes Map(String, String)",
  "user Tuple(id String, grade String, gender String, country String, device String, age_band String)",
  "merchant Tuple(grade String, location String, business_type String)",
  "received_at UInt64, source String, batch String, n UInt32",
].join(", ");

/** Columns of the Parquet, in their order: an event, then where it came from, and `line`, its order among the lines it was read with. */
const PARQUET: Readonly<Record<string, string>> = {
  merchant_id: "String",
  occurred_at: "UInt64",
  event_id: "String",
  type: "String",
  amount: "UInt64",
  currency: "String",
  payment_method: "String",
  points_used: "UInt64",
  points_earned: "UInt64",
  refund_of: "String",
  attributes: "Map(String, String)",
  user_id: "String",
  grade: "String",
  gender: "String",
  country: "String",
  device: "String",
  age_band: "String",
  merchant_grade: "String",
  location: "String",
  business_type: "String",
  received_at: "UInt64",
  source: "String",
  batch: "String",
  n: "UInt32",
  line: "UInt32",
};

export const PARQUET_COLUMNS = Object.keys(PARQUET);
export const PARQUET_STRUCTURE = PARQUET_COLUMNS.map((name) => `${name} ${PARQUET[name]}`).join(", ");

/** Columns that a line has under another name. */
const OF_LINE: Readonly<Record<string, string>> = {
  user_id: "user.id",
  ...Object.fromEntries(["grade", "gender", "country", "device", "age_band"].map((name) => [name, `user.${name}`])),
  merchant_grade: "merchant.grade",
  location: "merchant.location",
  business_type: "merchant.business_type",
  line: "toUInt32(rowNumberInAllBlocks())",
};

/** What a column is called, or made of, where lines are read. */
export function ofLine(column: string): string {
  return column in OF_LINE ? `${OF_LINE[column]} AS ${column}` : column;
}

/** So that lines are read one object after another, in their order, and nothing of them is passed over. */
export const COMPACT_SETTINGS = {
  input_format_skip_unknown_fields: 0,
  input_format_json_ignore_unknown_keys_in_named_tuple: 0,
  input_format_json_defaults_for_missing_elements_in_named_tuple: 1,
  input_format_parallel_parsing: 0,
  max_threads: 1,
  output_format_parquet_compression_method: "zstd",
  // Each column of each group is a request of its own; a merchant's rows are found by the index of pages within it.
  output_format_parquet_row_group_size: "1000000",
  // R2 takes parts of one size only.
  s3_strict_upload_part_size: "16000000",
} as const;

/** What is compacted: objects of lines, Parquet made before, or both. */
export interface CompactSources {
  readonly lines: boolean;
  readonly parquet: boolean;
}

/** The rows of all sources. Parameters: `lines_url` and `parquet_url` of those there are, the S3 key. */
function rowsSql({ lines, parquet }: CompactSources): string {
  const selects = [];
  if (lines) {
    selects.push(
      `SELECT ${PARQUET_COLUMNS.map(ofLine).join(", ")} FROM ${s3Source("lines_url", "JSONEachRow", LINE_STRUCTURE)}`,
    );
  }
  if (parquet) selects.push(`SELECT ${PARQUET_COLUMNS.join(", ")} FROM ${parquetSource("parquet_url")}`);
  return selects.join(" UNION ALL ");
}

export function parquetSource(name: string): string {
  return s3Source(name, "Parquet", PARQUET_STRUCTURE);
}

/** The order in which events were received, as `recount-sql.ts` has it. */
export const RECEIVED = "received_at, batch, n, line";
/**
 * Of an identity, in a window, received within the same ten minutes, the first one alone can ever count: whichever window knows it and has it passed
 * over would pass over the others as well, since windows stop being recent at multiples of ten minutes.
 */
const SAME = `merchant_id, event_id, intDiv(occurred_at, ${WINDOW_MS}), intDiv(received_at, ${WINDOW_MS})`;
/** Of a row, all of it; summed up it is the checksum in the manifest. */
export const ROW_HASH = `sipHash64(${PARQUET_COLUMNS.join(", ")})`;
/** Of a line: what every event has. */
export const IS_EVENT = "type IN ('payment', 'refund') AND merchant_id != '' AND event_id != '' AND currency != ''";

/**
 * What compacting should come to: `lines` read, `events` kept and their `checksum`; `strange` lines are no events. In other words than
 * `compactSql`, so that the one is a check of the other.
 */
export function expectedSql(sources: CompactSources): string {
  return `
SELECT toString(sum(lines)) AS lines, toString(count()) AS events, toString(sum(hash)) AS checksum, toString(sum(strange)) AS strange FROM (
  SELECT count() AS lines, countIf(NOT (${IS_EVENT})) AS strange, argMin(${ROW_HASH}, (${RECEIVED})) AS hash
  FROM (${rowsSql(sources)}) GROUP BY ${SAME})`;
}

/** Writes the Parquet `target_url`. */
export function compactSql(sources: CompactSources): string {
  return `
INSERT INTO FUNCTION ${parquetSource("target_url")}
SELECT ${PARQUET_COLUMNS.join(", ")} FROM (
  SELECT * FROM (${rowsSql(sources)}) ORDER BY ${RECEIVED} LIMIT 1 BY ${SAME})
ORDER BY merchant_id, occurred_at, ${RECEIVED}`;
}

/** What stands in the Parquet `parquet_url`: `events` and `checksum`. */
export const WRITTEN_SQL = `
SELECT toString(count()) AS events, toString(sum(${ROW_HASH})) AS checksum FROM ${parquetSource("parquet_url")}`;

/** Takes rows of the Parquet `parquet_url` into `archived_events`, as `LOAD_SQL` of `recount-sql.ts` does lines, with the same parameters. */
export function loadParquetSql(hasMerchants: boolean): string {
  const columns = [
    ...["merchant_id", "event_id", "received_at", "batch", "n", "line", "occurred_at", "type", "amount", "currency"],
    ...[
      "points_used",
      "points_earned",
      "user_id",
      "payment_method",
      "gender",
      "age_band",
      "grade",
      "country",
      "device",
    ],
    "location",
  ];
  // A condition of its own, so that row groups of other merchants are not read.
  const ofMerchants = hasMerchants ? "merchant_id IN {merchants:Array(String)} AND" : "";
  return `
INSERT INTO archived_events (replay, hour, ${columns.join(", ")})
SELECT {replay:UInt64}, toStartOfHour(toDateTime(intDiv(occurred_at, 1000), 'UTC')), ${columns.join(", ")}
FROM ${parquetSource("parquet_url")}
WHERE ${ofMerchants} ({slices:UInt32} < 2 OR cityHash64(merchant_id) % {slices:UInt32} = {slice:UInt32})`;
}
