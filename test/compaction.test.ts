import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { R2Bucket } from "@cloudflare/workers-types";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClickHouse } from "../scripts/clickhouse.ts";
import type { PaymentEventInput } from "../scripts/event-input.ts";
import { differences, loadTruth, storedHistory, truth } from "../scripts/ground-truth.ts";
import { archivedKind } from "../shared/archive-key.ts";
import { hashUser } from "../shared/identity.ts";
import { sipKeyFromHex } from "../shared/siphash.ts";
import { DAY_MS, HOUR_MS, windowStart } from "../shared/window.ts";
import { type HeldRequests, holdParquet } from "./held-requests.ts";
import { killClickHouse, killWorkers, startAgain } from "./killing.ts";
import { shopEvents } from "./shop.ts";
import { PROMPTLY, startTestSystem, type TestSystem, until } from "./system.ts";

const EVENTS = 2_000;
const LATE_EVENTS = 600;
const REQUEST_EVENTS = 1_000;
const HOURS = 16;
/** The log need not wait for a direct call then. */
const ASYNC = { Prefer: "respond-async" };
const endMs = windowStart(Date.now()) - 4 * DAY_MS;
const toMs = endMs - (endMs % HOUR_MS);
const span = { fromMs: toMs - HOURS * HOUR_MS, toMs };

