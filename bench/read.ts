import { join } from "node:path";
import { type ClickHouseClient, createClient } from "@clickhouse/client";
import { z } from "zod";
import { type ClickHouse, startClickHouse } from "../scripts/clickhouse.ts";
import { migrateClickHouse } from "../scripts/clickhouse-migrate.ts";
import { createKey, putMerchants } from "../scripts/directory.ts";
import { DAY_MS, HOUR_MS } from "../shared/window.ts";
import { rollUp } from "../workers/aggregate/roll-up.ts";
import { CHANGES_SETTLE_MS } from "../workers/aggregate/roll-up-pass.ts";
import type { ReadHistoryEnv } from "../workers/api/retention.ts";
import { REAL_BUNDLES } from "./bundle.ts";
import { startFloor } from "./floor.ts";
import { generateHistory, type HistoryData, merchantOf } from "./history-data.ts";
import { runLive } from "./live-run.ts";
import { paymentLoad } from "./load.ts";
import { optionsOf } from "./options.ts";
import { measureCached } from "./read-cached.ts";
import { reportReads } from "./read-report.ts";
import { measureCsv, measureHistory, measureRecent, type ReadApi } from "./read-uncached.ts";
import { post } from "./send.ts";
import { type BenchSystem, makeStateDir, startBenchSystem } from "./system.ts";

const USAGE = `npm run bench:read -- [--rounds 15] [--requests 4000] [--reads 60] [--merchants 6] [--json]
  What reads cost: a cached report beside a Worker that says hello, recent spans from the shard, a year by day from ClickHouse, and a thousand
  listeners to what is live.
  --rounds     times that cached reports and hellos are asked for in turn; the median counts, four more are thrown away
  --requests   of each, in a round
  --reads      reads of history that find nothing in the cache
  --merchants  merchants with 14 months of windows, each of them filled
  --json       one JSON object as the last line`;

const optionsSchema = z.object({
  rounds: z.coerce.number().int().min(1).max(1_000),
  requests: z.coerce.number().int().min(100).max(1_000_000),
  reads: z.coerce.number().int().min(1).max(1_000),
  merchants: z.coerce.number().int().min(1).max(1_000),
  json: z.boolean(),
});
const options = optionsOf(USAGE, optionsSchema, {
  rounds: "15",
  requests: "4000",
  reads: "60",
  merchants: "6",
  json: false,
});

const MEMORY_BYTES_MAX = 4 * 1024 ** 3;
const REQUEST_TIMEOUT_MS = 600_000;
/** The last days are not final yet, and would have no roll-ups. */
const UNFINISHED_DAYS = 3;
/** A year, and a day for each round of the merchants. */
const DAYS = 425;
const RECENT_EVENTS = 2_000;
const RECENT_MERCHANTS = 40;
const CSV_ROUNDS = 9;
const LIVE_LISTENERS = 1_200;
/** Beyond twenty seconds there are comments in a stream. */
const LIVE_IDLE_MS = 45_000;

const log = (line: string) => console.error(line);
const startedMs = Date.now();
const stateDir = await makeStateDir();
const clickhouse = await startClickHouse({ dataDir: join(stateDir, "clickhouse"), maxMemoryBytes: MEMORY_BYTES_MAX });
try {
  // Before anything else: what listeners take is told by how much memory grows.
  const live = await runLive({ listeners: LIVE_LISTENERS, idleMs: LIVE_IDLE_MS, log });
  const data = await fillHistory(clickhouse);
  const failures: string[] = [];
  const hello = await startFloor(stateDir, "hello");
  const system = await startBenchSystem({
    stateDir: join(stateDir, "system"),
    bundles: REAL_BUNDLES,
    clickhouse,
    onLog: (message) => failures.push(message),
  });
  try {
    const merchants = Array.from({ length: data.merchants }, (_, at) => merchantOf(at));
    const homes = merchants.map((id) => ({ id, name: id, timezone: "Asia/Tokyo", currency: "JPY" }));
    await putMerchants(system.runtime.directory, homes, startedMs);
    const key = await createKey(system.runtime.directory, "operator", "bench", startedMs);
    const api: ReadApi = { url: system.runtime.apiUrl, headers: { Authorization: `Bearer ${key}` } };

    const historyMs = await measureHistory(api, envOf(clickhouse), data, options.reads);
    log("history read");
    const csvPerSecond = await measureCsv(api, data, CSV_ROUNDS);
    log("CSV read");
    const recent = await sendRecent(system);
    const recentMs = await measureRecent(api, recent, Date.now());
    log("recent spans read");
    const report = {
      url: `${api.url}/v1/merchants/${merchantOf(0)}/report?at=${data.toMs - DAY_MS}`,
      headers: {
        Authorization: `Bearer ${await createKey(system.runtime.directory, "merchant", merchantOf(0), startedMs)}`,
      },
    };
    const cached = await measureCached(report, system.pid, hello, { ...options, log });
    reportReads({ cached, historyMs, recentMs, csvPerSecond, live }, { ...options, startedMs });
  } catch (error) {
    log(failures.slice(-5).join("\n"));
    throw error;
  } finally {
    await system.stop();
    await hello.stop();
  }
} finally {
  await clickhouse.stop();
}

/** Windows and their roll-ups, as background merges leave them after some hours. */
async function fillHistory(server: ClickHouse): Promise<HistoryData> {
  await migrateClickHouse({ url: server.url, user: server.user, password: server.password });
  const toMs = Math.floor(startedMs / DAY_MS) * DAY_MS - UNFINISHED_DAYS * DAY_MS;
  const data = { merchants: options.merchants, fromMs: toMs - DAYS * DAY_MS, toMs };
  const admin = adminOf(server);
  await generateHistory(admin, data);
  await rollUp(envOf(server), () => startedMs + CHANGES_SETTLE_MS + HOUR_MS, undefined);
  for (const table of ["windows", "roll_ups"]) {
    await admin.command({ query: `OPTIMIZE TABLE ${table} FINAL SETTINGS optimize_skip_merged_partitions = 1` });
  }
  await admin.close();
  log("history filled");
  return data;
}

/** Payments of just now; answers some of the merchants that have them. */
async function sendRecent({ runtime, sourceKey }: BenchSystem): Promise<string[]> {
  const next = paymentLoad({ seed: "read", merchants: RECENT_MERCHANTS });
  const events = Array.from({ length: RECENT_EVENTS }, () => next(Date.now() - Math.floor(Math.random() * HOUR_MS)));
  const headers = { Authorization: `Bearer ${sourceKey}`, "Content-Type": "application/json" };
  const answer = await post({ url: `${runtime.ingestUrl}/v1/events`, headers }, Buffer.from(JSON.stringify(events)));
  if (answer.status !== 200) throw new Error(`events are answered ${answer.status}: ${answer.text}`);
  return [...new Set(events.map(({ merchant_id }) => merchant_id))];
}

function adminOf({ url, user, password }: ClickHouse): ClickHouseClient {
  return createClient({ url, username: user, password, database: "tally", request_timeout: REQUEST_TIMEOUT_MS });
}

function envOf({ url, user, password }: ClickHouse): ReadHistoryEnv {
  return { CLICKHOUSE_URL: url, CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD: password, CLICKHOUSE_DATABASE: "tally" };
}
