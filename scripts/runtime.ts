import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { D1Database, R2Bucket } from "@cloudflare/workers-types";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type WorkerdStructuredLog } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { WORKERS, type WorkerName, WRANGLER_CONFIG } from "./build.ts";
import { noteWorkerdIn } from "./workerd-process.ts";

/** In the folder of the Workers' state. */
export const WORKERD_PID_FILE = "workerd.pid";

export interface RuntimeOptions {
  /** Where `buildWorkers` put the bundles. */
  readonly bundleDir: string;
  /** State of shards, archive and directory; survives restarts. Queues are in memory, whatever is said here. */
  readonly persistDir: string;
  readonly ingestPort: number;
  readonly apiPort: number;
  /** Variables and secrets by Worker, over those of wrangler.toml. */
  readonly bindings: Readonly<Record<WorkerName, Readonly<Record<string, string>>>>;
  readonly onLog?: (log: WorkerdStructuredLog) => void;
}

export interface Runtime {
  readonly ingestUrl: string;
  readonly apiUrl: string;
  readonly directory: D1Database;
  readonly archive: R2Bucket;
  readonly miniflare: Miniflare;
  stop(): Promise<void>;
}

/** The three Workers in one workerd, each answering on its own port of 127.0.0.1 without a proxy in between. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  await mkdir(options.persistDir, { recursive: true });
  noteWorkerdIn(join(options.persistDir, WORKERD_PID_FILE));
  const ports: Partial<Record<WorkerName, number>> = { ingest: options.ingestPort, api: options.apiPort };
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      workers: WORKERS.map((worker) => workerOptions(worker, options, ports[worker])),
    }),
    resourcePersistencePath: options.persistDir,
    log: new Log(LogLevel.ERROR),
    handleStructuredLogs: options.onLog ?? (() => {}),
  });
  await miniflare.ready;
  return {
    ingestUrl: (await miniflare.unsafeGetDirectURL("tally-ingest")).origin,
    apiUrl: (await miniflare.unsafeGetDirectURL("tally-api")).origin,
    directory: (await miniflare.getD1Database("DIRECTORY", "tally-api")) as unknown as D1Database,
    archive: (await miniflare.getR2Bucket("ARCHIVE", "tally-aggregate")) as unknown as R2Bucket,
    miniflare,
    stop: () => miniflare.dispose(),
  };
}

function workerOptions(worker: WorkerName, { bundleDir, bindings }: RuntimeOptions, port: number | undefined) {
  // The bundle is one ES module already, so there are no rules for others to follow.
  const { modulesRules: _, ...fromConfig } = unstable_getMiniflareWorkerOptions(WRANGLER_CONFIG, worker).workerOptions;
  const path = join(bundleDir, worker, "index.js");
  return {
    ...fromConfig,
    name: `tally-${worker}`,
    modulesRoot: join(bundleDir, worker),
    modules: [{ type: "ESModule" as const, path }],
    bindings: { ...(fromConfig.bindings as Record<string, string>), ...bindings[worker] },
    ...(port === undefined ? {} : { unsafeDirectSockets: [{ host: "127.0.0.1", port }] }),
  };
}
