import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { D1Database, R2Bucket } from "@cloudflare/workers-types";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type WorkerdStructuredLog } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { WORKERS, type WorkerName, WRANGLER_CONFIG } from "./build.ts";
import { freePort } from "./port.ts";
import { noteWorkerdIn } from "./workerd-process.ts";

/** In the folder of the Workers' state. */
export const WORKERD_PID_FILE = "workerd.pid";

export interface RuntimeOptions {
  /** Where `buildWorkers` put the bundles. */
  readonly bundleDir: string;
  /** State of shards, archive and directory; survives restarts. Miniflare's queues are in memory, whatever is said here. */
  readonly persistDir: string;
  readonly ingestPort: number;
  readonly apiPort: number;
  /** Variables and secrets by Worker, over those of wrangler.toml. */
  readonly bindings: Readonly<Record<WorkerName, Readonly<Record<string, string>>>>;
  /** Of the durable stand-in for queues; the bundles must be those of `durable-queues/bundle.ts` then. Without it, queues are Miniflare's. */
  readonly queuesUrl?: string | undefined;
  readonly onLog?: (log: WorkerdStructuredLog) => void;
  /** False for api without its pages: where there are some, two Workers of Miniflare's stand before it, which cost three times what it does. */
  readonly withSite?: boolean;
  /** Where what an isolate holds can be asked for, by the protocol of Chromium's developer tools; nowhere unless given. */
  readonly inspectorPort?: number | undefined;
}

export interface Runtime {
  readonly ingestUrl: string;
  readonly apiUrl: string;
  /** Where the durable stand-in delivers to; `undefined` without one. */
  readonly aggregateUrl: string | undefined;
  readonly directory: D1Database;
  readonly archive: R2Bucket;
  readonly miniflare: Miniflare;
  /** Fires the aggregate Worker's cron of every ten minutes, which Miniflare never does by itself, and waits until they are done. */
  runCron(): Promise<void>;
  /** The same of the cron that looks at alerts and sends their notices. */
  runAlertCron(): Promise<void>;
  stop(): Promise<void>;
}

/** The three Workers in one workerd, each answering on its own port of 127.0.0.1 without a proxy in between. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  await mkdir(options.persistDir, { recursive: true });
  noteWorkerdIn(join(options.persistDir, WORKERD_PID_FILE));
  const isDurable = options.queuesUrl !== undefined;
  const ports: Partial<Record<WorkerName, number>> = {
    ingest: options.ingestPort,
    api: options.apiPort,
    ...(isDurable ? { aggregate: 0 } : {}),
  };
  // For ClickHouse, which reads and writes the archive by itself. Chosen here, since the Workers are told before they are started.
  const s3: ArchiveEndpoint = { port: await freePort(), secret: randomBytes(18).toString("base64url") };
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: s3.port,
      ...(options.inspectorPort === undefined ? {} : { inspectorPort: options.inspectorPort }),
      workers: WORKERS.map((worker) => workerOptions(worker, options, ports[worker], s3)),
    }),
    resourcePersistencePath: options.persistDir,
    log: new Log(LogLevel.ERROR),
    handleStructuredLogs: options.onLog ?? (() => {}),
  });
  await miniflare.ready;
  return {
    ingestUrl: (await miniflare.unsafeGetDirectURL("tally-ingest")).origin,
    apiUrl: (await miniflare.unsafeGetDirectURL("tally-api")).origin,
    aggregateUrl: isDurable ? (await miniflare.unsafeGetDirectURL("tally-aggregate")).origin : undefined,
    directory: (await miniflare.getD1Database("DIRECTORY", "tally-api")) as unknown as D1Database,
    archive: (await miniflare.getR2Bucket("ARCHIVE", "tally-aggregate")) as unknown as R2Bucket,
    miniflare,
    runCron: () => fireCron(miniflare, "*/10 * * * *"),
    runAlertCron: () => fireCron(miniflare, "* * * * *"),
    stop: () => miniflare.dispose(),
  };
}

/** As in wrangler.toml. */
async function fireCron(miniflare: Miniflare, cron: string): Promise<void> {
  const aggregate = await miniflare.getWorker("tally-aggregate");
  await aggregate.scheduled({ cron });
}

function workerOptions(worker: WorkerName, options: RuntimeOptions, port: number | undefined, s3: ArchiveEndpoint) {
  const { bundleDir, bindings, queuesUrl, withSite = true } = options;
  // The bundle is one ES module already, so there are no rules for others to follow.
  const { workerOptions } = unstable_getMiniflareWorkerOptions(WRANGLER_CONFIG, worker);
  const { modulesRules: _, ...withPages } = workerOptions;
  const { assets: __, ...withoutPages } = withPages;
  const fromConfig = withSite ? withPages : withoutPages;
  const path = join(bundleDir, worker, "index.js");
  return {
    ...fromConfig,
    name: `tally-${worker}`,
    modulesRoot: join(bundleDir, worker),
    modules: [{ type: "ESModule" as const, path }],
    ...(queuesUrl === undefined ? {} : { queueProducers: {}, queueConsumers: {} }),
    r2Buckets: withS3(fromConfig.r2Buckets, s3),
    bindings: {
      ...(fromConfig.bindings as Record<string, string>),
      ...(worker !== "ingest" ? s3Bindings(fromConfig.r2Buckets, s3) : {}),
      ...(queuesUrl === undefined ? {} : durableBindings(queuesUrl, fromConfig.queueProducers)),
      ...bindings[worker],
    },
    ...(port === undefined ? {} : { unsafeDirectSockets: [{ host: "127.0.0.1", port }] }),
  };
}

/** What `durable-queues/workers/queue-env.ts` makes a Worker's queues of. */
function durableBindings(queuesUrl: string, producers: unknown): Record<string, string> {
  const settings = Object.entries(producers as Record<string, { queueName: string; deliveryDelay?: number }>);
  const byBinding = settings.map(([binding, { queueName: queue, deliveryDelay: delay_s }]) => [
    binding,
    { queue, delay_s },
  ]);
  return { QUEUES_URL: queuesUrl, QUEUE_PRODUCERS: JSON.stringify(Object.fromEntries(byBinding)) };
}

/** Miniflare's S3 endpoint, which answers on its main port. */
interface ArchiveEndpoint {
  readonly port: number;
  readonly secret: string;
}

const ARCHIVE_KEY_ID = "tally-local";

/** The Worker's buckets, with the credentials by which they are reached through the endpoint. */
function withS3(buckets: unknown, { secret }: ArchiveEndpoint) {
  const s3Credentials = { accessKeyId: ARCHIVE_KEY_ID, secretAccessKey: secret };
  return Object.fromEntries(bucketsOf(buckets).map(([binding, id]) => [binding, { id, s3Credentials }]));
}

/** What the aggregate and api Workers are told in production by a variable and two secrets (docs/operations.md). */
function s3Bindings(buckets: unknown, { port, secret }: ArchiveEndpoint): Record<string, string> {
  const [, id] = bucketsOf(buckets).find(([binding]) => binding === "ARCHIVE") ?? [];
  return {
    ARCHIVE_S3_URL: `http://127.0.0.1:${port}/cdn-cgi/local/r2/s3/${id}`,
    ARCHIVE_S3_KEY_ID: ARCHIVE_KEY_ID,
    ARCHIVE_S3_SECRET: secret,
  };
}

function bucketsOf(buckets: unknown): (readonly [binding: string, id: string])[] {
  const entries = Object.entries((buckets ?? {}) as Record<string, string | { readonly id: string }>);
  return entries.map(([binding, bucket]) => [binding, typeof bucket === "string" ? bucket : bucket.id]);
}