let dir: string;
let tally: TestSystem;
/** As it was started last. */
let clickhouse: ClickHouse;
let parquet: HeldRequests;
const sent: PaymentEventInput[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "tally-compaction-"));
  parquet = await holdParquet(() => tally.runtime.archiveS3.url);
  tally = await startTestSystem(dir, { aggregateVars: { ...PROMPTLY, ARCHIVE_S3_URL: parquet.url } });
  clickhouse = tally.clickhouse;
  // The audit comes first, and has nothing to do.
  await tally.runtime.runCron();
});
afterAll(async () => {
  await tally?.stop();
  await clickhouse?.stop();
  await parquet?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Sends events, all of them too late for a shard, and some of them again; waits until they are counted. */
async function send(seed: string, count: number): Promise<void> {
  const events = shopEvents({ seed, count, ...span });
  const again = count / 10;
  for (let at = 0; at < count - again; at += REQUEST_EVENTS)
    await tally.send(events.slice(at, Math.min(at + REQUEST_EVENTS, count - again)), ASYNC);
  // With the last of them: when those are counted, nothing is on its way any more.
  await tally.send([...events.slice(0, again), ...events.slice(-again)], ASYNC);
  sent.push(...events);
  await loadTruth(tally.sql, Readable.from(sent.map((event) => `${JSON.stringify(event)}\n`)));
  const expected = await truth(tally.sql);
  await until("everything in history", async () =>
    differences(expected, await storedHistory(tally.sql)).length === 0 ? true : undefined,
  );
  await until("all late windows rebuilt", async () => ((await countOf("late_windows")) === 0 ? true : undefined));
}

/** Miniflare's earlier handles end with the workerd they were made for. */
async function countOf(table: "late_windows" | "uncompacted_hours"): Promise<number> {
  const directory = await tally.runtime.miniflare.getD1Database("DIRECTORY", "tally-api");
  return (await directory.prepare(`SELECT count(*) AS n FROM ${table}`).first<number>("n")) ?? -1;
}

async function archive(): Promise<R2Bucket> {
  return (await tally.runtime.miniflare.getR2Bucket("ARCHIVE", "tally-aggregate")) as unknown as R2Bucket;
}

async function keysOf(kind: ReturnType<typeof archivedKind>): Promise<string[]> {
  const { objects } = await (await archive()).list({ prefix: "raw/v1/" });
  return objects.map(({ key }) => key).filter((key) => archivedKind(key) === kind);
}

/** Hours that wait are as if they had been quiet for long, and nothing had failed lately. */
async function haveAllDue(): Promise<void> {
  const directory = await tally.runtime.miniflare.getD1Database("DIRECTORY", "tally-api");
  await directory.prepare("UPDATE uncompacted_hours SET first_noted_at = 0, last_noted_at = 0, retry_at = 0").run();
}

async function runDueCron(): Promise<void> {
  await haveAllDue();
  await tally.runtime.runCron();
}

async function compactAll(): Promise<void> {
  await until("all hours compacted", async () => {
    // An hour in which a pass died may wait on, for nothing but a file that is too young to be removed.
    const directory = await tally.runtime.miniflare.getD1Database("DIRECTORY", "tally-api");
    const waiting = "SELECT 1 FROM uncompacted_hours WHERE retry_at = 0 OR failure IS NOT NULL";
    if ((await directory.prepare(waiting).first()) === null) return true;
    await runDueCron();
    return undefined;
  });
}

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly events: number;
  readonly windows: Readonly<Record<string, number>>;
  readonly damaged_objects: readonly { readonly key: string; readonly reason: string }[];
}

interface Audit {
  readonly archive: {
    readonly hours_waiting: number;
    readonly hours_failing: number;
    readonly failure: string | null;
  };
}

async function replay({ fromMs, toMs } = span): Promise<Shown> {
  const answer = await fetch(`${tally.runtime.apiUrl}/v1/admin/replays`, {
    method: "POST",
    headers: { Authorization: `Bearer ${tally.operatorKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ from: fromMs, to: toMs }),
  });
  const { id } = (await answer.json()) as Shown;
  return await until("the replay to end", async () => {
    const shown = (await (await tally.read(`/v1/admin/replays/${id}`)).json()) as Shown;
    return shown.state === "done" ? shown : undefined;
  });
}

/** Everything sent stands in Parquet and nowhere else, and comes to what history has. */
async function expectCompacted(): Promise<void> {
  expect(await keysOf("lines")).toEqual([]);
  // ClickHouse may finish a file that nobody waits for any more; the hour's next pass removes it.
  expect((await keysOf("parquet")).length).toBeGreaterThanOrEqual((await keysOf("manifest")).length);
  const windows = (await truth(tally.sql)).length;
  expect(await replay()).toMatchObject({
    events: sent.length,
    windows: { equal: windows, changed: 0, missing: 0, short: 0, unarchived: 0 },
    damaged_objects: [],
  });
}

/** Has hours to be compacted begun with, and resolves in the middle of it: of some the Parquet is there, of one ClickHouse is writing it. */
async function midCompaction(): Promise<void> {
  const before = await countOf("uncompacted_hours");
  expect(before).toBeGreaterThan(HOURS / 2);
  parquet.hold();
  await runDueCron();
  for (let hour = 0; hour < 2; hour += 1) {
    await parquet.held();
    parquet.goOn();
  }
  await parquet.held();
  expect(await countOf("uncompacted_hours")).toBeLessThan(before);
}

test("hours that are final and audited are made into Parquet, from which a replay counts what it counted from the objects", async () => {
  await send("first", EVENTS);
  const before = await replay();
  expect((await keysOf("lines")).length).toBeGreaterThan(HOURS / 2);
  await compactAll();
  await expectCompacted();
  expect((await replay()).windows).toEqual(before.windows);
});

test("late events of compacted hours are counted beside the Parquet, and folded into it; an object that is cut off stays, and is named", async () => {
  await send("late", LATE_EVENTS);
  const audit = (await (await tally.read("/v1/admin/audit")).json()) as Audit;
  expect(audit.archive.hours_waiting).toBeGreaterThan(0);
  const bucket = await archive();
  const [key = ""] = await keysOf("lines");
  const bytes = new Uint8Array((await (await bucket.get(key))?.arrayBuffer()) ?? new ArrayBuffer(0));
  await bucket.put(key, bytes.slice(0, bytes.length - 20));
  await compactAll();
  expect(await keysOf("lines")).toEqual([key]);
  expect((await replay()).damaged_objects.map((object) => object.key)).toEqual([key]);
  await bucket.put(key, bytes);
  // Whoever reads the hour finds that there is something to compact.
  await replay();
  await compactAll();
  await expectCompacted();
});

test("a compaction that fails is put off, and keeps a replay of many parts from nothing", async () => {
  await send("failing", LATE_EVENTS);
  const bucket = await archive();
  const manifests = await keysOf("manifest");
  const whole = await Promise.all(manifests.map(async (key) => (await (await bucket.get(key))?.text()) ?? ""));
  for (const key of manifests) await bucket.put(key, "no manifest");
  await haveAllDue();
  // A part is a month of nothing. Each would be half a minute after the other if it were the alarm that failed.
  const { state, windows } = await replay({ fromMs: span.fromMs - 300 * DAY_MS, toMs: span.fromMs - HOUR_MS });
  expect({ state, equal: windows.equal }).toEqual({ state: "done", equal: 0 });
  const { archive: waiting } = (await (await tally.read("/v1/admin/audit")).json()) as Audit;
  expect(waiting.hours_failing).toBeGreaterThan(0);
  expect(waiting.failure).toContain("the manifest cannot be read");
  for (const [at, key] of manifests.entries()) await bucket.put(key, whole[at] ?? "");
  await compactAll();
  await expectCompacted();
});

test("kill -9 of ClickHouse in the middle of compaction loses nothing", async () => {
  await send("clickhouse-killed", LATE_EVENTS);
  await midCompaction();
  await killClickHouse(clickhouse);
  parquet.letGo();
  expect(await countOf("uncompacted_hours")).toBeGreaterThan(0);
  clickhouse = await startAgain(tally);
  await compactAll();
  await expectCompacted();
});

test("kill -9 of the Workers in the middle of compaction loses nothing", async () => {
  await send("workers-killed", LATE_EVENTS);
  await midCompaction();
  await killWorkers(tally);
  parquet.letGo();
  expect(await countOf("uncompacted_hours")).toBeGreaterThan(0);
  await compactAll();
  await expectCompacted();
});

const erasedToMs = span.fromMs + 4 * HOUR_MS;

interface Erasure {
  readonly id: string;
  readonly state: string;
  readonly events: number;
  readonly files: number;
}

async function beginErasure(user_hashes: readonly string[]): Promise<string> {
  const answer = await fetch(`${tally.runtime.apiUrl}/v1/admin/erasures`, {
    method: "POST",
    headers: { Authorization: `Bearer ${tally.operatorKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ user_hashes, to: erasedToMs }),
  });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as Erasure).id;
}

