import { join } from "node:path";
import type { WorkerName } from "../../scripts/build.ts";
import { createKey, putSource } from "../../scripts/directory.ts";
import { type LocalSystem, startLocalSystem, WORKERS_STATE_DIR } from "../../scripts/local-system.ts";
import { separatePidFile } from "../../scripts/runtime.ts";
import { sleep } from "../../scripts/sleep.ts";
import { findWorkerd } from "../../scripts/workerd-process.ts";
import { Flood, type FloodCount, newCount, quantile } from "./flood.ts";
import { watchLoad } from "./machine-load.ts";
import { residentMb, watchMemory } from "./memory.ts";
import { NumberedBatch } from "./numbered-batch.ts";
import { failuresOf, latencyOf, type OverloadReport, RECOVERY_MS_MAX, REFUSAL_MS_MAX } from "./overload-report.ts";
import { startSeparateQueues } from "./separate-queues.ts";
import { countOf, type Reading, readSteadily, type SteadyReads } from "./steady-reads.ts";

export interface OverloadOptions {
  readonly dir: string;
  /** As `buildDurableWorkers` makes them. */
  readonly bundleDir: string;
  /** Of what the machine sustains. */
  readonly times: number;
  readonly durationMs: number;
  readonly onStep: (step: string) => void;
}

const REQUEST_EVENTS = 100;
/** As many as saturate the Workers' one thread; below the limit of what an isolate takes on directly. */
const SUSTAINED_CONNECTIONS = 12;
const WARM_UP_MS = 5_000;
const SUSTAINED_MS = 20_000;
const FLOOD_CONNECTIONS = 160;
const ALONE_MS = 5_000;
const DRAIN_POLL_MS = 500;
const DRAIN_MS_MAX = 90_000;
/** In a row, as fast as before: service is normal. */
const NORMAL_ANSWERS = 10;
const FLOODING = "flooding";
const QUIET = "quiet";

/** Floods the whole system with the batches of one merchant, and says what became of them, of its memory, and of others' reads. */
export async function runOverload(options: OverloadOptions): Promise<OverloadReport> {
  const { dir, bundleDir, onStep } = options;
  onStep("starting");
  const queues = await startSeparateQueues(join(dir, "queues.sqlite"));
  try {
    const system = await startLocalSystem({
      stateDir: dir,
      bundleDir,
      ports: { ingest: 0, api: 0, clickhouse: 0 },
      rateLimit: "off",
      isSeparate: true,
      queues: { url: queues.url, deliverTo: () => {} },
    });
    try {
      queues.deliverTo(system.runtime.aggregateUrl ?? "");
      return await measure(system, queues.pid, options);
    } finally {
      await system.stop();
    }
  } finally {
    await queues.stop();
  }
}

