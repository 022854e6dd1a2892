import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createKey, putSource } from "../../scripts/directory.ts";
import { type LocalSystem, startLocalSystem, WORKERS_STATE_DIR } from "../../scripts/local-system.ts";
import { WORKERD_PID_FILE } from "../../scripts/runtime.ts";
import { sleep } from "../../scripts/sleep.ts";
import { findWorkerd } from "../../scripts/workerd-process.ts";
import { windowStart } from "../../shared/window.ts";
import { Flood, type FloodCount, newCount, quantile } from "./flood.ts";
import { NumberedBatch } from "./numbered-batch.ts";

export interface OverloadOptions {
  readonly dir: string;
  readonly bundleDir: string;
  /** Of what the machine sustains. */
  readonly times: number;
  readonly durationMs: number;
  readonly onStep: (step: string) => void;
}

export interface Latency {
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
}

export interface OverloadReport {
  readonly ok: boolean;
  readonly failures: readonly string[];
  readonly sustained_events_per_s: number;
  readonly offered_events_per_s: number;
  /** What of it got as far as a connection. */
  readonly sent_events_per_s: number;
  readonly accepted_events_per_s: number;
  readonly requests: Omit<FloodCount, "acceptedMs" | "refusedMs">;
  readonly refusals: Latency & { readonly within_100_ms: number };
  readonly acceptances: Latency;
  /** Events that were accepted and are not counted; counted and were refused. */
  readonly lost: number;
  readonly invented: number;
  /** Resident, of the Workers' process: before, and the largest of each quarter of the flood. */
  readonly memory_mb: { readonly before: number; readonly quarters: readonly number[]; readonly after: number };
  /** Reads of a merchant that sends nothing: alone, while others send what the machine sustains, and under the flood of one of them. */
  readonly reads: { readonly alone: Latency; readonly sustained: Latency; readonly flood: Latency };
  /** From the end of the flood until requests are taken and answered as before. */
  readonly recovered_ms: number;
  readonly drained_ms: number;
}

const REQUEST_EVENTS = 100;
/** As many as saturate the Workers' one thread; below the limit of what an isolate takes on directly. */
const SUSTAINED_CONNECTIONS = 12;
const WARM_UP_MS = 5_000;
const SUSTAINED_MS = 20_000;
const FLOOD_CONNECTIONS = 160;
const READS_PER_SECOND = 5;
const ALONE_MS = 5_000;
const MEMORY_POLL_MS = 500;
const REFUSAL_MS_MAX = 100;
const RECOVERY_MS_MAX = 10_000;
const DRAIN_MS_MAX = 90_000;
/** In a row, as fast as before: service is normal. */
const NORMAL_ANSWERS = 10;
/** Memory at the end of the flood may be so much of what it was after its first quarter. */
const GROWTH_MAX = 1.5;
const FLOODING = "flooding";
const QUIET = "quiet";

/** Floods the whole system with the batches of one merchant, and says what became of them, of its memory, and of others' reads. */
export async function runOverload(options: OverloadOptions): Promise<OverloadReport> {
  const { dir, bundleDir, times, durationMs, onStep } = options;
  onStep("starting");
  const system = await startLocalSystem({
    stateDir: dir,
    bundleDir,
    ports: { ingest: 0, api: 0, clickhouse: 0 },
    rateLimit: "off",
  });
  const { directory, ingestUrl: url } = system.runtime;
  try {
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
    const reading = () => readSteadily(system, operatorKey);
    const pid = await findWorkerd(join(dir, WORKERS_STATE_DIR, WORKERD_PID_FILE));
    if (pid === undefined) throw new Error("workerd is not there");

    onStep("measuring what the machine sustains");
    const warm = await flood.closedLoop(SUSTAINED_CONNECTIONS, WARM_UP_MS);
    const alone = await readsDuring(reading(), () => sleep(ALONE_MS));
    const sustained = await readsDuring(reading(), () => flood.closedLoop(SUSTAINED_CONNECTIONS, SUSTAINED_MS));
    const perSecond = (sustained.result.accepted * 1000) / SUSTAINED_MS;
    const before = residentMb(pid);

    onStep(`${times} times ${Math.round(perSecond * REQUEST_EVENTS).toLocaleString("en-US")} events a second`);
    const memory = watchMemory(pid);
    const flooded = await readsDuring(reading(), () => flood.openLoop(perSecond * times, durationMs));
    const quarters = memory.stop();
    onStep("over: back to normal?");
    const endMs = performance.now();
    const normalMs = 3 * Math.max(20, quantile(sustained.result.acceptedMs, 0.5));
    const after = newCount();
    const recovered_ms = await recovery(flood, after, normalMs, endMs);

    onStep("counting what was accepted");
    const all = [warm, sustained.result, flooded.result, after];
    const sum = (of: (count: FloodCount) => number) => all.reduce((total, count) => total + of(count), 0);
    const counted = await drained(system, operatorKey, sum(({ accepted }) => accepted) * REQUEST_EVENTS);
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
      lost: Math.max(0, sum(({ accepted }) => accepted) * REQUEST_EVENTS - counted.events),
      invented: Math.max(0, counted.events - sum(({ accepted, unanswered }) => accepted + unanswered) * REQUEST_EVENTS),
      memory_mb: { before, quarters, after: residentMb(pid) },
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
  } finally {
    await system.stop();
  }
}

