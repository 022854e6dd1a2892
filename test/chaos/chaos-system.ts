import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { type ClickHouseClient, createClient } from "@clickhouse/client";
import type { D1Database, R2Bucket } from "@cloudflare/workers-types";
import { type ClickHouse, startClickHouse } from "../../scripts/clickhouse.ts";
import { createKey, putSource } from "../../scripts/directory.ts";
import { type QueueService, startQueueService } from "../../scripts/durable-queues/queue-service.ts";
import { readQueues, withSettings } from "../../scripts/durable-queues/queue-settings.ts";
import { type LocalSystem, startLocalSystem, WORKERS_STATE_DIR } from "../../scripts/local-system.ts";
import { freePort } from "../../scripts/port.ts";
import { WORKERD_PID_FILE } from "../../scripts/runtime.ts";
import { seededRandom } from "../../scripts/seeded-random.ts";
import { findWorkerd } from "../../scripts/workerd-process.ts";
import { type FlakyProxy, startFlakyProxy } from "./flaky-proxy.ts";

/** Where connections pass through something that cuts, delays and stalls them. */
export type Crossing = "sources to ingest" | "Workers to ClickHouse" | "Workers to the queues";

/** Of the acknowledged messages, this share is delivered again all the same. */
const REPEAT_SHARE = 0.05;
/** So long a consumer may take over a batch before another one is given it. */
const LEASE_MS = 20_000;
/** Events wait here for this, and not for the seconds that save money in production: more happens in a run. */
const BATCH_TIMEOUT_MS = 300;
const CORRECTION_DELAY_MS = 300;
const LATE_DELAY_MS = 1_000;
/** Of the archive, a part of a replay: so little that a replay has several. */
const REPLAY_BYTES_MAX = 50_000;

export interface ChaosSystemOptions {
  /** Holds all state, and the Workers' log. */
  readonly dir: string;
  /** As `buildDurableWorkers` makes them. */
  readonly bundleDir: string;
  readonly seed: string;
}

/** The whole system on one machine, everything on disk, with something unreliable at each crossing; or, after `startCleanly`, without. */
export class ChaosSystem {
  readonly #options: ChaosSystemOptions;
  readonly #log: NodeJS.WritableStream;
  #queues: QueueService;
  #proxies: ReadonlyMap<Crossing, FlakyProxy>;
  #local: LocalSystem;
  #clickhouse: ClickHouse;
  readonly operatorKey: string;
  readonly sourceKeys: readonly string[];
  /** Batches that went to a consumer, and whoever waits for the next one. */
  readonly #delivery: Delivery;

  private constructor(options: ChaosSystemOptions, parts: Parts) {
    this.#options = options;
    this.#log = parts.log;
    this.#queues = parts.queues;
    this.#proxies = parts.proxies;
    this.#local = parts.local;
    this.#clickhouse = parts.local.clickhouse;
    this.#delivery = parts.delivery;
    this.operatorKey = parts.operatorKey;
    this.sourceKeys = parts.sourceKeys;
  }

  /** With so many sources. */
  static async start(options: ChaosSystemOptions, sources: number): Promise<ChaosSystem> {
    const delivery = new Delivery();
    const queues = await openQueues(options, delivery);
    const log = createWriteStream(join(options.dir, "workers.log"), { flags: "a" });
    const [ingest, clickhouse] = [await freePort(), await freePort()];
    const through = (crossing: Crossing, target: string) =>
      startFlakyProxy(target, seededRandom(options.seed, crossing));
    const proxies = new Map<Crossing, FlakyProxy>();
    try {
      proxies.set("sources to ingest", await through("sources to ingest", `http://127.0.0.1:${ingest}`));
      const history = await through("Workers to ClickHouse", `http://127.0.0.1:${clickhouse}`);
      proxies.set("Workers to ClickHouse", history);
      const toQueues = await through("Workers to the queues", queues.url);
      proxies.set("Workers to the queues", toQueues);
      const local = await startLocalSystem({
        ...commonOptions(options, log),
        ports: { ingest, api: 0, clickhouse },
        clickhouseUrl: history.url,
        queues: { url: toQueues.url, deliverTo: queues.deliverTo },
      });
      const { directory } = local.runtime;
      const nowMs = Date.now();
      const sourceKeys: string[] = [];
      for (let place = 0; place < sources; place += 1) {
        await putSource(directory, { id: `source-${place}`, name: `Source ${place}`, merchants: null }, nowMs);
        sourceKeys.push(await createKey(directory, "source", `source-${place}`, nowMs));
      }
      const operatorKey = await createKey(directory, "operator", "chaos", nowMs);
      return new ChaosSystem(options, { log, queues, proxies, local, delivery, operatorKey, sourceKeys });
    } catch (error) {
      for (const proxy of proxies.values()) await proxy.stop();
      await queues.stop();
      throw error;
    }
  }

  /** Where sources send. */
  get ingestUrl(): string {
    return this.proxy("sources to ingest").url;
  }

