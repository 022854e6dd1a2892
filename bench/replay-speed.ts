import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { z } from "zod";
import { startClickHouse } from "../scripts/clickhouse.ts";
import { migrateClickHouse } from "../scripts/clickhouse-migrate.ts";
import { createKey } from "../scripts/directory.ts";
import { sleep } from "../scripts/sleep.ts";
import { AHEAD_MAX_MS } from "../shared/accept-event.ts";
import { archivePrefix } from "../shared/archive-key.ts";
import { DAY_MS, HOUR_MS, windowStart } from "../shared/window.ts";
import { Acknowledged } from "./acknowledged.ts";
import { BENCH_WORKERS_DIR, REAL_ENTRIES } from "./bundle.ts";
import { paymentLoad } from "./load.ts";
import { median } from "./numbers.ts";
import { sendAllBodies } from "./send.ts";
import { type BenchSystem, makeStateDir, startBenchSystem } from "./system.ts";

/** Rates of one round, in events per second of wall time. */
export interface ReplayRound {
  /** From the first request until all of it is archived and counted. */
  readonly livePerSecond: number;
  /** From the request for it until it is done: every window of an hour counted from the archive, compared with history and written there. */
  readonly replayPerSecond: number;
}

export interface ReplaySpeed {
  readonly livePerSecond: number;
  readonly replayPerSecond: number;
  /** The median of the rounds' own ratios: what slows the machine down does so for both runs of a round. */
  readonly ratio: number;
}

export interface ReplaySpeedOptions {
  readonly rounds: number;
  readonly log: (line: string) => void;
}

/** Of either run of a round: an hour of merchants of whom each has some two events a window, the largest a thousand times as many. */
const EVENTS = 240_000;
const MERCHANTS = 20_000;
const REQUEST_EVENTS = 1_000;
const CONNECTIONS = 6;
const WARM_UPS = 1;
/** Live events are of so many milliseconds, which end a little before ingest would refuse them as in the future. */
const LIVE_SPREAD_MS = 15_000;
const LIVE_AHEAD_MS = AHEAD_MAX_MS - LIVE_SPREAD_MS - 5_000;
const MEMORY_BYTES_MAX = 4 * 1024 ** 3;
const POLL_MS = 20;
const REPLAY_MS_MAX = 300_000;

/** Counts events the whole live way, and as many from the archive by a replay, in turn. */
export async function measureReplays({ rounds, log }: ReplaySpeedOptions): Promise<ReplaySpeed> {
  const stateDir = await makeStateDir();
  const clickhouse = await startClickHouse({ dataDir: join(stateDir, "clickhouse"), maxMemoryBytes: MEMORY_BYTES_MAX });
  try {
    const { url, user, password } = clickhouse;
    await migrateClickHouse({ url, user, password });
    const acknowledged = new Acknowledged();
    const system = await startBenchSystem({
      stateDir,
      bundles: [
        { worker: "ingest", entry: REAL_ENTRIES["tally-ingest"] },
        { worker: "aggregate", entry: join(BENCH_WORKERS_DIR, "acknowledging-aggregate.ts") },
        { worker: "api", entry: REAL_ENTRIES["tally-api"] },
      ],
      onLog: acknowledged.onLog,
      clickhouse,
    });
    const quiet = { level: ClickHouseLogLevel.OFF };
    const sql = createClient({ url, username: user, password, database: "tally", log: quiet });
    try {
      const bench = new ReplayBench(system, acknowledged, sql);
      return await bench.run({ rounds, log });
    } finally {
      await sql.close();
      await system.stop();
    }
  } finally {
    await clickhouse.stop();
  }
}

class ReplayBench {
  readonly #system: BenchSystem;
  readonly #acknowledged: Acknowledged;
  readonly #sql: ClickHouseClient;
  readonly #nextEvent: ReturnType<typeof paymentLoad>;
  #sent = 0;

  constructor(system: BenchSystem, acknowledged: Acknowledged, sql: ClickHouseClient) {
    this.#system = system;
    this.#acknowledged = acknowledged;
    this.#sql = sql;
    this.#nextEvent = paymentLoad({ seed: "replay", merchants: MERCHANTS });
  }

