import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { R2Bucket } from "@cloudflare/workers-types";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type QueueService, startQueueService } from "../scripts/durable-queues/queue-service.ts";
import { readQueues, withSettings } from "../scripts/durable-queues/queue-settings.ts";
import { differenceOf, Ledger, NO_DIFFERENCE } from "../scripts/ledger.ts";
import { WORKERS_STATE_DIR } from "../scripts/local-system.ts";
import { WORKERD_PID_FILE } from "../scripts/runtime.ts";
import { integerBetween, seededRandom } from "../scripts/seeded-random.ts";
import { sleep } from "../scripts/sleep.ts";
import { findWorkerd } from "../scripts/workerd-process.ts";
import { completeThrough, WINDOW_MS, windowStart } from "../shared/window.ts";
import { durableBundles } from "./durable-bundles.ts";
import { sendInsistently } from "./insistent-sender.ts";
import { archivedIdentities, totalsOfApi, totalsOfHistory } from "./shown-totals.ts";
import { startTestSystem, type TestSystem, until } from "./system.ts";

const SEED = process.env.TALLY_SEED ?? "kill";
const KILLS = 10;
const SENDERS = 4;
/** Windows before the one that is open now: some are closed already, and all of them remembered by the shards. */
const WINDOWS_BEFORE = 5;
/** The share of acknowledged messages that a queue delivers again all the same. */
const REPEAT_SHARE = 0.02;

const random = seededRandom(SEED, "kill");
/** Whether what a consumer has done is not heard of, as when it dies before it has said so. */
let isVerdictLost = false;
/** Whoever waits for the next batch that goes to a consumer. */
let delivery = Promise.withResolvers<void>();
let dir: string;
let queues: QueueService;
let tally: TestSystem;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "tally-kill-"));
  const bundleDir = await durableBundles();
  queues = await startQueueService({
    path: join(dir, "queues.sqlite"),
    queues: withSettings(readQueues(), { maxBatchTimeoutMs: 200 }),
    leaseMs: 20_000,
    random: seededRandom(SEED, "queues"),
    newId: randomUUID,
    repeatShare: REPEAT_SHARE,
    onDelivery: () => {
      delivery.resolve();
      delivery = Promise.withResolvers();
    },
  });
  const deliverTo: QueueService["deliverTo"] = (consumer) =>
    queues.deliverTo(async (frame, signal) => {
      const verdict = await consumer(frame, signal);
      return isVerdictLost ? "failed" : verdict;
    });
  tally = await startTestSystem(dir, { bundleDir, queues: { url: queues.url, deliverTo } });
});
afterAll(async () => {
  await tally?.stop();
  await queues?.stop();
  await rm(dir, { recursive: true, force: true });
});

test("kill -9 of the Workers, ten times over in the middle of load, loses no acknowledged event and counts none twice", async () => {
  const span = spanNow();
  const ledger = new Ledger();
  const stop = new AbortController();
  const acknowledged = { requests: 0 };
  const senders = Array.from({ length: SENDERS }, (_, at) =>
    sendInsistently(
      {
        seed: `${SEED}-${at}`,
        target: { url: tally.runtime.ingestUrl, key: tally.sourceKey },
        ...span,
        stop: stop.signal,
        onAcknowledged: () => {
          acknowledged.requests += 1;
        },
      },
      ledger,
    ),
  );
  // A sender that fails ends the test at once, not after all the kills.
  await Promise.race([killRepeatedly(acknowledged), Promise.all(senders)]);
  stop.abort();
  const counts = await Promise.all(senders);
  const closedMs = completeThrough(Date.now());
  await drained(closedMs, span);

  const merchants = [...new Set(ledger.totals().map(({ merchant }) => merchant))];
  const expected = ledger.totals();
  const isClosed = ({ startMs }: { startMs: number }) => startMs < closedMs;
  const shown = await totalsOfApi(tally, merchants, span);
  expect(differenceOf(expected, shown)).toEqual(NO_DIFFERENCE);
  const stored = await totalsOfHistory(tally.sql);
  expect(differenceOf(expected.filter(isClosed), stored.filter(isClosed))).toEqual(NO_DIFFERENCE);
  const archived = await archivedIdentities(await archive());
  expect({
    lost: ledger.identities.difference(archived).size,
    invented: archived.difference(ledger.identities).size,
  }).toEqual({ lost: 0, invented: 0 });
  expect(await deadLetters()).toBe(0);

  const sum = (of: "requests" | "repeated" | "events") => counts.reduce((total, count) => total + count[of], 0);
  const { failed, settled } = queues.deliveries;
  console.info(
    `seed ${SEED}: ${sum("events")} events in ${sum("requests")} requests, ${sum("repeated")} of them cut off and repeated; ` +
      `${settled} batches settled, ${failed} cut off; ${expected.length} windows compared`,
  );
  // Otherwise nothing was tried.
  expect(sum("repeated")).toBeGreaterThan(0);
  expect(failed).toBeGreaterThan(0);
  expect(expected.filter(isClosed).length).toBeGreaterThan(0);
});

