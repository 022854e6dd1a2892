import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClickHouse } from "../scripts/clickhouse.ts";
import { type QueueService, startQueueService } from "../scripts/durable-queues/queue-service.ts";
import { readQueues, withSettings } from "../scripts/durable-queues/queue-settings.ts";
import { differenceOf, Ledger, NO_DIFFERENCE, type WindowTotals } from "../scripts/ledger.ts";
import { integerBetween, seededRandom } from "../scripts/seeded-random.ts";
import { sleep } from "../scripts/sleep.ts";
import { completeThrough, finalHoursThrough, HOUR_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { durableBundles } from "./durable-bundles.ts";
import { type HeldRequests, holdInserts } from "./held-requests.ts";
import { type SenderOptions, sendInsistently } from "./insistent-sender.ts";
import { killClickHouse, killWorkers, startAgain } from "./killing.ts";
import { totalsOfApi, totalsOfHistory } from "./shown-totals.ts";
import { PROMPTLY, startTestSystem, type TestSystem, until } from "./system.ts";

const SEED = process.env.TALLY_SEED ?? "history-faults";
/** Of ClickHouse and of the Workers, in turn, in the middle of load. */
const KILLS = 6;
const SENDERS_ON_TIME = 2;
/** Windows before the one that is open now that get events on time. */
const WINDOWS_BEFORE = 3;
/** Hours that get late events, all of which the first audit covers. */
const LATE_HOURS = 8;
/** Of the archive, a part of a replay: so little that a replay takes some seconds. */
const REPLAY_BYTES_MAX = 8_000;

const random = seededRandom(SEED, "kill");
const ledger = new Ledger();
const nowMs = Date.now();
const onTime = { fromMs: windowStart(nowMs) - WINDOWS_BEFORE * WINDOW_MS, toMs: nowMs };
const lateToMs = finalHoursThrough(nowMs - HOUR_MS);
const late = { fromMs: lateToMs - LATE_HOURS * HOUR_MS, toMs: lateToMs };

let dir: string;
let queues: QueueService;
let tally: TestSystem;
/** As it was started last. */
let clickhouse: ClickHouse;
/** Windows before it are in history, as of the last look. */
let closedMs = completeThrough(nowMs);
/** What ClickHouse counts anew. */
let counting: HeldRequests;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "tally-history-faults-"));
  const bundleDir = await durableBundles();
  queues = await startQueueService({
    path: join(dir, "queues.sqlite"),
    queues: withSettings(readQueues(), { maxBatchTimeoutMs: 200 }),
    leaseMs: 20_000,
    random: seededRandom(SEED, "queues"),
    newId: randomUUID,
    repeatShare: 0.02,
  });
  const aggregateVars = { ...PROMPTLY, REPLAY_BYTES_MAX: String(REPLAY_BYTES_MAX) };
  tally = await startTestSystem(dir, { bundleDir, queues, aggregateVars });
  clickhouse = tally.clickhouse;
  counting = await holdInserts(tally.sql, "recounted_windows");
  // The first audit has nothing to do; the crons that follow are for what waits.
  await tally.runtime.runCron();
});
afterAll(async () => {
  await tally?.stop();
  await clickhouse?.stop();
  await queues?.stop();
  await counting?.stop();
  await rm(dir, { recursive: true, force: true });
});

test("kill -9 of ClickHouse and of the Workers in the middle of load, on time and late: metrics and history are what was acknowledged", async () => {
  const stop = new AbortController();
  const acknowledged = { requests: 0 };
  const sendTo = (seed: string, over: Pick<SenderOptions, "fromMs" | "toMs" | "isLate">) =>
    sendInsistently(
      {
        seed: `${SEED}-${seed}`,
        target: { url: tally.runtime.ingestUrl, key: tally.sourceKey },
        ...over,
        stop: stop.signal,
        onAcknowledged: () => {
          acknowledged.requests += 1;
        },
      },
      ledger,
    );
  const senders = [
    ...Array.from({ length: SENDERS_ON_TIME }, (_, at) => sendTo(`${at}`, onTime)),
    sendTo("late", { ...late, isLate: true }),
  ];
  // A sender that fails ends the test at once, not after all the kills.
  await Promise.race([killInTurn(acknowledged), Promise.all(senders)]);
  stop.abort();
  const counts = await Promise.all(senders);
  expect(counts.some(({ repeated }) => repeated > 0)).toBe(true);
  await untilSettled();
  expect(await shownDifference()).toEqual(NO_DIFFERENCE);
});

