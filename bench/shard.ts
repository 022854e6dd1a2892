import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { BENCH_WORKERS_DIR, REAL_ENTRIES } from "./bundle.ts";
import { cpuTimeUs } from "./cpu.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { median, significant } from "./numbers.ts";
import { optionsOf } from "./options.ts";
import { busyBatches } from "./shard-load.ts";
import { type BenchSystem, makeStateDir, startBenchSystem } from "./system.ts";
import { tableText } from "./table.ts";

const USAGE = `npm run bench:shard -- [--rounds 5] [--events 100000] [--windows 200000] [--seed 1] [--json]
  What one shard takes: memory for each open window of one to five events, CPU for each event, CPU to recover, storage.
  --rounds   recoveries, and runs of events, of which the median counts; the first run is thrown away
  --events   events of a run, 1,000 a call, of 3,000 merchants by a Zipf law, over an hour's windows
  --windows  merchant-windows held at a time, for the memory
  --seed     another load
  --json     one JSON object as the last line`;

/** The targets of `bench:shard`. */
const BYTES_PER_WINDOW_MAX = 256;
const RECOVERY_MS_MAX = 500;
const BATCH_EVENTS = 1_000;
const MERCHANTS = 3_000;

const optionsSchema = z.object({
  rounds: z.coerce.number().int().min(1).max(100),
  events: z.coerce.number().int().min(BATCH_EVENTS).max(10_000_000),
  windows: z.coerce.number().int().min(1_000).max(1_000_000),
  seed: z.string(),
  json: z.boolean(),
});
const options = optionsOf(USAGE, optionsSchema, {
  rounds: "5",
  events: "100000",
  windows: "200000",
  seed: "1",
  json: false,
});

const startedMs = Date.now();
const memory = await measureMemory();
const system = await startBenchSystem({
  stateDir: await makeStateDir(),
  bundles: [
    { worker: "ingest", entry: REAL_ENTRIES["tally-ingest"] },
    { worker: "aggregate", entry: join(BENCH_WORKERS_DIR, "shard-aggregate.ts") },
    { worker: "api", entry: REAL_ENTRIES["tally-api"] },
  ],
  onLog: (line) => console.error(line),
});
try {
  report(memory, await measureShard(system));
} finally {
  await system.stop();
}

interface Memory {
  readonly bytes: number;
  readonly windows: number;
  readonly events: number;
}

async function measureMemory(): Promise<Memory> {
  const script = join(import.meta.dirname, "shard-memory.ts");
  const args = ["--expose-gc", script, String(options.windows), options.seed];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return z.object({ bytes: z.number(), windows: z.int(), events: z.int() }).parse(JSON.parse(stdout));
}

interface Measured {
  /** By run. */
  readonly applyUs: readonly number[];
  readonly storageBytes: readonly number[];
  readonly recoveryMs: readonly number[];
}

/** Fills the shard run by run. After each it starts anew, and is asked something that needs its state. */
async function measureShard(bench: BenchSystem): Promise<Measured> {
  const applyUs: number[] = [];
  const storageBytes: number[] = [];
  const recoveryMs: number[] = [];
  let held = 0;
  for (let run = 0; run <= options.rounds; run++) {
    const load = {
      seed: `${options.seed}-${run}`,
      merchants: MERCHANTS,
      events: options.events,
      batchEvents: BATCH_EVENTS,
    };
    const batches = [...busyBatches(load, Date.now())];
    const events = batches.reduce((sum, batch) => sum + batch.events, 0);
    const before = cpuTimeUs(bench.pid);
    for (const { bytes } of batches) await call(bench, "/bench/apply", bytes);
    const us = (cpuTimeUs(bench.pid) - before) / events;
    held += events;
    const storage = z.object({ bytes: z.int() }).parse(JSON.parse(await call(bench, "/bench/storage")));
    await call(bench, "/bench/restart");
    const restarted = cpuTimeUs(bench.pid);
    await call(bench, "/bench/read");
    const ms = (cpuTimeUs(bench.pid) - restarted) / 1_000;
    console.error(
      `run ${run}: ${us.toFixed(1)} µs/event, ${storage.bytes} bytes for ${held} events, recovered in ${ms} ms`,
    );
    if (run === 0) continue;
    applyUs.push(us);
    storageBytes.push(storage.bytes / held);
    recoveryMs.push((ms * 100_000) / held);
  }
  return { applyUs, storageBytes, recoveryMs };
}

async function call({ runtime }: BenchSystem, path: string, body?: Uint8Array): Promise<string> {
  const worker = await runtime.miniflare.getWorker("tally-aggregate");
  const response = await worker.fetch(`http://bench${path}`, body === undefined ? {} : { method: "POST", body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return text;
}

function report({ bytes, windows, events }: Memory, { applyUs, storageBytes, recoveryMs }: Measured): void {
  const machine = describeMachine();
  const date = new Date(startedMs).toISOString();
  const figures = {
    bytes_per_open_window: significant(bytes / windows),
    apply_us_per_event: significant(median(applyUs)),
    recovery_ms_per_100k_events: significant(median(recoveryMs)),
    storage_bytes_per_event: significant(median(storageBytes)),
  };
  if (options.json) {
    console.log(JSON.stringify({ ...figures, windows, window_events: events, rounds: options.rounds, machine, date }));
    return;
  }
  const rows = [
    ["one shard", "measured", "at most"],
    [
      `bytes of memory an open window of 1 to 5 events, ${windows} of them`,
      String(figures.bytes_per_open_window),
      String(BYTES_PER_WINDOW_MAX),
    ],
    ["CPU µs an event, 1,000 a call, the call included", String(figures.apply_us_per_event), ""],
    ["CPU ms to recover 100,000 events", String(figures.recovery_ms_per_100k_events), String(RECOVERY_MS_MAX)],
    ["bytes of storage an event", String(figures.storage_bytes_per_event), ""],
  ];
  console.log(`${tableText(rows)}\n\n${machineLine(machine)}\n${date}`);
}