/** Whole windows around now, and the time in them that has come already. */
function spanNow() {
  const nowMs = Date.now();
  return { fromMs: windowStart(nowMs) - WINDOWS_BEFORE * WINDOW_MS, toMs: nowMs };
}

/** Every other time just after a batch went to a consumer, else at any moment: both have to be hit. */
async function killRepeatedly(acknowledged: { readonly requests: number }): Promise<void> {
  const pidFile = join(dir, WORKERS_STATE_DIR, WORKERD_PID_FILE);
  let killed: number | undefined;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = acknowledged.requests;
    const pid = await until("workerd to be back and at work", async () => {
      const found = await findWorkerd(pidFile);
      return found !== killed && acknowledged.requests > before + SENDERS ? found : undefined;
    });
    if (kill === 1) await loseVerdict();
    if (kill % 2 === 1) await delivery.promise;
    await sleep(kill % 2 === 1 ? integerBetween(random, 0, 25) : integerBetween(random, 0, 1_000));
    process.kill(pid, "SIGKILL");
    killed = pid;
  }
}

/** Once, for certain, a batch has been dealt with and is delivered again all the same; at other kills it may be so. */
async function loseVerdict(): Promise<void> {
  const { failed } = queues.deliveries;
  isVerdictLost = true;
  await until("a verdict to be lost", async () => (queues.deliveries.failed > failed ? true : undefined));
  isVerdictLost = false;
}

/** Nothing is in a queue any more, and history has every closed window as the shards have it: whatever will come has come. */
async function drained(closedMs: number, span: { readonly fromMs: number; readonly toMs: number }): Promise<void> {
  await until("the queues to be empty and the windows in history", async () => {
    if (Object.keys(queues.store.backlog()).length > 0) return undefined;
    const stored = await totalsOfHistory(tally.sql);
    const merchants = [...new Set(stored.map(({ merchant }) => merchant))];
    const revisionOf = new Map(stored.map((row) => [`${row.merchant} ${row.currency} ${row.startMs}`, row.revision]));
    const shown = await totalsOfApi(tally, merchants, span).catch(() => undefined);
    const isStored = shown
      ?.filter(({ startMs }) => startMs < closedMs)
      .every((row) => revisionOf.get(`${row.merchant} ${row.currency} ${row.startMs}`) === row.revision);
    return isStored === true && Object.keys(queues.store.backlog()).length === 0 ? true : undefined;
  });
}

/** Miniflare's earlier handles ended with the workerd they were made for. */
async function archive(): Promise<R2Bucket> {
  return (await tally.runtime.miniflare.getR2Bucket("ARCHIVE", "tally-aggregate")) as unknown as R2Bucket;
}

async function deadLetters(): Promise<number> {
  const directory = await tally.runtime.miniflare.getD1Database("DIRECTORY", "tally-api");
  return (await directory.prepare("SELECT count(*) AS letters FROM dead_letters").first<number>("letters")) ?? -1;
}
