import type { Env as AggregateEnv } from "../../workers/aggregate/env.ts";
import aggregate from "../../workers/aggregate/index.ts";
import type { Env as ApiEnv } from "../../workers/api/env.ts";
import { mintKey } from "../../workers/directory/key.ts";
import type { Env as IngestEnv } from "../../workers/ingest/env.ts";
import { Chance } from "./chance.ts";
import { Doubts } from "./doubts.ts";
import { Isolates } from "./isolates.ts";
import { ReferenceModel } from "./reference-model.ts";
import { Scheduler } from "./scheduler.ts";
import { SimulatedArchive } from "./simulated-archive.ts";
import { SimulatedDirectory } from "./simulated-directory.ts";
import { SimulatedHistory } from "./simulated-history.ts";
import { SimulatedNamespace } from "./simulated-namespace.ts";
import { SimulatedObject } from "./simulated-object.ts";
import { type Delivery, SimulatedQueue } from "./simulated-queue.ts";
import { type Sent, Traffic } from "./traffic.ts";
import { Weather } from "./weather.ts";

/** Noon of a day: every run begins there. */
const BEGIN_MS = Date.UTC(2031, 2, 5, 12);
/** A consumer that has not come back by then is given up, as the platform does. */
const CONSUMER_MS_MAX = 15 * 60_000;
const IDENTITY_KEY = "000102030405060708090a0b0c0d0e0f";
/** What is too late for its shard is compared as it is noted; rebuilding it is real ClickHouse's, and not in this world. */
const NO_REPLAYER = {
  idFromName: () => ({}),
  get: () => ({ wake: async () => {} }),
} as unknown as AggregateEnv["REPLAYER"];
const CLICKHOUSE = {
  CLICKHOUSE_URL: "http://history:8123",
  CLICKHOUSE_USER: "simulated",
  CLICKHOUSE_PASSWORD: "",
  CLICKHOUSE_DATABASE: "tally",
};

/** Isolates that shards start in. */
const HOSTS = 2;

/** All of Tally, and everything around it, in one process and under one seed. */
export class World {
  readonly scheduler = new Scheduler(BEGIN_MS);
  readonly chance: Chance;
  readonly weather: Weather;
  readonly traffic: Traffic;
  readonly model = new ReferenceModel();
  readonly doubts: Doubts;
  readonly directory: SimulatedDirectory;
  readonly archive: SimulatedArchive;
  readonly history: SimulatedHistory;
  readonly shards: SimulatedNamespace;
  readonly queues: ReadonlyMap<string, SimulatedQueue>;
  readonly ingest: Isolates<IngestEnv>;
  readonly aggregate: Isolates<AggregateEnv>;
  readonly api: Isolates<ApiEnv>;
  readonly trace: string[] = [];
  /** What can never be right; the first one ends the run. */
  violation: Error | undefined;
  /** Header of the source that sends everything. */
  authorization = "";
  /** Bindings that shards share: those of one isolate. */
  readonly #hosts: readonly AggregateEnv[];
  readonly #raw: SimulatedQueue;
  readonly #windows: SimulatedQueue;

