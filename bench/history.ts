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
import { significant } from "./numbers.ts";
import { optionsOf } from "./options.ts";
import { measureParquetSpeedup } from "./parquet-speedup.ts";
import { measureReplays } from "./replay-speed.ts";
import { makeStateDir } from "./system.ts";

const USAGE = `npm run bench:history -- [--rounds 31] [--merchants 40] [--years 5] [--replay-rounds 5] [--data DIR] [--json]
  What it takes to read history: spans of years and weeks and a single window, over generated windows, each of them filled, and their roll-ups.
  --rounds     times each question is asked, of one merchant after another, of which the median counts; three more are thrown away
  --merchants  merchants there are
  --years      years of windows each has
  --replay-rounds  times that an hour of events is counted live and by a replay, in turn; 0 for none
  --data       folder that keeps the windows and roll-ups, which take ten minutes to make; those that are there already are read again,
               whatever merchants and years are asked for
  --json       one JSON object as the last line`;

const optionsSchema = z.object({
  rounds: z.coerce.number().int().min(1).max(1_000),
  merchants: z.coerce.number().int().min(1).max(10_000),
  years: z.coerce.number().min(0.1).max(5),
  "replay-rounds": z.coerce.number().int().min(0).max(100),
  data: z.string(),
  json: z.boolean(),
});
const options = optionsOf(USAGE, optionsSchema, {
  rounds: "31",
  merchants: "40",
  years: "5",
  "replay-rounds": "5",
  data: "",
  json: false,
});

/** For queries, merges and caches; a merchant's five years take a few hundred megabytes to read window by window. */
const MEMORY_BYTES_MAX = 6 * 1024 ** 3;
const REQUEST_TIMEOUT_MS = 600_000;
/** The last days are not final yet, and would have no roll-ups. */
const UNFINISHED_DAYS = 3;
/** Days of Tokyo begin at 15:00 UTC: those of most merchants, like theirs, are none of UTC. */
const ZONE_OFFSET_MS = 9 * HOUR_MS;

const log = (line: string) => console.error(line);
const startedMs = Date.now();
const replayRounds = options["replay-rounds"];
// By itself, before there is another ClickHouse on the same cores.
const replays = replayRounds === 0 ? undefined : await measureReplays({ rounds: replayRounds, log });
const server = await startClickHouse({
  dataDir: options.data === "" ? join(await makeStateDir(), "clickhouse") : options.data,
  maxMemoryBytes: MEMORY_BYTES_MAX,
});
try {
  const admin = adminOf(server);
  const env = envOf(server);
  await migrateClickHouse({ url: server.url, user: server.user, password: server.password });
  const kept = await keptHistory(admin);
  const data = kept ?? newHistory();
  if (kept === undefined) await timed("windows generated", () => generateHistory(admin, data));
  const rolledUp = await timed("rolled up", () =>
    rollUp(env, () => startedMs + CHANGES_SETTLE_MS + HOUR_MS, undefined),
  );
  // As background merges leave them after some hours.
  for (const table of ["windows", "roll_ups"]) {
    await admin.command({ query: `OPTIMIZE TABLE ${table} FINAL SETTINGS optimize_skip_merged_partitions = 1` });
  }
  const reads = await measureReads(env, questionsOf(data), { ...options, log });
  const parquet = await measureParquetSpeedup(server, log);
  const years = significant((data.toMs - data.fromMs) / (365.25 * DAY_MS));
  const { rounds, json } = options;
  const figures = { reads, sizes: await sizesOf(admin), rolledUp, replays, parquet };
  reportHistory(figures, { rounds, merchants: data.merchants, years, json, startedMs });
  await admin.close();
} finally {
  await server.stop();
}

function newHistory(): HistoryData {
  const toMs = Math.floor(startedMs / DAY_MS) * DAY_MS - UNFINISHED_DAYS * DAY_MS;
  return { merchants: options.merchants, fromMs: toMs - Math.floor(options.years * 365.25) * DAY_MS, toMs };
}

/** What is there from an earlier run. */
async function keptHistory(admin: ClickHouseClient): Promise<HistoryData | undefined> {
  const query = `SELECT uniqExact(merchant_id) AS merchants, toUnixTimestamp(min(window_start)) AS first, toUnixTimestamp(max(window_start)) AS last
    FROM windows`;
  const answer = await admin.query({ query, format: "JSONEachRow" });
  const row = z.object({ merchants: z.coerce.number(), first: z.coerce.number(), last: z.coerce.number() });
  const [{ merchants, first, last }] = z.tuple([row]).parse(await answer.json());
  return merchants === 0 ? undefined : { merchants, fromMs: first * 1000, toMs: last * 1000 + WINDOW_MS };
}

/** What is asked, of each merchant the same. */
function questionsOf({ merchants, fromMs, toMs }: HistoryData): readonly Question[] {
  const rangeOf = (fromMs: number, toMs: number, bucketMs: number) => rangeFor(merchants, fromMs, toMs, bucketMs);
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

function rangeFor(merchants: number, fromMs: number, toMs: number, bucketMs: number): (at: number) => HistoryRange {
  const boundsMs = Array.from({ length: Math.ceil((toMs - fromMs) / bucketMs) }, (_, n) => fromMs + n * bucketMs);
  const spans = [{ fromMs, toMs }];
  return (at) => ({ merchantId: merchantOf(at % merchants), spans, boundsMs, currencies: [] });
}

async function sizesOf(admin: ClickHouseClient) {
  // The partitions of roll-ups begin with their tier.
  const query = `SELECT if(table = 'windows', table, extract(partition, '\\w+')) AS tier, sum(rows) AS rows, sum(bytes_on_disk) AS bytes
    FROM system.parts WHERE active AND database = 'tally' AND table IN ('windows', 'roll_ups') GROUP BY tier`;
  const answer = await admin.query({ query, format: "JSONEachRow" });
  const rows = z.array(z.object({ tier: z.string(), rows: z.coerce.number(), bytes: z.coerce.number() }));
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
