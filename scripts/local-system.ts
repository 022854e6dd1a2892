import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { buildWorkers } from "./build.ts";
import { type ClickHouse, startClickHouse } from "./clickhouse.ts";
import { migrateClickHouse } from "./clickhouse-migrate.ts";
import { migrateDirectory } from "./directory.ts";
import { consumerAt } from "./durable-queues/deliveries.ts";
import type { QueueService } from "./durable-queues/queue-service.ts";
import { type Runtime, type RuntimeOptions, startRuntime } from "./runtime.ts";

/** Shards, archive and directory, below the state folder. */
export const WORKERS_STATE_DIR = "workers";

const secretsSchema = z.object({
  identityKey: z.string(),
  userKey: z.string(),
  clickhousePassword: z.string(),
  /** Sessions of the dashboard are signed with it. */
  sessionKey: z.string(),
  /** Secrets of webhooks are sealed with it. */
  alertKey: z.string(),
  /** What the demo keys are derived from. */
  demoSecret: z.string(),
});
export type Secrets = z.output<typeof secretsSchema>;

export interface LocalSystemOptions {
  /** Everything the system keeps stands below this folder. */
  readonly stateDir: string;
  /** 0 for any free port. */
  readonly ports: { readonly ingest: number; readonly api: number; readonly clickhouse: number };
  /** Bundles that are built already; without it they are built into the state folder. */
  readonly bundleDir?: string;
  /** Variables of the aggregate Worker over those of wrangler.toml. */
  readonly aggregateVars?: Readonly<Record<string, string>>;
  /** The same of the ingest Worker. */
  readonly ingestVars?: Readonly<Record<string, string>>;
  /** The share of requests that the Workers follow in their log, over that of wrangler.toml. */
  readonly traceShare?: string;
  /** `RATE_LIMIT` of ingest and api over that of wrangler.toml: Miniflare's stand-in for the limiter writes a row for each request. */
  readonly rateLimit?: string;
  /** In the place of Miniflare's queues, with the bundles that go with it; its owner stops it after the system. */
  readonly queues?: Pick<QueueService, "url" | "deliverTo"> | undefined;
  /** How long Miniflare's queues wait for a batch to fill, over what wrangler.toml has of each. */
  readonly batchTimeoutS?: number;
  /** Where the Workers find ClickHouse, when something stands between; its own address unless given. */
  readonly clickhouseUrl?: string;
  readonly onLog?: RuntimeOptions["onLog"];
  /** True for a workerd for each Worker. */
  readonly isSeparate?: boolean;
  /** Where what an isolate holds can be asked for (isolate-heap.ts); nowhere unless given. */
  readonly inspectorPort?: number;
  readonly onStep?: (step: string) => void;
}

export interface LocalSystem {
  readonly runtime: Runtime;
  readonly clickhouse: ClickHouse;
  readonly secrets: Secrets;
  stop(): Promise<void>;
}

/**
 * Tally on one machine: a real ClickHouse on disk, both databases migrated, the three Workers in workerd. Used by `npm start` and by the
 * system tests. What it started before something failed is stopped again.
 */