  constructor(seed: number) {
    this.chance = new Chance(seed);
    this.weather = new Weather(this.chance, this.scheduler);
    this.traffic = new Traffic(this.chance);
    const distance = { scheduler: this.scheduler, weather: this.weather, note: this.note };
    this.directory = new SimulatedDirectory(distance);
    this.archive = new SimulatedArchive(distance);
    this.doubts = new Doubts(
      () => this.scheduler.nowMs,
      (windowMs) => this.model.disturb(windowMs, (sent) => this.archive.hasLine(sent)),
    );
    this.history = new SimulatedHistory(distance, this.chance, this.violate);
    this.shards = new SimulatedNamespace(distance, this.chance, (name, id) => this.#makeObject(name, id));
    const retriesMax = this.chance.is(0.2) ? 6 : 100;
    const queue = (name: string, service: "raw" | "windows", batchWaitMs: number, more = {}) => {
      const settings = { name, service, batchMax: 100, batchWaitMs, retriesMax, concurrencyMax: 3, ...more };
      const made = new SimulatedQueue(settings, distance, this.chance);
      made.onDelivery = (delivery) => void this.#consume(name, delivery);
      return made;
    };
    const dead = { retriesMax: 1_000, batchMax: 20 };
    const rawDead = queue("tally-raw-dead", "raw", 5_000, dead);
    const windowsDead = queue("tally-windows-dead", "windows", 5_000, dead);
    this.#raw = queue("tally-raw", "raw", 2_000, { deadLetters: rawDead });
    this.#windows = queue("tally-windows", "windows", 3_000, {
      deadLetters: windowsDead,
      concurrencyMax: 2,
      lost: 0.02,
    });
    this.queues = new Map([
      ["tally-raw", this.#raw],
      ["tally-windows", this.#windows],
      ["tally-raw-dead", rawDead],
      ["tally-windows-dead", windowsDead],
    ]);
    this.#hosts = Array.from({ length: HOSTS }, () => this.#aggregateEnv());
    this.ingest = new Isolates("ingest", 3, this.chance, this.weather, () => this.#ingestEnv());
    this.aggregate = new Isolates("aggregate", 3, this.chance, this.weather, () => this.#aggregateEnv());
    this.api = new Isolates("api", 2, this.chance, this.weather, () => this.#apiEnv());
  }

  /** Few shards to begin with, and one source with a key. */
  async prepare(): Promise<void> {
    this.directory.query("UPDATE topology_epochs SET shards = ?", [this.chance.between(1, 3)]);
    const random = new Uint8Array(40);
    this.chance.bytes(random);
    const { id, token, secretHash } = await mintKey("source", random);
    this.directory.query("INSERT INTO sources (id, name, merchants, created_at) VALUES ('pos', 'pos', NULL, 0)");
    this.directory.query(
      "INSERT INTO keys (id, kind, subject, secret_hash, created_at) VALUES (?, 'source', 'pos', ?, 0)",
      [id, secretHash],
    );
    this.authorization = `Bearer ${token}`;
  }

  /** Lets time pass; throws the first violation. */
  async pass(ms: number): Promise<void> {
    await this.scheduler.advance(this.scheduler.nowMs + ms, () => {
      if (this.violation !== undefined) throw this.violation;
    });
  }

  readonly note = (line: string): void => {
    this.trace.push(`${new Date(this.scheduler.nowMs).toISOString().slice(8, 23)} ${line}`);
  };

  /** The model has to know where epochs begin, whatever the operator was told. */
  noteEpochs(): void {
    const rows = this.directory.query("SELECT from_ms FROM topology_epochs");
    for (const { from_ms } of rows.slice(this.model.epochsMs.length)) this.model.epochsMs.push(Number(from_ms));
  }

  readonly violate = (violation: Error): void => {
    this.violation ??= violation;
  };

  /** The furthest any shard's clock has ever shown. */
  get furthestMs(): number {
    const all = [...this.shards.objects.values()].map(({ furthestMs }) => furthestMs);
    return Math.max(this.scheduler.nowMs, ...all);
  }

  /** Whether a shard has said of an event's window, at any moment since, that it is damaged. */
  doubtSince(sinceMs: number): (sent: Sent) => boolean {
    return ({ windowMs }) => this.doubts.isSince(windowMs, sinceMs);
  }

  #makeObject(name: string, id: string): SimulatedObject {
    const { scheduler, chance, weather, doubts, note, violate } = this;
    const env = () => chance.pick(this.#hosts);
    const world = { scheduler, chance, weather, doubts, env, trace: note, onViolation: violate };
    return new SimulatedObject({ name, id, ...world });
  }

  /** Has an isolate consume a batch. It may crash under it, or be taken for dead while it goes on. */
  async #consume(queue: string, { batch, end }: Delivery): Promise<void> {
    const { machine, env } = this.aggregate.any();
    const ids = batch.messages.map(({ id }) => id.replace(/^tally-/, "")).slice(0, 6);
    if (!this.weather.isCalm && this.chance.is(0.03)) {
      this.scheduler.after(this.chance.below(150), () => {
        if (machine.isAlive) this.note(`${machine.name} crashes`);
        machine.crash();
      });
    }
    const done = machine
      .run(async () => await aggregate.queue(batch, env))
      .then(
        () => "returned" as const,
        () => "threw" as const,
      );
    const late = this.scheduler.sleep(CONSUMER_MS_MAX).then(() => "crashed" as const);
    const how = await Promise.race([done, machine.crashed.then(() => "crashed" as const), late]);
    this.note(`${machine.name} ${how} of ${ids.join(" ")}${batch.messages.length > ids.length ? " …" : ""}`);
    end(how);
    void queue;
  }

  #ingestEnv(): IngestEnv {
    return {
      DIRECTORY: this.directory.binding(),
      RAW: this.#raw.binding(),
      SHARD: this.shards.binding(),
      HISTORY_AGE_MAX_DAYS: "1830",
      IDENTITY_KEY,
      USER_KEY: "f0e0d0c0b0a090807060504030201000",
    };
  }

  #aggregateEnv(): AggregateEnv {
    return {
      DIRECTORY: this.directory.binding(),
      ARCHIVE: this.archive.binding(),
      SHARD: this.shards.binding(),
      REPLAYER: NO_REPLAYER,
      WINDOWS: this.#windows.binding(),
      ...CLICKHOUSE,
      CORRECTION_DELAY_MS: "20000",
      LATE_DELAY_MS: "60000",
      IDENTITY_KEY,
    };
  }

  #apiEnv(): ApiEnv {
    return {
      DIRECTORY: this.directory.binding(),
      ARCHIVE: this.archive.binding(),
      SHARD: this.shards.binding(),
      REPLAYER: NO_REPLAYER,
      RAW: this.#raw.binding(),
      WINDOWS: this.#windows.binding(),
      VERSION: { id: "simulated", tag: "", timestamp: "" },
      ...CLICKHOUSE,
    };
  }
}
