import { rmSync } from "node:fs";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClickHouse } from "../scripts/clickhouse.ts";
import { createKey, migrateDirectory, putSource } from "../scripts/directory.ts";
import { type Runtime, startRuntime, WORKERD_PID_FILE } from "../scripts/runtime.ts";
import { findWorkerd } from "../scripts/workerd-process.ts";
import { type Bundle, bundleEntries } from "./bundle.ts";
import { type Sink, startSink } from "./sink.ts";

const MEMORY_DIR = "/dev/shm";
/** ClickHouse, the archive and the shards of a run. A container has 64 MB there unless it is told otherwise. */
const ROOM_BYTES_MIN = 2_000_000_000;

/** A folder in memory where there is one with room: on a disk the figures would be the disk's. It is removed when the process ends at the latest. */
export async function makeStateDir(): Promise<string> {
  const dir = await mkdtemp(join(await roomyDir(MEMORY_DIR), "tally-bench-"));
  process.once("exit", () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** This folder, or, when it is not there or has too little room, the one for whatever is temporary. */
export async function roomyDir(dir: string, bytesMin = ROOM_BYTES_MIN): Promise<string> {
  const room = await statfs(dir).catch(() => undefined);
  return room !== undefined && room.bavail * room.bsize >= bytesMin ? dir : tmpdir();
}

/** The three Workers in one workerd, with a sink in place of ClickHouse unless there is one. */
export interface BenchSystem {
  readonly runtime: Runtime;
  /** Of workerd. */
  readonly pid: number;
  readonly sourceKey: string;
  stop(): Promise<void>;
}

export interface BenchSystemOptions {
  readonly stateDir: string;
  readonly bundles: readonly Bundle[];
  /** Every line a Worker logs. */
  readonly onLog: (message: string) => void;
  /** Over how many shards merchants are spread; as many as a new deployment has, unless given. */
  readonly shards?: number;
  /** Migrated, for what needs more of it than that it takes whatever is sent. */
  readonly clickhouse?: Pick<ClickHouse, "url" | "reader" | "writer">;
  readonly inspectorPort?: number;
  /** Without it there are no alerts. */
  readonly alertKey?: string;
}

/** Made up and fixed, so that the same load gives the same hashes in every run. */
const IDENTITY_KEY = "000102030405060708090a0b0c0d0e0f";
const USER_KEY = "0f0e0d0c0b0a09080706050403020100";

/** Miniflare's stand-in for the platform's limiter, which counts in the memory of the machine, is a Durable Object with a row written for each request. */
const RATE_LIMIT = "off";

export async function startBenchSystem(options: BenchSystemOptions): Promise<BenchSystem> {
  const { stateDir, bundles, onLog, shards, clickhouse, inspectorPort, alertKey } = options;
  const bundleDir = join(stateDir, "bundles");
  const persistDir = join(stateDir, "workers");
  await bundleEntries(bundleDir, bundles);
  const sink = await startSink();
  const runtime = await startRuntime({
    bundleDir,
    persistDir,
    ingestPort: 0,
    apiPort: 0,
    withSite: false,
    inspectorPort,
    bindings: {
      ingest: { IDENTITY_KEY, USER_KEY, RATE_LIMIT },
      aggregate: {
        IDENTITY_KEY,
        ...historyOf(sink, clickhouse, "writer"),
        ...(alertKey === undefined ? {} : { ALERT_KEY: alertKey, WEBHOOKS_TO_LOOPBACK: "on" }),
      },
      api: { ...historyOf(sink, clickhouse, "reader"), RATE_LIMIT },
    },
    onLog: ({ message }) => onLog(message),
  });
  const stop = async () => {
    await runtime.stop();
    await sink.stop();
    await rm(stateDir, { recursive: true, force: true });
  };
  try {
    const pid = await findWorkerd(join(persistDir, WORKERD_PID_FILE));
    if (pid === undefined) throw new Error("workerd is not there");
    await migrateDirectory(runtime.directory);
    // Before anything has read it, let alone counted by it.
    const spread = runtime.directory.prepare("UPDATE topology_epochs SET shards = coalesce(?, shards) WHERE id = 1");
    await spread.bind(shards ?? null).run();
    await putSource(runtime.directory, { id: "bench", name: "Benchmark", merchants: null }, Date.now());
    return { runtime, pid, sourceKey: await createKey(runtime.directory, "source", "bench", Date.now()), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function historyOf(sink: Sink, clickhouse: BenchSystemOptions["clickhouse"], role: "reader" | "writer") {
  if (clickhouse === undefined) return { CLICKHOUSE_URL: sink.url, CLICKHOUSE_PASSWORD: "none" };
  const { user, password } = clickhouse[role];
  return { CLICKHOUSE_URL: clickhouse.url, CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD: password };
}