async function measure(system: LocalSystem, queuesPid: number, options: OverloadOptions): Promise<OverloadReport> {
  const { dir, times, durationMs, onStep } = options;
  const { directory, ingestUrl: url } = system.runtime;
  const nowMs = Date.now();
  await putSource(directory, { id: "overload", name: "Overload", merchants: null }, nowMs);
  const key = await createKey(directory, "source", "overload", nowMs);
  const operatorKey = await createKey(directory, "operator", "overload", nowMs);
  const batchOf = (name: string, merchant: string) =>
    new NumberedBatch({ name, merchant, events: REQUEST_EVENTS, occurredAtMs: nowMs - 1 });
  const batch = batchOf("flood", FLOODING);
  const flood = new Flood({ url, key }, batch, FLOOD_CONNECTIONS);
  const quiet = new Flood({ url, key }, batchOf("quiet", QUIET), 1);
  for (let n = 0; n < 5; n += 1) await quiet.post(newCount());
  const asked = { system, key: operatorKey, sinceMs: nowMs };
  const reading = () => readSteadily(asked, QUIET);
  const pids = await workerds(dir);

  onStep("measuring what the machine sustains");
  const warm = await flood.closedLoop(SUSTAINED_CONNECTIONS, WARM_UP_MS);
  const alone = await readsDuring(reading(), () => sleep(ALONE_MS));
  const sustained = await readsDuring(reading(), () => flood.closedLoop(SUSTAINED_CONNECTIONS, SUSTAINED_MS));
  const perSecond = (sustained.result.accepted * 1000) / SUSTAINED_MS;
  const before = residentMb(Object.values(pids));

  onStep(`${times} times ${Math.round(perSecond * REQUEST_EVENTS).toLocaleString("en-US")} events a second`);
  const memory = watchMemory(Object.values(pids));
  const load = watchLoad({ ...pids, sender: process.pid, queues: queuesPid });
  const flooded = await readsDuring(reading(), () => flood.openLoop(perSecond * times, durationMs));
  const quarters = memory.stop();
  const loaded = load.stop();
  onStep("over: back to normal?");
  const endMs = performance.now();
  const normalMs = 3 * Math.max(20, quantile(sustained.result.acceptedMs, 0.5));
  const after = newCount();
  const recovered_ms = await recovery(flood, after, normalMs, endMs);

  onStep("counting what was accepted");
  const all = [warm, sustained.result, flooded.result, after];
  const sum = (of: (count: FloodCount) => number) => all.reduce((total, count) => total + of(count), 0);
  const counted = await drained(asked, sum(({ accepted }) => accepted) * REQUEST_EVENTS);
  const { acceptedMs, refusedMs, ...requests } = flooded.result;
  const figures = {
    sustained_events_per_s: Math.round(perSecond * REQUEST_EVENTS),
    offered_events_per_s: Math.round(perSecond * times * REQUEST_EVENTS),
    sent_events_per_s: perSecondOf(
      requests.accepted + requests.refused + requests.wrong + requests.unanswered,
      durationMs,
    ),
    accepted_events_per_s: perSecondOf(requests.accepted, durationMs),
    requests,
    refusals: {
      ...latencyOf(refusedMs),
      within_100_ms: refusedMs.filter((ms) => ms <= REFUSAL_MS_MAX).length / Math.max(1, refusedMs.length),
    },
    acceptances: latencyOf(acceptedMs),
    ...loaded,
    lost: Math.max(0, sum(({ accepted }) => accepted) * REQUEST_EVENTS - counted.events),
    invented: Math.max(0, counted.events - sum(({ accepted, unanswered }) => accepted + unanswered) * REQUEST_EVENTS),
    memory_mb: { before, quarters, after: residentMb(Object.values(pids)) },
    reads: { alone: latencyOf(alone.ms), sustained: latencyOf(sustained.ms), flood: latencyOf(flooded.ms) },
    recovered_ms,
    drained_ms: Math.round(performance.now() - endMs),
  };
  const failures = failuresOf(
    figures,
    sum(({ wrong }) => wrong),
  );
  flood.close();
  quiet.close();
  return { ok: failures.length === 0, failures, ...figures };
}

async function workerds(dir: string): Promise<Readonly<Record<WorkerName, number>>> {
  const pidOf = async (worker: WorkerName) => {
    const pid = await findWorkerd(join(dir, WORKERS_STATE_DIR, separatePidFile(worker)));
    if (pid === undefined) throw new Error(`the workerd of ${worker} is not there`);
    return pid;
  };
  return { ingest: await pidOf("ingest"), aggregate: await pidOf("aggregate"), api: await pidOf("api") };
}

const perSecondOf = (requests: number, durationMs: number) =>
  Math.round((requests * REQUEST_EVENTS * 1000) / durationMs);

async function readsDuring<T>(reading: SteadyReads, work: () => Promise<T>) {
  const result = await work();
  return { result, ms: await reading.stop() };
}

/** Waits until as many events are counted as were accepted. */
async function drained(asked: Reading, accepted: number): Promise<{ readonly events: number }> {
  const endMs = performance.now() + DRAIN_MS_MAX;
  let events = await countOf(asked, FLOODING);
  while (events < accepted && performance.now() < endMs) {
    await sleep(DRAIN_POLL_MS);
    events = await countOf(asked, FLOODING);
  }
  return { events };
}

/** Until so many answers in a row are direct and as fast as before; at most some time more than is promised. */
async function recovery(flood: Flood, count: FloodCount, normalMs: number, sinceMs: number): Promise<number> {
  let normal = 0;
  let reachedMs = performance.now();
  while (normal < NORMAL_ANSWERS && performance.now() - sinceMs < 3 * RECOVERY_MS_MAX) {
    const { direct } = count;
    await flood.post(count);
    if (normal === 0) reachedMs = performance.now();
    normal = count.direct > direct && (count.acceptedMs.at(-1) ?? 0) <= normalMs ? normal + 1 : 0;
  }
  return Math.round((normal < NORMAL_ANSWERS ? performance.now() : reachedMs) - sinceMs);
}