test("kill -9 of both in the middle of a replay: it goes on, tells of each window once, and leaves history as it should be", async () => {
  const { changed, missing } = await damageHistory();
  counting.hold();
  const id = await beginReplay();
  for (const kill of [killAndStartClickHouse, () => killWorkers(tally), killAndStartClickHouse]) {
    await untilCounting(id);
    await kill();
    // The Replayer waits half a minute after a pass that failed; the cron does not.
    await tally.runtime.runCron();
  }
  counting.letGo();
  const windows = lateWindows(ledger.totals()).length;
  const nothing = { short: 0, unarchived: 0 };
  expect(await ended(id)).toMatchObject({
    windows: { ...nothing, equal: windows - changed - missing, changed, missing },
    damaged_objects: [],
  });
  expect(await storedDifference()).toEqual(NO_DIFFERENCE);
  const again = await ended(await beginReplay());
  expect(again.windows).toEqual({ ...nothing, equal: windows, changed: 0, missing: 0 });
});

test("kill -9 of both in the middle of the audit: it finds no difference, and the second opinion has no doubt", async () => {
  const directory = await tally.runtime.miniflare.getD1Database("DIRECTORY", "tally-api");
  // As if there had been none.
  await directory.exec(
    "DELETE FROM replay_passes WHERE replay_id IN (SELECT id FROM replays WHERE asked_by = 'audit')",
  );
  await directory.exec("DELETE FROM replays WHERE asked_by = 'audit'");
  counting.hold();
  await tally.runtime.runCron();
  const [audit] = await replaysOf("audit");
  for (const kill of [() => killWorkers(tally), killAndStartClickHouse]) {
    await untilCounting(audit?.id ?? "");
    await kill();
    await tally.runtime.runCron();
  }
  counting.letGo();
  await until("the audit to end", async () =>
    (await replaysOf("audit")).every(({ state }) => state === "done") ? true : undefined,
  );
  const found = (await (await tally.read("/v1/admin/audit")).json()) as Audit;
  expect(found.differences).toEqual([]);
  expect(found.windows).toEqual({
    ...{ changed: 0, missing: 0, short: 0, unarchived: 0 },
    equal: lateWindows(ledger.totals()).length,
  });
  expect(found.parts.length).toBeGreaterThan(LATE_HOURS / 2);
  expect(found.parts.map(({ doubts }) => doubts)).toEqual(found.parts.map(() => []));
  expect(found.parts.flatMap(({ damaged_objects }) => damaged_objects)).toEqual([]);
  expect(await shownDifference()).toEqual(NO_DIFFERENCE);
});

interface Shown {
  readonly id: string;
  readonly asked_by: string;
  readonly state: string;
  readonly progress: number;
  readonly windows: Readonly<Record<string, number>>;
}

interface Audit {
  readonly windows: Shown["windows"];
  readonly parts: readonly { readonly doubts: readonly object[] | null; readonly damaged_objects: readonly object[] }[];
  readonly differences: readonly object[];
}

/** ClickHouse and the Workers, at any moment, each time after some requests have been answered. */
async function killInTurn(acknowledged: { readonly requests: number }): Promise<void> {
  for (let kill = 0; kill < KILLS; kill += 1) {
    await untilMore(acknowledged);
    await sleep(integerBetween(random, 0, 500));
    if (kill % 2 === 1) await killWorkers(tally);
    else {
      await killClickHouse(clickhouse);
      await untilMore(acknowledged);
      clickhouse = await startAgain(tally);
    }
  }
  await untilMore(acknowledged);
}

async function untilMore(acknowledged: { readonly requests: number }): Promise<void> {
  const before = acknowledged.requests;
  await until("requests to be answered", async () => (acknowledged.requests > before + 5 ? true : undefined));
}

