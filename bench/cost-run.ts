import { join } from "node:path";
import { z } from "zod";
import { sleep } from "../scripts/sleep.ts";
import { DAY_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { Acknowledged } from "./acknowledged.ts";
import { BENCH_WORKERS_DIR, REAL_ENTRIES } from "./bundle.ts";
import { cpuTimeUs } from "./cpu.ts";
import { type ReferenceLoad, referencePhases } from "./reference-load.ts";
import { type Answer, paceOf, sendAllBodies } from "./send.ts";
import { type BenchSystem, makeStateDir, startBenchSystem } from "./system.ts";
import type { Counters, CountersReading } from "./workers/counters.ts";

const CONNECTIONS = 6;
const MINUTE_MS = 60_000;
/** Where in a window the clock stands when its events are sent: all of them are in the past, or less than five minutes ahead. */
const PHASE_AT_MS = 6 * MINUTE_MS;
/** When every correction of the last window is due. */
const CORRECTED_MS = 10 * MINUTE_MS;
const FINAL_MS = DAY_MS + 60 * MINUTE_MS;
/**
 * Longer than the log holds events back and than either queue waits for its batch to fill; shorter than the ten seconds after which the
 * runtime evicts an idle object, which would then start anew.
 */
const QUIET_MS = 7_000;
const POLL_MS = 500;
const QUIET_WAIT_MS_MAX = 180_000;

export interface CostRun {
  readonly load: ReferenceLoad;
  readonly shards: number;
  readonly mode: "sync" | "async";
  /** Events a second, 0 for as many as are taken. */
  readonly rate: number;
}

export interface CostResult {
  readonly usage: CountersReading;
  readonly cpuUs: number;
  readonly events: number;
  /** By the receipts: new, repeats, late beyond the horizon, and not known yet. */
  readonly receipts: Readonly<Record<"accepted" | "duplicates" | "late" | "queued", number>>;
  readonly seconds: number;
  /** Events a second while they were being sent: less than asked for on a machine that cannot keep up. */
  readonly sentPerSecond: number;
}

/** Sends the reference load through the real Workers, from the opening of its first window until its last has left the shards. */
export async function runCost({ load, shards, mode, rate }: CostRun): Promise<CostResult> {
  const acknowledged = new Acknowledged();
  const system = await startBenchSystem({
    stateDir: await makeStateDir(),
    bundles: [
      { worker: "ingest", entry: join(BENCH_WORKERS_DIR, "counted-ingest.ts") },
      { worker: "aggregate", entry: join(BENCH_WORKERS_DIR, "counted-aggregate.ts") },
      { worker: "api", entry: REAL_ENTRIES["tally-api"] },
    ],
    onLog: acknowledged.onLog,
    shards,
  });
  try {
    const calls = new BenchCalls(system);
    await calls.begin(shards);
    const startMs = performance.now();
    const cpuBefore = cpuTimeUs(system.pid);
    const firstWindowMs = windowStart(Date.now()) + WINDOW_MS;
    const receipts = { accepted: 0, duplicates: 0, late: 0, queued: 0 };
    let events = 0;
    let phase = 0;
    let sendingMs = 0;
    for (const bodies of referencePhases(load, firstWindowMs)) {
      await calls.setClock(firstWindowMs + phase++ * WINDOW_MS + PHASE_AT_MS);
      const phaseStartMs = performance.now();
      await sendAllBodies(targetOf(system, mode), bodies, {
        connections: CONNECTIONS,
        ...(rate > 0 ? { pace: paceOf(rate / load.requestEvents) } : {}),
        onAnswer: (answer) => {
          events += addReceipt(receipts, answer);
        },
      });
      sendingMs += performance.now() - phaseStartMs;
      // Not before all of a window is counted may the clock go on: what is still in the log would be late.
      await acknowledged.reach(events);
    }
    await calls.quiet();
    await calls.setClock(firstWindowMs + phase * WINDOW_MS + PHASE_AT_MS + CORRECTED_MS);
    await calls.quiet();
    await calls.setClock(firstWindowMs + phase * WINDOW_MS + FINAL_MS);
    await calls.quiet();
    const cpuUs = cpuTimeUs(system.pid) - cpuBefore;
    const seconds = (performance.now() - startMs) / 1_000;
    const sentPerSecond = events / (sendingMs / 1_000);
    return { usage: await calls.counters(), cpuUs, events, receipts, seconds, sentPerSecond };
  } finally {
    await system.stop();
  }
}

function targetOf({ runtime, sourceKey }: BenchSystem, mode: CostRun["mode"]) {
  return {
    url: `${runtime.ingestUrl}/v1/events`,
    headers: {
      Authorization: `Bearer ${sourceKey}`,
      "Content-Type": "application/json",
      ...(mode === "async" ? { Prefer: "respond-async" } : {}),
    },
  };
}

const receiptSchema = z.object({
  accepted: z.int(),
  duplicates: z.int(),
  late: z.int(),
  rejected: z.literal(0),
  queued: z.int().default(0),
});

/** Adds what an answer says up; answers how many events it speaks of. */
function addReceipt(receipts: Record<keyof CostResult["receipts"], number>, { status, text }: Answer): number {
  if (status !== 200 && status !== 202) throw new Error(`${status}: ${text.slice(0, 500)}`);
  const { accepted, duplicates, late, queued } = receiptSchema.parse(JSON.parse(text));
  receipts.accepted += accepted;
  receipts.duplicates += duplicates;
  receipts.late += late;
  receipts.queued += queued;
  return accepted + duplicates + late + queued;
}

/** The calls that `workers/bench-calls.ts` answers. */
class BenchCalls {
  readonly #system: BenchSystem;

  constructor(system: BenchSystem) {
    this.#system = system;
  }

  /** Has every shard made, and made its tables, which is done once and never again; counts from then on. */
  async begin(shards: number): Promise<void> {
    await this.#aggregate(`/bench/open?shards=${shards}`);
    await Promise.all([this.#ingest("/bench/reset"), this.#aggregate("/bench/reset")]);
  }

  async setClock(shownMs: number): Promise<void> {
    const path = `/bench/clock?ahead_ms=${shownMs - Date.now()}`;
    await Promise.all([this.#ingest(path), this.#aggregate(path)]);
  }

  /** Of both Workers together; the shards are in the one. */
  async counters(): Promise<CountersReading> {
    const [ingest, aggregate] = (
      await Promise.all([this.#ingest("/bench/counters"), this.#aggregate("/bench/counters")])
    ).map((text) => JSON.parse(text) as CountersReading);
    if (ingest === undefined || aggregate === undefined) throw new Error("no counters");
    const counters = { ...aggregate.counters };
    for (const name of Object.keys(counters) as (keyof Counters)[]) counters[name] += ingest.counters[name];
    return { ...aggregate, counters };
  }

  /** Resolves when nothing has been counted for some time. */
  async quiet(): Promise<void> {
    const endMs = Date.now() + QUIET_WAIT_MS_MAX;
    let last = "";
    for (let sinceMs = Date.now(); Date.now() - sinceMs < QUIET_MS; await sleep(POLL_MS)) {
      const now = JSON.stringify(await this.counters());
      if (now !== last) sinceMs = Date.now();
      last = now;
      if (Date.now() > endMs) throw new Error(`no end of it: ${now}`);
    }
  }

  async #ingest(path: string): Promise<string> {
    return await (await fetch(this.#system.runtime.ingestUrl + path)).text();
  }

  async #aggregate(path: string): Promise<string> {
    const worker = await this.#system.runtime.miniflare.getWorker("tally-aggregate");
    return await (await worker.fetch(`http://bench${path}`)).text();
  }
}
