import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@clickhouse/client";
import { createKey, putMerchants, putSource } from "../../scripts/directory.ts";
import { buildDurableWorkers } from "../../scripts/durable-queues/bundle.ts";
import type { PaymentEventInput } from "../../scripts/event-input.ts";
import { startLocalSystem, WORKERS_STATE_DIR } from "../../scripts/local-system.ts";
import { WORKERD_PID_FILE } from "../../scripts/runtime.ts";
import { sleep } from "../../scripts/sleep.ts";
import { findWorkerd } from "../../scripts/workerd-process.ts";
import { archivedKind } from "../../shared/archive-key.ts";
import { DAY_MS, HOUR_MS, WINDOW_MS, windowStart } from "../../shared/window.ts";
import { shopEvents } from "../shop.ts";
import { EVENTS_FILE, pack, startQueues } from "./released-state.ts";

const HELP = `Records what this version leaves on disk, for later ones to be tried on (test/released.test.ts). Run it when a version is released.

  node test/released/record.ts VERSION

  Writes test/released/VERSION.tar.gz: events that are archived as objects and as Parquet, counted in pages and in a journal, and some that still wait in queues.
  The test of it passes a quarter of an hour later at the soonest: until then its last window is open.
`;

const LATE_EVENTS = 600;
const LATE_HOURS = 3;
const RECENT_EVENTS = 600;
const RECENT_WINDOWS = 18;
const WAITING_EVENTS = 60;
const REQUEST_EVENTS = 100;
const WAIT_MS_MAX = 120_000;
const POLL_MS = 100;

const [version] = process.argv.slice(2);
if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
  process.stdout.write(HELP);
  process.exit(version === "--help" ? 0 : 2);
}

const dir = await mkdtemp(join(tmpdir(), "tally-record-"));
const bundleDir = join(dir, "bundles");
await buildDurableWorkers(bundleDir);
const queues = await startQueues(dir);
const tally = await startLocalSystem({
  stateDir: dir,
  bundleDir,
  queues,
  ports: { ingest: 0, api: 0, clickhouse: 0 },
  // No window stays in memory but those of the last hour and a half: the rest are pages, the identities of the larger ones sealed.
  aggregateVars: { CORRECTION_DELAY_MS: "300", LATE_DELAY_MS: "300", RESIDENT_BYTES_MAX: "0", SEALED_EVENTS_MIN: "20" },
});
const { directory, ingestUrl } = tally.runtime;
const nowMs = Date.now();
await putSource(directory, { id: "shop", name: "Shop", merchants: null }, nowMs);
await putMerchants(directory, [{ id: "Japan", name: "Japan", timezone: "Asia/Tokyo", currency: "JPY" }], nowMs);
const key = await createKey(directory, "source", "shop", nowMs);
const sent: PaymentEventInput[] = [];

try {
  const lateMs = windowStart(nowMs) - 10 * DAY_MS;
  const hourMs = lateMs - (lateMs % HOUR_MS);
  const late = { fromMs: hourMs - LATE_HOURS * HOUR_MS, toMs: hourMs };
  await send(shopEvents({ seed: "early", count: LATE_EVENTS, ...late }), { Prefer: "respond-async" });
  await lateCounted();
  await until("Parquet in the archive", async () => {
    await directory.exec("UPDATE uncompacted_hours SET first_noted_at = 0, last_noted_at = 0, retry_at = 0");
    await tally.runtime.runCron();
    return (await archivedKinds()).has("parquet");
  });
  await send(shopEvents({ seed: "later", count: LATE_EVENTS / 2, ...late }), { Prefer: "respond-async" });
  await lateCounted();

  // From here on history takes nothing: what is counted stays with the shards, and waits in queues.
  await tally.clickhouse.stop();
  const recent = { fromMs: windowStart(nowMs) - RECENT_WINDOWS * WINDOW_MS, toMs: nowMs };
  await send(shopEvents({ seed: "recent", count: RECENT_EVENTS, ...recent }));
  await until("windows to wait for history", async () => (queues.store.backlog()["tally-windows"] ?? 0) > 0);
  await send(shopEvents({ seed: "direct", count: WAITING_EVENTS, ...recent }));
  await send(shopEvents({ seed: "queued", count: WAITING_EVENTS, ...recent }), { Prefer: "respond-async" });
  const pid = await findWorkerd(join(dir, WORKERS_STATE_DIR, WORKERD_PID_FILE));
  if (pid === undefined) throw new Error("workerd is not there");
  await queues.stop();
  process.kill(pid, "SIGKILL");
  await writeFile(join(dir, EVENTS_FILE), sent.map((event) => `${JSON.stringify(event)}\n`).join(""));
  const file = await pack(dir, version);
  const { size } = await stat(file);
  console.log(`${file}: ${sent.length} events, ${Math.ceil(size / 1024)} KB`);
} finally {
  await tally.stop().catch(() => {});
  await rm(dir, { recursive: true, force: true });
}
process.exit();

async function send(
  events: readonly PaymentEventInput[],
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (let at = 0; at < events.length; at += REQUEST_EVENTS) {
    const part = events.slice(at, at + REQUEST_EVENTS);
    const answer = await fetch(`${ingestUrl}/v1/events`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...headers },
      body: JSON.stringify(part),
    });
    if (!answer.ok) throw new Error(`events are answered ${answer.status}: ${await answer.text()}`);
    await answer.body?.cancel();
    sent.push(...part);
  }
}

async function lateCounted(): Promise<void> {
  const { url, user: username, password } = tally.clickhouse;
  const sql = createClient({ url, username, password, database: "tally" });
  await until("late events to be counted", async () => {
    const answer = await sql.query({
      query: "SELECT sum(payments_count + refunds_count) AS n FROM windows FINAL",
      format: "JSONEachRow",
    });
    const [{ n = "0" } = {}] = await answer.json<{ n: string }>();
    return Number(n) === sent.length;
  });
  await sql.close();
}

async function archivedKinds(): Promise<ReadonlySet<string>> {
  const bucket = await tally.runtime.miniflare.getR2Bucket("ARCHIVE", "tally-aggregate");
  const { objects } = await bucket.list({ prefix: "raw/v1/" });
  return new Set(objects.map((object) => archivedKind(object.key)));
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + WAIT_MS_MAX;
  while (!(await isSo())) {
    if (Date.now() > endMs) throw new Error(`waited for ${what} for ${WAIT_MS_MAX / 1_000} s`);
    await sleep(POLL_MS);
  }
}
