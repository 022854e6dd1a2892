import { join } from "node:path";
import { createClient } from "@clickhouse/client";
import { z } from "zod";
import { startClickHouse } from "../scripts/clickhouse.ts";
import { migrateClickHouse } from "../scripts/clickhouse-migrate.ts";
import { createKey } from "../scripts/directory.ts";
import { GRACE_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { REAL_BUNDLES } from "./bundle.ts";
import { measureInHistory, measureVisible, type Parties } from "./freshness-probes.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { median, percentile, significant } from "./numbers.ts";
import { optionsOf } from "./options.ts";
import { makeStateDir, startBenchSystem } from "./system.ts";
import { tableText } from "./table.ts";

const USAGE = `npm run bench:freshness -- [--probes 300] [--async-probes 100] [--json]
  How soon a payment shows: in an answer that was cached a moment before, sent directly and to the log alone; and in ClickHouse, after its
  window has closed. Waits for a window of ten minutes to close: two to twelve minutes.
  --probes        payments sent directly, ten merchants at a time
  --async-probes  payments sent with Prefer: respond-async
  --json          one JSON object as the last line`;

const optionsSchema = z.object({
  probes: z.coerce.number().int().min(1).max(100_000),
  "async-probes": z.coerce.number().int().min(1).max(10_000),
  json: z.boolean(),
});
const options = optionsOf(USAGE, optionsSchema, { probes: "300", "async-probes": "100", json: false });

/** The targets of `bench:freshness`. */
const VISIBLE_P99_MS_MAX = 1_000;
const VISIBLE_ASYNC_P99_MS_MAX = 10_000;
const IN_CLICKHOUSE_P99_MS_MAX = 60_000;
const MERCHANTS_AT_ONCE = 10;
const POLL_MS = 20;
const ASYNC_POLL_MS = 100;
/** Payments that are sent so shortly before the end of a window might be of the next. */
const WINDOW_END_MARGIN_MS = 20_000;

const log = (line: string) => console.error(line);
const startedMs = Date.now();
const stateDir = await makeStateDir();
const clickhouse = await startClickHouse({ dataDir: join(stateDir, "clickhouse") });
try {
  await migrateClickHouse({ url: clickhouse.url, user: clickhouse.user, password: clickhouse.password });
  const failures: string[] = [];
  const system = await startBenchSystem({
    stateDir: join(stateDir, "system"),
    bundles: REAL_BUNDLES,
    clickhouse,
    onLog: (message) => failures.push(message),
  });
  const sql = createClient({
    url: clickhouse.url,
    username: clickhouse.user,
    password: clickhouse.password,
    database: "tally",
  });
  try {
    const key = await createKey(system.runtime.directory, "operator", "bench", startedMs);
    const parties: Parties = {
      ingestUrl: system.runtime.ingestUrl,
      apiUrl: system.runtime.apiUrl,
      sourceKey: system.sourceKey,
      readerKey: key,
    };
    const { probes, "async-probes": asyncProbes } = options;
    const direct = await measureVisible(parties, {
      probes,
      atOnce: MERCHANTS_AT_ONCE,
      pollMs: POLL_MS,
      isAsync: false,
    });
    log(`direct: p99 ${percentile(direct, 99).toFixed(0)} ms`);
    const queued = await measureVisible(parties, {
      probes: asyncProbes,
      atOnce: asyncProbes,
      pollMs: ASYNC_POLL_MS,
      isAsync: true,
    });
    log(`async: p99 ${percentile(queued, 99).toFixed(0)} ms`);
    const startMs = windowStart(Date.now());
    const isLate = Date.now() > startMs + WINDOW_MS - WINDOW_END_MARGIN_MS;
    const closes = isLate ? startMs + WINDOW_MS : startMs;
    log(`waiting for the window to close, ${new Date(closes + WINDOW_MS + GRACE_MS).toISOString()}`);
    const stored = await measureInHistory(parties, sql, closes);
    report(direct, queued, stored);
  } catch (error) {
    log(failures.slice(-5).join("\n"));
    throw error;
  } finally {
    await sql.close();
    await system.stop();
  }
} finally {
  await clickhouse.stop();
}

function report(direct: readonly number[], queued: readonly number[], stored: readonly number[]): void {
  const machine = describeMachine();
  const date = new Date(startedMs).toISOString();
  const results = {
    visible_p50_ms: significant(median(direct)),
    visible_p99_ms: significant(percentile(direct, 99)),
    visible_async_p50_ms: significant(median(queued)),
    visible_async_p99_ms: significant(percentile(queued, 99)),
    in_clickhouse_after_close_p50_ms: significant(median(stored)),
    in_clickhouse_after_close_p99_ms: significant(percentile(stored, 99)),
  };
  if (options.json) {
    const { probes, "async-probes": async_probes } = options;
    console.log(JSON.stringify({ ...results, probes, async_probes, machine, date }));
    return;
  }
  const targets: Readonly<Record<string, number>> = {
    visible_p99_ms: VISIBLE_P99_MS_MAX,
    visible_async_p99_ms: VISIBLE_ASYNC_P99_MS_MAX,
    in_clickhouse_after_close_p99_ms: IN_CLICKHOUSE_P99_MS_MAX,
  };
  const rows = Object.entries(results).map(([name, ms]) => [
    name.replaceAll("_", " "),
    String(ms),
    String(targets[name] ?? ""),
  ]);
  console.log(`${tableText([["", "measured", "at most"], ...rows])}\n\n${machineLine(machine)}\n${date}`);
}
