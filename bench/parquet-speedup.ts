import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { startTestArchive, type TestArchive } from "../scripts/archive-test-bucket.ts";
import type { ClickHouse } from "../scripts/clickhouse.ts";
import { archiveKey, compactedKey } from "../shared/archive-key.ts";
import { HOUR_MS } from "../shared/window.ts";
import { s3Parameters, s3Source } from "../workers/aggregate/archive-s3.ts";
import { COMPACT_SETTINGS, compactSql, LINE_STRUCTURE, parquetSource } from "../workers/aggregate/compact-sql.ts";
import { median } from "./numbers.ts";

/** A million events in an hour, in as many objects as the log makes of them in batches of some 10,000. */
const EVENTS = 1_000_000;
const OBJECTS = 100;
const MERCHANTS = 1_000;
const ROUNDS = 7;
const WARM_UP_ROUNDS = 1;
const HOUR_START_MS = Date.UTC(2026, 5, 1);
const REQUEST_TIMEOUT_MS = 300_000;

export interface ParquetSpeedup {
  /** How many times faster the query is over the Parquet of the hour than over its objects. */
  readonly parquet_speedup: number;
  /** Medians. */
  readonly parquet_ms: number;
  readonly ndjson_ms: number;
}

/** What somebody asks ad hoc: an hour's payments by method. */
const QUESTION = "SELECT payment_method, count() AS payments, sum(amount) AS amount FROM";
const ASKED = "WHERE type = 'payment' GROUP BY payment_method ORDER BY payment_method";
const NDJSON = s3Source("lines_url", "JSONEachRow", "type String, payment_method String, amount UInt64");

/** Lines with the fields that ingest writes, of some 500 bytes. */
const LINES = `
SELECT concat('p-', hex(sipHash64(number))) AS event_id, if(number % 50 = 0, 'refund', 'payment') AS type,
  concat('merchant-', toString(sipHash64(number, 1) % ${MERCHANTS})) AS merchant_id, {hour:UInt64} + number % ${HOUR_MS} AS occurred_at,
  50 + sipHash64(number, 2) % 20000 AS amount, 'JPY' AS currency, ['card', 'qr', 'wallet', 'transfer'][1 + number % 4] AS payment_method,
  0 AS points_used, intDiv(amount, 100) AS points_earned, '' AS refund_of, map() AS attributes,
  (lower(hex(sipHash64(number % 100000, 3))), 'gold', 'female', 'JP', 'ios', '30-39') AS user,
  ('A', concat('district-', toString(number % 300)), 'cafe') AS merchant,
  occurred_at + 300 AS received_at, 'bench' AS source, concat('r-', toString(intDiv(number, 1000)), '-0') AS batch, number % 1000 AS n
FROM numbers({from:UInt64}, ${EVENTS / OBJECTS})`;

/** Compares a query over an hour of the archive, from its objects and from the Parquet made of them, both by `s3()`, in turns. */
export async function measureParquetSpeedup(server: ClickHouse, log: (line: string) => void): Promise<ParquetSpeedup> {
  const archive = await startTestArchive();
  const client = createClient({
    url: server.url,
    username: server.user,
    password: server.password,
    database: "tally",
    request_timeout: REQUEST_TIMEOUT_MS,
    log: { level: ClickHouseLogLevel.OFF },
  });
  try {
    const keys = await writeObjects(client, archive.s3);
    const objects = s3Parameters(archive.s3, { lines_url: keys });
    const file = compactedKey(HOUR_START_MS, "bench");
    const beganMs = performance.now();
    await client.command({
      query: compactSql({ lines: true, parquet: false }),
      query_params: { ...objects, ...s3Parameters(archive.s3, { target_url: [file] }) },
      clickhouse_settings: COMPACT_SETTINGS,
    });
    log(`${EVENTS} events made into Parquet in ${((performance.now() - beganMs) / 1000).toFixed(1)} s`);
    const ndjson = { query: `${QUESTION} ${NDJSON} ${ASKED}`, query_params: objects };
    const parquet = {
      query: `${QUESTION} ${parquetSource("parquet_url")} ${ASKED}`,
      query_params: s3Parameters(archive.s3, { parquet_url: [file] }),
    };
    return await compare(client, ndjson, parquet);
  } finally {
    await client.close();
    await archive.stop();
  }
}

interface Question {
  readonly query: string;
  readonly query_params: Readonly<Record<string, string>>;
}

async function compare(client: ClickHouseClient, ndjson: Question, parquet: Question): Promise<ParquetSpeedup> {
  const ndjsonMs: number[] = [];
  const parquetMs: number[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP_ROUNDS; round++) {
    const slow = await ask(client, ndjson);
    const fast = await ask(client, parquet);
    if (slow.text !== fast.text) throw new Error("the Parquet answers otherwise than the objects");
    if (round < WARM_UP_ROUNDS) continue;
    ndjsonMs.push(slow.ms);
    parquetMs.push(fast.ms);
  }
  const [ndjson_ms, parquet_ms] = [median(ndjsonMs), median(parquetMs)];
  return { parquet_speedup: ndjson_ms / parquet_ms, parquet_ms, ndjson_ms };
}

async function ask(
  client: ClickHouseClient,
  question: Question,
): Promise<{ readonly ms: number; readonly text: string }> {
  const beganMs = performance.now();
  const text = await (await client.query({ ...question, format: "TabSeparated" })).text();
  return { ms: performance.now() - beganMs, text };
}

async function writeObjects(client: ClickHouseClient, s3: TestArchive["s3"]): Promise<string[]> {
  const keys = Array.from({ length: OBJECTS }, (_, at) => archiveKey(HOUR_START_MS, `${HOUR_START_MS + at}-bench`));
  for (const [at, key] of keys.entries()) {
    const from = (at * EVENTS) / OBJECTS;
    await client.command({
      query: `INSERT INTO FUNCTION ${s3Source("target_url", "JSONEachRow", LINE_STRUCTURE)} ${LINES}`,
      query_params: { ...s3Parameters(s3, { target_url: [key] }), hour: HOUR_START_MS, from },
    });
  }
  return keys;
}