async function untilErased(id: string): Promise<Erasure> {
  return await until("the users to be erased", async () => {
    // An alarm that dies with its Worker is the cron's to ring again, and a pass that found ClickHouse away waits no ten minutes here.
    const directory = await tally.runtime.miniflare.getD1Database("DIRECTORY", "tally-api");
    await directory.prepare("UPDATE erasures SET retry_at = 0").run();
    await tally.runtime.runCron();
    const shown = (await (await tally.read(`/v1/admin/erasures/${id}`)).json()) as Erasure;
    return shown.state === "done" ? shown : undefined;
  });
}

/** Single events as the archive has them, of the hours that users are erased from. */
async function listedEvents(): Promise<string> {
  const merchants = [...new Set(sent.map(({ merchant_id }) => merchant_id))];
  const query = `from=${span.fromMs}&to=${erasedToMs}&format=csv`;
  const lists = merchants.map((id) =>
    until("a whole table", async () => {
      const answer = await tally.read(`/v1/merchants/${id}/events?${query}`);
      // One for which there was no time is refused, or broken off.
      return answer.ok ? await answer.text().catch(() => undefined) : undefined;
    }),
  );
  return (await Promise.all(lists)).join("\n");
}

/** Windows as they stand in history, sketches and all. */
async function storedWindows(): Promise<unknown[]> {
  const answer = await tally.sql.query({
    query: "SELECT * FROM windows FINAL ORDER BY merchant_id, currency, window_start",
    format: "JSONEachRow",
  });
  return await answer.json();
}

test("users are erased from the archive through a kill -9; every number stays, and the counters still audit", async () => {
  if (sent.length === 0) await send("erased", EVENTS);
  const userKey = sipKeyFromHex(tally.secrets.userKey);
  const early = sent.filter(({ occurred_at }) => Number(occurred_at) < erasedToMs);
  const users = [...new Set(early.flatMap(({ user }) => (user?.id == null ? [] : [user.id])))];
  const [kept = "", ...erased] = users.slice(0, 40).map((id) => hashUser(userKey, id));
  expect(erased.length).toBeGreaterThan(10);
  const before = { events: await listedEvents(), windows: await storedWindows(), replay: (await replay()).windows };
  for (const hash of [kept, ...erased]) expect(before.events).toContain(hash);

  const begun = await beginErasure(erased);
  await killWorkers(tally);
  const first = await untilErased(begun);
  expect(first.files).toBeGreaterThan(1);
  const after = await listedEvents();
  expect(after.split("\n").length).toBe(before.events.split("\n").length);
  for (const hash of erased) expect(after).not.toContain(hash);
  expect(after).toContain(kept);
  expect(await storedWindows()).toEqual(before.windows);
  expect((await replay()).windows).toEqual(before.replay);

  // Once more there is nothing left to do, and what was asked for stands nowhere but as a call.
  expect(await untilErased(await beginErasure(erased))).toMatchObject({ events: 0, files: 0 });
  const log = await (await tally.read("/v1/admin/log?limit=1000")).text();
  expect(log).toContain("/v1/admin/erasures");
  const directory = await tally.runtime.miniflare.getD1Database("DIRECTORY", "tally-api");
  const written = JSON.stringify((await directory.prepare("SELECT * FROM erasures").all()).results) + log;
  for (const hash of erased) expect(written).not.toContain(hash);
});