async function killAndStartClickHouse(): Promise<void> {
  await killClickHouse(clickhouse);
  clickhouse = await startAgain(tally);
}

/** Nothing is on its way any more: no queue has a message, no late window waits, and history has what is closed. */
async function untilSettled(): Promise<void> {
  await until("history to be what was acknowledged", async () => {
    const directory = await tally.runtime.miniflare.getD1Database("DIRECTORY", "tally-api");
    // A pass that failed puts its windows off for five minutes, which are over now.
    await directory.exec("UPDATE late_windows SET retry_at = 0");
    if (await directory.prepare("SELECT 1 FROM late_windows").first()) await tally.runtime.runCron();
    closedMs = completeThrough(Date.now());
    const isEmpty = Object.keys(queues.store.backlog()).length === 0;
    const { windows } = await storedDifference();
    const isRebuilt = (await directory.prepare("SELECT 1 FROM late_windows").first()) === null;
    return isEmpty && isRebuilt && windows.length === 0 ? true : undefined;
  });
}

const lateWindows = (windows: readonly WindowTotals[]) => windows.filter(({ startMs }) => startMs < late.toMs);

/** What history has otherwise than was acknowledged, of windows that were closed when it settled: one that closes later is on its way. */
async function storedDifference() {
  const isClosed = ({ startMs }: WindowTotals) => startMs < closedMs;
  return differenceOf(ledger.totals().filter(isClosed), (await totalsOfHistory(tally.sql)).filter(isClosed));
}

/** What merchants are shown otherwise. */
async function shownDifference() {
  const totals = ledger.totals();
  const merchants = [...new Set(totals.map(({ merchant }) => merchant))];
  return differenceOf(totals, await totalsOfApi(tally, merchants, { fromMs: late.fromMs, toMs: onTime.toMs }));
}

/** Takes a third of the late windows out of history, and changes another; answers how many. */
async function damageHistory(): Promise<{ changed: number; missing: number }> {
  // Of late windows alone: others close meanwhile.
  const count = async () => lateWindows(await totalsOfHistory(tally.sql)).length;
  const before = await count();
  const query_params = { to: late.toMs / 1000 };
  const third = (at: number) =>
    `window_start < fromUnixTimestamp({to:UInt32}) AND cityHash64(merchant_id, currency, window_start) % 3 = ${at}`;
  await tally.sql.command({ query: `DELETE FROM windows WHERE ${third(0)}`, query_params });
  const missing = before - (await count());
  const changes = "revision + 1 AS revision, payments_amount + 7 AS payments_amount";
  await tally.sql.command({
    query: `INSERT INTO windows SELECT * REPLACE (${changes}) FROM windows FINAL WHERE ${third(1)}`,
    query_params,
  });
  const changed = (await storedDifference()).windows.length - missing;
  expect(changed).toBeGreaterThan(10);
  expect(missing).toBeGreaterThan(10);
  return { changed, missing };
}

async function beginReplay(): Promise<string> {
  const answer = await fetch(`${tally.runtime.apiUrl}/v1/admin/replays`, {
    method: "POST",
    headers: { Authorization: `Bearer ${tally.operatorKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ from: late.fromMs, to: late.toMs }),
  });
  return ((await answer.json()) as Shown).id;
}

const shown = async (id: string) => (await (await tally.read(`/v1/admin/replays/${id}`)).json()) as Shown;

async function ended(id: string): Promise<Shown> {
  return await until("the replay to end", async () => {
    const replay = await shown(id);
    return replay.state === "done" ? replay : undefined;
  });
}

async function replaysOf(asker: string): Promise<Shown[]> {
  const { replays } = (await (await tally.read("/v1/admin/replays")).json()) as { replays: Shown[] };
  return replays.filter(({ asked_by }) => asked_by === asker);
}

/** Until a replay has got further, and ClickHouse is just counting for it. */
async function untilCounting(id: string): Promise<void> {
  const { progress } = await shown(id);
  do {
    counting.goOn();
    await counting.held();
  } while ((await shown(id)).progress <= progress);
}