  async run({ rounds, log }: ReplaySpeedOptions): Promise<ReplaySpeed> {
    const measured: ReplayRound[] = [];
    const fromMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 2 * DAY_MS;
    await this.#archive(fromMs);
    const operatorKey = await createKey(this.#system.runtime.directory, "operator", "bench", Date.now());
    for (let round = -WARM_UPS; round < rounds; round++) {
      const livePerSecond = (1000 * EVENTS) / (await this.#liveMs());
      const replayPerSecond = (1000 * EVENTS) / (await this.#replayMs(operatorKey, fromMs));
      if (round >= 0) measured.push({ livePerSecond, replayPerSecond });
      log(
        `${round < 0 ? "warm-up" : `round ${round + 1}`}: ${livePerSecond.toFixed(0)} events/s live, ${replayPerSecond.toFixed(0)} replayed`,
      );
    }
    return {
      livePerSecond: median(measured.map(({ livePerSecond }) => livePerSecond)),
      replayPerSecond: median(measured.map(({ replayPerSecond }) => replayPerSecond)),
      ratio: median(measured.map(({ livePerSecond, replayPerSecond }) => replayPerSecond / livePerSecond)),
    };
  }

  /**
   * Has an hour of the day before yesterday archived, as late events are, and makes it say that they came when they happened. A replay is to count
   * them, not what counts late ones.
   */
  async #archive(fromMs: number): Promise<void> {
    await this.#send(() => fromMs + Math.floor(Math.random() * HOUR_MS));
    const { archive, directory } = this.#system.runtime;
    const { objects } = await archive.list({ prefix: archivePrefix(fromMs) });
    for (const { key } of objects) {
      const object = await archive.get(key);
      if (object === null) continue;
      const lines = gunzipSync(new Uint8Array(await object.arrayBuffer()))
        .toString("utf8")
        .trimEnd()
        .split("\n");
      const onTime = lines.map((line) => {
        const event = z.looseObject({ occurred_at: z.int() }).parse(JSON.parse(line));
        return `${JSON.stringify({ ...event, received_at: event.occurred_at + 1_000 })}\n`;
      });
      await archive.put(key, gzipSync(onTime.join("")));
    }
    await directory.exec("DELETE FROM late_windows");
  }

  async #liveMs(): Promise<number> {
    const startedMs = Date.now();
    const firstMs = Math.max(startedMs, windowStart(startedMs + LIVE_AHEAD_MS));
    return await this.#send(() => firstMs + Math.floor(Math.random() * LIVE_SPREAD_MS));
  }

  /** Sends events by the log, which is how most come, and waits until all are archived and counted; answers how long it took. */
  async #send(occurredAt: () => number): Promise<number> {
    const bodies = Array.from({ length: EVENTS / REQUEST_EVENTS }, () => {
      const events = Array.from({ length: REQUEST_EVENTS }, () => this.#nextEvent(occurredAt()));
      return Buffer.from(JSON.stringify(events));
    });
    const { runtime, sourceKey } = this.#system;
    const headers = {
      Authorization: `Bearer ${sourceKey}`,
      "Content-Type": "application/json",
      Prefer: "respond-async",
    };
    const beganMs = performance.now();
    await sendAllBodies({ url: `${runtime.ingestUrl}/v1/events`, headers }, bodies, {
      connections: CONNECTIONS,
      onAnswer: ({ status, text }) => {
        if (status !== 202 && status !== 200) throw new Error(`${status}: ${text.slice(0, 500)}`);
      },
    });
    this.#sent += EVENTS;
    await this.#acknowledged.reach(this.#sent);
    return performance.now() - beganMs;
  }

  /** Of history without a window of the hour, so that all of it is written. */
  async #replayMs(operatorKey: string, fromMs: number): Promise<number> {
    await this.#sql.command({ query: "TRUNCATE TABLE windows" });
    const beganMs = performance.now();
    const body = JSON.stringify({ from: fromMs, to: fromMs + HOUR_MS });
    const { id } = await this.#call(operatorKey, "", { method: "POST", body });
    for (let shown = await this.#call(operatorKey, `/${id}`); ; shown = await this.#call(operatorKey, `/${id}`)) {
      if (shown.state === "done") {
        const ms = performance.now() - beganMs;
        if (shown.events !== EVENTS) throw new Error(`${shown.events} of ${EVENTS} events replayed`);
        return ms;
      }
      if (performance.now() - beganMs > REPLAY_MS_MAX) throw new Error("the replay does not end");
      await sleep(POLL_MS);
    }
  }

  async #call(operatorKey: string, path: string, init: RequestInit = {}): Promise<z.output<typeof shownSchema>> {
    const headers = { Authorization: `Bearer ${operatorKey}`, "Content-Type": "application/json" };
    const url = `${this.#system.runtime.apiUrl}/v1/admin/replays${path}`;
    const answer = await fetch(url, { headers, ...init });
    return shownSchema.parse(await answer.json());
  }
}

const shownSchema = z.object({ id: z.string(), state: z.string(), events: z.int().default(0) });