  get queues(): QueueService {
    return this.#queues;
  }

  proxy(crossing: Crossing): FlakyProxy {
    const proxy = this.#proxies.get(crossing);
    if (proxy === undefined) throw new Error(`${crossing}: everything was started cleanly`);
    return proxy;
  }

  get cuts(): number {
    return [...this.#proxies.values()].reduce((sum, { cuts }) => sum + cuts, 0);
  }

  /** Resolves when a batch goes to a consumer. */
  nextDelivery(): Promise<void> {
    return this.#delivery.next();
  }

  /** The process of the Workers; `undefined` while there is none. */
  async workerd(): Promise<number | undefined> {
    return await findWorkerd(join(this.#options.dir, WORKERS_STATE_DIR, WORKERD_PID_FILE));
  }

  get clickhousePid(): number {
    return this.#clickhouse.pid;
  }

  /** Kills ClickHouse with SIGKILL, and starts it again on the same folder and port. */
  async restartClickHouse(): Promise<void> {
    const { port } = new URL(this.#clickhouse.url);
    this.#clickhouse.kill();
    await this.#clickhouse.exited;
    const { clickhousePassword: password } = this.#local.secrets;
    const dataDir = join(this.#options.dir, "clickhouse");
    this.#clickhouse = await startClickHouse({
      dataDir,
      port: Number(port),
      password,
      readerPassword: password,
      writerPassword: password,
    });
  }

  async runCron(): Promise<void> {
    await this.#local.runtime.runCron();
  }

  /** As an operator, of the api. */
  async call(path: string, init: RequestInit = {}): Promise<Response> {
    return await fetch(`${this.#local.runtime.apiUrl}${path}`, {
      ...init,
      headers: {
        Authorization: `Bearer ${this.operatorKey}`,
        "Cache-Control": "no-cache",
        ...(init.body === undefined ? {} : { "Content-Type": "application/json" }),
      },
    });
  }

  /** Stops everything in order, and starts it again on the same state, with nothing unreliable any more. */
  async startCleanly(): Promise<void> {
    await this.#stopParts();
    this.#proxies = new Map();
    this.#queues = await openQueues(this.#options, this.#delivery);
    this.#local = await startLocalSystem({
      ...commonOptions(this.#options, this.#log),
      ports: { ingest: 0, api: 0, clickhouse: 0 },
      queues: this.#queues,
    });
    this.#clickhouse = this.#local.clickhouse;
  }

  /** ClickHouse as its administrator; to be closed by the caller. */
  sql(): ClickHouseClient {
    const { url, user: username, password } = this.#clickhouse;
    return createClient({ url, username, password, database: "tally" });
  }

  async directory(): Promise<D1Database> {
    return (await this.#local.runtime.miniflare.getD1Database("DIRECTORY", "tally-api")) as unknown as D1Database;
  }

  async archive(): Promise<R2Bucket> {
    return (await this.#local.runtime.miniflare.getR2Bucket("ARCHIVE", "tally-aggregate")) as unknown as R2Bucket;
  }

  async stop(): Promise<void> {
    await this.#stopParts();
    this.#log.end();
    await once(this.#log, "finish");
  }

  async #stopParts(): Promise<void> {
    await this.#local.runtime.stop();
    await this.#clickhouse.stop();
    for (const proxy of this.#proxies.values()) await proxy.stop();
    await this.#queues.stop();
  }
}

interface Parts {
  readonly log: NodeJS.WritableStream;
  readonly queues: QueueService;
  readonly proxies: ReadonlyMap<Crossing, FlakyProxy>;
  readonly local: LocalSystem;
  readonly delivery: Delivery;
  readonly operatorKey: string;
  readonly sourceKeys: readonly string[];
}

class Delivery {
  #next = Promise.withResolvers<void>();

  next(): Promise<void> {
    return this.#next.promise;
  }

  happened(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }
}

function openQueues({ dir, seed }: ChaosSystemOptions, delivery: Delivery): Promise<QueueService> {
  return startQueueService({
    path: join(dir, "queues.sqlite"),
    queues: withSettings(readQueues(), { maxBatchTimeoutMs: BATCH_TIMEOUT_MS }),
    leaseMs: LEASE_MS,
    random: seededRandom(seed, "queues"),
    newId: randomUUID,
    repeatShare: REPEAT_SHARE,
    onDelivery: () => delivery.happened(),
  });
}

function commonOptions({ dir, bundleDir }: ChaosSystemOptions, log: NodeJS.WritableStream) {
  return {
    stateDir: dir,
    bundleDir,
    aggregateVars: {
      CORRECTION_DELAY_MS: String(CORRECTION_DELAY_MS),
      LATE_DELAY_MS: String(LATE_DELAY_MS),
      REPLAY_BYTES_MAX: String(REPLAY_BYTES_MAX),
    },
    onLog: ({ timestamp, level, message }: { timestamp: number; level: string; message: string }) => {
      log.write(`${new Date(timestamp).toISOString()} ${level} ${message}\n`);
    },
  };
}
