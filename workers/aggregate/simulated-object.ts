import { DatabaseSync } from "node:sqlite";
import type { Env } from "./env.ts";
import { Shard } from "./shard.ts";

export const SIMULATED_SHARD_ID = "5a".repeat(32);

/**
 * A Durable Object outside the runtime, for simulations: the real `Shard` over a SQLite that survives it. It can crash at any `await`,
 * refuse writes, and ring its alarm again after a crash, as the platform does. A test that uses it mocks `cloudflare:workers`.
 */
export class SimulatedObject {
  readonly #db = new DatabaseSync(":memory:");
  readonly #env: Env;
  #running: { readonly shard: Shard; readonly crashed: PromiseWithResolvers<void> } | undefined;
  alarmMs: number | null = null;
  /** Statements that change something throw while this is set: the disk is full. */
  isFull = false;

  constructor(env: Env) {
    this.#env = env;
  }

  /** The running instance, started from storage if there is none. */
  async shard(): Promise<Shard> {
    return (this.#running ?? (await this.#start())).shard;
  }

  /** Memory is lost, and whatever the instance is waiting for never comes back to it. */
  crash(): void {
    this.#running?.crashed.resolve();
    this.#running = undefined;
  }

  /** Runs the alarm to its end, or to a crash, after which it is due again. */
  async ring(nowMs: number): Promise<void> {
    const running = this.#running ?? (await this.#start());
    this.alarmMs = null;
    await Promise.race([running.shard.alarm(), running.crashed.promise]);
    if (this.#running !== running) this.alarmMs = nowMs;
  }

  rows(table: string): Record<string, unknown>[] {
    return this.#db.prepare(`SELECT * FROM ${table}`).all();
  }

  async #start() {
    let ready: Promise<unknown> = Promise.resolve();
    const ctx = {
      storage: this.#storage(),
      id: { toString: () => SIMULATED_SHARD_ID },
      blockConcurrencyWhile: (start: () => Promise<unknown>) => {
        ready = start();
      },
      waitUntil: () => {},
      abort: () => this.crash(),
    };
    const shard = new Shard(ctx as unknown as DurableObjectState, this.#env);
    await ready;
    this.#running = { shard, crashed: Promise.withResolvers<void>() };
    return this.#running;
  }

  #storage() {
    const exec = (query: string, ...bindings: unknown[]) => {
      if (this.isFull && /^(INSERT|DELETE)/.test(query)) throw new Error("database or disk is full");
      if (query.startsWith("CREATE")) {
        this.#db.exec(query);
        return [];
      }
      const rows = this.#db.prepare(query).all(...bindings);
      return Object.assign(rows.map(withArrayBuffers), {
        toArray() {
          return this;
        },
      });
    };
    return {
      sql: { exec },
      transactionSync: <T>(change: () => T): T => this.#transaction(change),
      getAlarm: async () => this.alarmMs,
      setAlarm: async (ms: number) => {
        this.alarmMs = ms;
      },
    };
  }

  #transaction<T>(change: () => T): T {
    this.#db.exec("SAVEPOINT change");
    try {
      const result = change();
      this.#db.exec("RELEASE change");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK TO change; RELEASE change");
      throw error;
    }
  }
}

/** The runtime's SQLite answers blobs as `ArrayBuffer`, Node's as `Uint8Array`. */
function withArrayBuffers(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? value.slice().buffer : value]),
  );
}
