import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { D1Database, R2Bucket } from "@cloudflare/workers-types";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type WorkerdStructuredLog } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { z } from "zod";
import type { ArchiveS3 } from "../workers/aggregate/archive-s3.ts";
import { WORKERS, type WorkerName, WRANGLER_CONFIG } from "./build.ts";
import { siteWithIngestAt } from "./described-ingest.ts";
import { EDGE_NAME, edgeOptions } from "./edge.ts";
import { freePort } from "./port.ts";
import { noteWorkerdIn } from "./workerd-process.ts";

/** In the folder of the Workers' state. */
export const WORKERD_PID_FILE = "workerd.pid";
/** The same of a Worker that has a workerd of its own. */
export const separatePidFile = (worker: WorkerName) => `workerd-${worker}.pid`;
/** The first one owns what they share: the archive and the directory are in its process. */
const SEPARATELY: readonly WorkerName[] = ["aggregate", "ingest", "api"];

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
  /** How long Miniflare's queues wait for a batch to fill, over what wrangler.toml has of each. */
  readonly batchTimeoutS?: number | undefined;
  readonly onLog?: (log: WorkerdStructuredLog) => void;
  /** True for a workerd for each Worker, as on the platform none has the others' thread; they find one another by Miniflare's registry. */
  readonly isSeparate?: boolean | undefined;
  /** False for api without its pages: where there are some, two Workers of Miniflare's stand before it, and the edge's stand-in, which cost three times what it does. */
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
  /** The same through its S3 API, by which ClickHouse reads and writes it. */
  readonly archiveS3: ArchiveS3;
  readonly miniflare: Miniflare;
  /** Fires the aggregate Worker's cron of every ten minutes, which Miniflare never does by itself, and waits until they are done. */
  runCron(): Promise<void>;
  /** The same of the cron that looks at alerts and sends their notices. */
  runAlertCron(): Promise<void>;
  stop(): Promise<void>;
}

/** The three Workers, in one workerd unless each is to have its own, each answering on its own port of 127.0.0.1 without a proxy in between. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  await mkdir(options.persistDir, { recursive: true });
  const isDurable = options.queuesUrl !== undefined;
  const { withSite = true } = options;
  // What is killed comes back on the port it had: on none that another may have been given meanwhile.
  const anyPort = async (port: number) => (port === 0 ? await freePort() : port);
  const apiPort = await anyPort(options.apiPort);
  const ports: Partial<Record<WorkerName, number>> = {
    ingest: await anyPort(options.ingestPort),
    ...(withSite ? {} : { api: apiPort }),
    ...(isDurable ? { aggregate: await freePort() } : {}),
  };
  // For ClickHouse, which reads and writes the archive by itself. Chosen here, since the Workers are told before they are started.
  const s3: ArchiveEndpoint = { port: await freePort(), secret: randomBytes(18).toString("base64url") };
  const started: Miniflare[] = [];
  const stop = async () => {
    for (const miniflare of started.toReversed()) await miniflare.dispose();
  };
  const siteDir = withSite ? await siteOf(options) : undefined;
  const start = async (workers: readonly WorkerName[], pidFile: string): Promise<Miniflare> => {
    noteWorkerdIn(join(options.persistDir, pidFile));
    const isFirst = started.length === 0;
    const miniflare = new Miniflare({
      ...convertV4MiniflareOptions({
        host: "127.0.0.1",
        port: isFirst ? s3.port : 0,
        ...(options.inspectorPort === undefined ? {} : { inspectorPort: options.inspectorPort }),
        ...(options.isSeparate ? { unsafeDevRegistryPath: join(options.persistDir, "registry") } : {}),
        workers: [
          ...workers.map((worker) => workerOptions(worker, { ...options, siteDir }, ports[worker], s3)),
          ...(withSite && workers.includes("api") ? [edgeOptions(nameOf("api"), apiPort)] : []),
        ],
      }),
      resourcePersistencePath: options.persistDir,
      ...(options.isSeparate ? sharedStorage(join(options.persistDir, pidFile.replace(".pid", ""))) : {}),
      log: new Log(LogLevel.ERROR),
      handleStructuredLogs: options.onLog ?? (() => {}),
    });
    started.push(miniflare);
    await miniflare.ready;
    return miniflare;
  };
  try {
    const { ingest, aggregate, api } = await startAll(start, options.isSeparate === true);
    return {
      ingestUrl: (await ingest.unsafeGetDirectURL(nameOf("ingest"))).origin,
      apiUrl: (await api.unsafeGetDirectURL(withSite ? EDGE_NAME : nameOf("api"))).origin,
      aggregateUrl: isDurable ? (await aggregate.unsafeGetDirectURL(nameOf("aggregate"))).origin : undefined,
      directory: (await aggregate.getD1Database("DIRECTORY", nameOf("aggregate"))) as unknown as D1Database,
      archive: (await aggregate.getR2Bucket("ARCHIVE", nameOf("aggregate"))) as unknown as R2Bucket,
      archiveS3: s3Of(unstable_getMiniflareWorkerOptions(WRANGLER_CONFIG, "aggregate").workerOptions.r2Buckets, s3),
      miniflare: aggregate,
      runCron: () => fireCron(aggregate, "*/10 * * * *"),
      runAlertCron: () => fireCron(aggregate, "* * * * *"),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One after the other: where the id of a workerd is noted stands in the environment. */