export async function startLocalSystem(options: LocalSystemOptions): Promise<LocalSystem> {
  const step = options.onStep ?? (() => {});
  const { stateDir, ports } = options;
  await mkdir(stateDir, { recursive: true });
  const secrets = await loadSecrets(join(stateDir, "secrets.json"));
  step("building the Workers, starting ClickHouse");
  const bundleDir = options.bundleDir ?? join(stateDir, "bundles");
  const password = secrets.clickhousePassword;
  const starting = startClickHouse({
    dataDir: join(stateDir, "clickhouse"),
    port: ports.clickhouse,
    password,
    readerPassword: password,
    writerPassword: password,
  });
  const [built, started] = await Promise.allSettled([
    options.bundleDir === undefined ? buildWorkers(bundleDir) : undefined,
    starting,
  ]);
  if (started.status === "rejected") throw started.reason;
  const clickhouse = started.value;
  try {
    if (built.status === "rejected") throw built.reason;
    step("migrating ClickHouse, starting the Workers");
    await migrateClickHouse({ url: clickhouse.url, user: clickhouse.user, password });
    const runtime = await startRuntime({
      bundleDir,
      persistDir: join(stateDir, WORKERS_STATE_DIR),
      ingestPort: ports.ingest,
      apiPort: ports.api,
      bindings: bindingsOf(secrets, clickhouse, options),
      queuesUrl: options.queues?.url,
      batchTimeoutS: options.batchTimeoutS,
      isSeparate: options.isSeparate,
      inspectorPort: options.inspectorPort,
      ...(options.onLog === undefined ? {} : { onLog: options.onLog }),
    });
    try {
      await migrateDirectory(runtime.directory);
      if (runtime.aggregateUrl !== undefined) options.queues?.deliverTo(consumerAt(runtime.aggregateUrl));
    } catch (error) {
      await runtime.stop();
      throw error;
    }
    return {
      runtime,
      clickhouse,
      secrets,
      stop: async () => {
        await runtime.stop();
        await clickhouse.stop();
      },
    };
  } catch (error) {
    await clickhouse.stop();
    throw error;
  }
}

function bindingsOf(secrets: Secrets, clickhouse: ClickHouse, options: LocalSystemOptions) {
  const { identityKey: IDENTITY_KEY, userKey: USER_KEY, alertKey: ALERT_KEY } = secrets;
  const tracing = options.traceShare === undefined ? {} : { TRACE_SHARE: options.traceShare };
  const limit = options.rateLimit === undefined ? {} : { RATE_LIMIT: options.rateLimit };
  // Receivers of a developer's, or of a test's, listen on this machine.
  const alerts = { ALERT_KEY, WEBHOOKS_TO_LOOPBACK: "on" };
  const CLICKHOUSE_URL = options.clickhouseUrl ?? clickhouse.url;
  return {
    ingest: { IDENTITY_KEY, USER_KEY, ...limit, ...tracing, ...options.ingestVars },
    aggregate: {
      IDENTITY_KEY,
      ...alerts,
      CLICKHOUSE_URL,
      CLICKHOUSE_USER: clickhouse.writer.user,
      CLICKHOUSE_PASSWORD: clickhouse.writer.password,
      ...tracing,
      ...options.aggregateVars,
    },
    api: {
      SESSION_KEY: secrets.sessionKey,
      ...alerts,
      CLICKHOUSE_URL,
      CLICKHOUSE_USER: clickhouse.reader.user,
      CLICKHOUSE_PASSWORD: clickhouse.reader.password,
      ...limit,
    },
  };
}

/** The installation's secrets, made at the first start. They outlive restarts: under another key every event would look new. */
async function loadSecrets(path: string): Promise<Secrets> {
  const known = await readSecrets(path);
  if (known?.sessionKey !== undefined && known.alertKey !== undefined) return secretsSchema.parse(known);
  const secrets: Secrets = {
    identityKey: randomBytes(16).toString("hex"),
    userKey: randomBytes(16).toString("hex"),
    clickhousePassword: randomBytes(18).toString("base64url"),
    demoSecret: randomBytes(18).toString("base64url"),
    ...known,
    // Installations from before there were sessions, or alerts, get what they lack.
    sessionKey: known?.sessionKey ?? randomBytes(32).toString("hex"),
    alertKey: known?.alertKey ?? randomBytes(32).toString("hex"),
  };
  await writeFile(`${path}.new`, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return secrets;
}

/** `undefined` before the first start. */
async function readSecrets(path: string) {
  try {
    return secretsSchema.partial({ sessionKey: true, alertKey: true }).parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`${path} cannot be read; restore it, or remove the whole folder to start afresh`, { cause: error });
  }
}
