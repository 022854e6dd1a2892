import { join } from "node:path";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { z } from "zod";
import { type ClickHouse, startClickHouse } from "../scripts/clickhouse.ts";
import { migrateClickHouse } from "../scripts/clickhouse-migrate.ts";
import { DAY_MS, HOUR_MS, WINDOW_MS } from "../shared/window.ts";
import { rollUp } from "../workers/aggregate/roll-up.ts";
import { CHANGES_SETTLE_MS } from "../workers/aggregate/roll-up-pass.ts";
import type { HistoryRange } from "../workers/api/history.ts";
import type { ReadHistoryEnv } from "../workers/api/retention.ts";
import { generateHistory, type HistoryData, merchantOf } from "./history-data.ts";
import { measureReads, type Question } from "./history-reads.ts";
import { reportHistory } from "./history-report.ts";
import { optionsOf } from "./options.ts";
import { measureParquetSpeedup } from "./parquet-speedup.ts";
import { makeStateDir } from "./system.ts";

const USAGE = `npm run bench:history -- [--rounds 15] [--merchants 40] [--years 5] [--json]
  What it takes to read history: spans of years and weeks and a single window, over generated windows, each of them filled, and their roll-ups.
  --rounds     times each question is asked, of one merchant after another, of which the median counts; three more are thrown away
  --merchants  merchants there are
  --years      years of windows each has
  --json       one JSON object as the last line`;

const optionsSchema = z.object({
  rounds: z.coerce.number().int().min(1).max(1_000),
  merchants: z.coerce.number().int().min(1).max(10_000),
  years: z.coerce.number().min(0.1).max(5),
  json: z.boolean(),
});
const options = optionsOf(USAGE, optionsSchema, { rounds: "15", merchants: "40", years: "5", json: false });

/** For queries, merges and caches; a merchant's five years take a few hundred megabytes to read window by window. */
const MEMORY_BYTES_MAX = 6 * 1024 ** 3;
const REQUEST_TIMEOUT_MS = 600_000;
/** The last days are not final yet, and would have no roll-ups. */
const UNFINISHED_DAYS = 3;
/** Days of Tokyo begin at 15:00 UTC: those of most merchants, like theirs, are none of UTC. */
const ZONE_OFFSET_MS = 9 * HOUR_MS;

const startedMs = Date.now();
const toMs = Math.floor(startedMs / DAY_MS) * DAY_MS - UNFINISHED_DAYS * DAY_MS;
const data: HistoryData = {
  merchants: options.merchants,
  fromMs: toMs - Math.floor(options.years * 365.25) * DAY_MS,
  toMs,
};
const server = await startClickHouse({
  dataDir: join(await makeStateDir(), "clickhouse"),
  maxMemoryBytes: MEMORY_BYTES_MAX,
});
try {
  const admin = adminOf(server);
  const env = envOf(server);
  await migrateClickHouse({ url: server.url, user: server.user, password: server.password });
  const generated = await timed("windows generated", () => generateHistory(admin, data));
  const rolledUp = await timed("rolled up", () =>
    rollUp(env, () => startedMs + CHANGES_SETTLE_MS + HOUR_MS, undefined),
  );
  // As background merges leave them after some hours.
  for (const table of ["windows", "hours", "days"]) await admin.command({ query: `OPTIMIZE TABLE ${table} FINAL` });
  const reads = await measureReads(env, questionsOf(data), { ...options, log: (line) => console.error(line) });
  const parquet = await measureParquetSpeedup(server, (line) => console.error(line));
  reportHistory({ reads, sizes: await sizesOf(admin), generated, rolledUp, parquet }, { ...options, startedMs });
  await admin.close();
} finally {
  await server.stop();
}

/** What is asked, of each merchant the same. */
function questionsOf({ fromMs, toMs }: HistoryData): readonly Question[] {
  const endMs = toMs - ZONE_OFFSET_MS;
  const firstMs = Math.max(fromMs, fromMs + DAY_MS - ZONE_OFFSET_MS);
  const fourWeeksMs = endMs - 28 * DAY_MS;
  return [
    { key: "range_5y_daily", text: "5 years in Tokyo, one total", range: rangeOf(firstMs, endMs, endMs - firstMs) },
    { key: "series_5y_monthly", text: "5 years in Tokyo, by 30 days", range: rangeOf(firstMs, endMs, 30 * DAY_MS) },
    { key: "series_5y_daily", text: "5 years in Tokyo, by day", range: rangeOf(firstMs, endMs, DAY_MS) },
    { key: "series_5y_daily_utc", text: "5 years in UTC, by day", range: rangeOf(fromMs, toMs, DAY_MS) },
    { key: "range_4w_hourly", text: "4 weeks, by hour", range: rangeOf(fourWeeksMs, endMs, HOUR_MS) },
    { key: "total_4w", text: "4 weeks in Tokyo, one total", range: rangeOf(fourWeeksMs, endMs, 28 * DAY_MS) },
    { key: "point", text: "one window", range: rangeOf(endMs - WINDOW_MS, endMs, WINDOW_MS) },
  ];
}

function rangeOf(fromMs: number, toMs: number, bucketMs: number): (at: number) => HistoryRange {
  const boundsMs = Array.from({ length: Math.ceil((toMs - fromMs) / bucketMs) }, (_, n) => fromMs + n * bucketMs);
  const spans = [{ fromMs, toMs }];
  return (at) => ({ merchantId: merchantOf(at % options.merchants), spans, boundsMs, currencies: [] });
}

async function sizesOf(admin: ClickHouseClient) {
  const query = `SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts
    WHERE active AND database = 'tally' AND table IN ('windows', 'hours', 'days') GROUP BY table`;
  const answer = await admin.query({ query, format: "JSONEachRow" });
  const rows = z.array(z.object({ table: z.string(), rows: z.coerce.number(), bytes: z.coerce.number() }));
  return rows.parse(await answer.json());
}

async function timed<T>(
  what: string,
  work: () => Promise<T>,
): Promise<{ readonly seconds: number; readonly outcome: T }> {
  const beganMs = performance.now();
  const outcome = await work();
  const seconds = (performance.now() - beganMs) / 1000;
  console.error(`${what} in ${seconds.toFixed(0)} s`);
  return { seconds, outcome };
}

function adminOf({ url, user, password }: ClickHouse): ClickHouseClient {
  const log = { level: ClickHouseLogLevel.OFF };
  return createClient({ url, username: user, password, database: "tally", request_timeout: REQUEST_TIMEOUT_MS, log });
}

function envOf({ url, user, password }: ClickHouse): ReadHistoryEnv {
  return { CLICKHOUSE_URL: url, CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD: password, CLICKHOUSE_DATABASE: "tally" };
}