async function startAll(
  start: (workers: readonly WorkerName[], pidFile: string) => Promise<Miniflare>,
  isSeparate: boolean,
): Promise<Readonly<Record<WorkerName, Miniflare>>> {
  if (!isSeparate) {
    const all = await start(WORKERS, WORKERD_PID_FILE);
    return { ingest: all, aggregate: all, api: all };
  }
  const each = new Map<WorkerName, Miniflare>();
  for (const worker of SEPARATELY) each.set(worker, await start([worker], separatePidFile(worker)));
  return Object.fromEntries(each) as Record<WorkerName, Miniflare>;
}

/** Of several workerds: D1 and R2 are in the process that was started first, what is not shared in a folder of each. */
const sharedStorage = (own: string) => ({ unsafeEnableSharedStorage: true, isolatedResourcePersistencePath: own });

/** As in wrangler.toml. */
async function fireCron(miniflare: Miniflare, cron: string): Promise<void> {
  const aggregate = await miniflare.getWorker(nameOf("aggregate"));
  await aggregate.scheduled({ cron });
}

const nameOf = (worker: WorkerName) => `tally-${worker}`;

/** Where api's pages stand, whose description names ingest where its port is known before it answers. */
async function siteOf({ ingestPort, persistDir }: RuntimeOptions): Promise<string | undefined> {
  const { assets } = unstable_getMiniflareWorkerOptions(WRANGLER_CONFIG, "api").workerOptions;
  const { directory } = z.object({ directory: z.string() }).parse(assets);
  if (ingestPort === 0) return directory;
  return await siteWithIngestAt(`http://127.0.0.1:${ingestPort}`, directory, join(persistDir, "site"));
}

function workerOptions(
  worker: WorkerName,
  options: RuntimeOptions & { readonly siteDir: string | undefined },
  port: number | undefined,
  s3: ArchiveEndpoint,
) {
  const { bundleDir, bindings, queuesUrl, withSite = true, siteDir } = options;
  // The bundle is one ES module already, so there are no rules for others to follow.
  const { workerOptions } = unstable_getMiniflareWorkerOptions(WRANGLER_CONFIG, worker);
  const { modulesRules: _, ...withPages } = workerOptions;
  const { assets, ...withoutPages } = withPages;
  const pages = assets && siteDir !== undefined ? { assets: { ...assets, directory: siteDir } } : {};
  const fromConfig = withSite ? { ...withoutPages, ...pages } : withoutPages;
  const path = join(bundleDir, worker, "index.js");
  return {
    ...fromConfig,
    name: nameOf(worker),
    modulesRoot: join(bundleDir, worker),
    modules: [{ type: "ESModule" as const, path }],
    ...(queuesUrl === undefined
      ? { queueConsumers: withBatchTimeout(fromConfig.queueConsumers, options.batchTimeoutS) }
      : { queueProducers: {}, queueConsumers: {} }),
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

/** Every queue that a Worker consumes. */
function withBatchTimeout(consumers: unknown, maxBatchTimeout: number | undefined) {
  const settings = Object.entries((consumers ?? {}) as Record<string, object>);
  return Object.fromEntries(
    settings.map(([queue, consumer]) => [
      queue,
      { ...consumer, ...(maxBatchTimeout === undefined ? {} : { maxBatchTimeout }) },
    ]),
  );
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
function s3Bindings(buckets: unknown, endpoint: ArchiveEndpoint): Record<string, string> {
  const { url, keyId, secret } = s3Of(buckets, endpoint);
  return { ARCHIVE_S3_URL: url, ARCHIVE_S3_KEY_ID: keyId, ARCHIVE_S3_SECRET: secret };
}

function s3Of(buckets: unknown, { port, secret }: ArchiveEndpoint): ArchiveS3 {
  const [, id] = bucketsOf(buckets).find(([binding]) => binding === "ARCHIVE") ?? [];
  return { url: `http://127.0.0.1:${port}/cdn-cgi/local/r2/s3/${id}`, keyId: ARCHIVE_KEY_ID, secret };
}

function bucketsOf(buckets: unknown): (readonly [binding: string, id: string])[] {
  const entries = Object.entries((buckets ?? {}) as Record<string, string | { readonly id: string }>);
  return entries.map(([binding, bucket]) => [binding, typeof bucket === "string" ? bucket : bucket.id]);
}