const perSecondOf = (requests: number, durationMs: number) =>
  Math.round((requests * REQUEST_EVENTS * 1000) / durationMs);

/** What of the figures is not as promised, a sentence each. */
export function failuresOf(
  figures: Pick<OverloadReport, "lost" | "invented" | "refusals" | "memory_mb" | "recovered_ms" | "requests" | "reads">,
  wrongAnswers: number,
): string[] {
  const { lost, invented, refusals, memory_mb, recovered_ms, reads, requests } = figures;
  const [first = 0, ...others] = memory_mb.quarters;
  const promises: readonly [boolean, string][] = [
    [lost === 0, `${lost} accepted events are not counted`],
    [invented === 0, `${invented} events are counted that were not accepted`],
    [wrongAnswers === 0, `${wrongAnswers} answers are neither a receipt nor 429 or 503 with Retry-After`],
    [requests.refused > 0, "nothing was refused: that was no overload"],
    [refusals.p99_ms <= REFUSAL_MS_MAX, `a refusal takes ${refusals.p99_ms} ms (p99), more than ${REFUSAL_MS_MAX}`],
    [Math.max(...others) <= GROWTH_MAX * first, `memory grows from ${first} to ${Math.max(...others)} MB in the flood`],
    [recovered_ms <= RECOVERY_MS_MAX, `service is normal only ${recovered_ms} ms after the flood`],
    [
      reads.flood.p50_ms <= 2 * reads.sustained.p50_ms,
      `others' reads take ${reads.flood.p50_ms} ms instead of ${reads.sustained.p50_ms}`,
    ],
  ];
  return promises.filter(([isKept]) => !isKept).map(([, failure]) => failure);
}

function latencyOf(ms: readonly number[]): Latency {
  const rounded = (value: number) => Math.round(value * 10) / 10;
  return {
    p50_ms: rounded(quantile(ms, 0.5)),
    p99_ms: rounded(quantile(ms, 0.99)),
    max_ms: rounded(quantile(ms, 1)),
  };
}

async function readsDuring<T>(reading: SteadyReads, work: () => Promise<T>) {
  const result = await work();
  return { result, ms: await reading.stop() };
}

interface SteadyReads {
  /** Milliseconds of each read. */
  stop(): Promise<readonly number[]>;
}

/** Reads today of a merchant that sends nothing, at a steady pace, past all caches. Throws, when it is stopped, if a read failed. */
function readSteadily(system: LocalSystem, key: string): SteadyReads {
  const stop = new AbortController();
  const ms: number[] = [];
  const run = async () => {
    while (!stop.signal.aborted) {
      const beganMs = performance.now();
      await countOf(system, key, QUIET);
      ms.push(performance.now() - beganMs);
      await sleep(1000 / READS_PER_SECOND, stop.signal);
    }
  };
  const running = run();
  // Whoever stops it hears of it; until then nobody does.
  running.catch(() => {});
  return {
    stop: async () => {
      stop.abort();
      await running;
      return ms;
    },
  };
}

interface Metrics {
  readonly series: readonly { readonly total: { readonly payments: { readonly count: number } } }[];
}

async function countOf({ runtime }: LocalSystem, key: string, merchant: string): Promise<number> {
  const path = `/v1/merchants/${merchant}/metrics?from=${windowStart(Date.now() - 3_600_000)}&granularity=10m&currency=JPY`;
  const headers = { Authorization: `Bearer ${key}`, "Cache-Control": "no-cache" };
  const response = await fetch(`${runtime.apiUrl}${path}`, { headers });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  const { series } = (await response.json()) as Metrics;
  return series[0]?.total.payments.count ?? 0;
}

/** Waits until as many events are counted as were accepted. */
async function drained(system: LocalSystem, key: string, accepted: number): Promise<{ readonly events: number }> {
  const endMs = performance.now() + DRAIN_MS_MAX;
  let events = await countOf(system, key, FLOODING);
  while (events < accepted && performance.now() < endMs) {
    await sleep(MEMORY_POLL_MS);
    events = await countOf(system, key, FLOODING);
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

/** The largest of each quarter of the time until it is stopped. */
function watchMemory(pid: number): { stop(): readonly number[] } {
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(residentMb(pid)), MEMORY_POLL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      const quarter = Math.max(1, Math.ceil(samples.length / 4));
      return [0, 1, 2, 3].map((at) => Math.max(0, ...samples.slice(at * quarter, (at + 1) * quarter)));
    },
  };
}

/** Source: proc(5), VmRSS. */
function residentMb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kb) / 1024);
}
