import type { Env } from "../../workers/aggregate/env.ts";
import { Shard } from "../../workers/aggregate/shard.ts";
import type { Chance } from "./chance.ts";
import type { Doubts } from "./doubts.ts";
import { Machine, outside } from "./machine.ts";
import { ObjectStorage } from "./object-storage.ts";
import type { Scheduler, Timer } from "./scheduler.ts";
import { WINDOW_MS } from "./traffic.ts";
import type { Weather } from "./weather.ts";

/** How far the clock of a machine may be from the right time, either way. */
export const SKEW_MS_MAX = 30_000;
/** One that was set wrong: a day and a half ahead. */
const FAR_AHEAD_MS = 36 * 3_600_000;
/** How a shard says that a window is damaged, that it is rebuilt, and that all it knows is written (`docs/storage.md`). */
const NOTES_DAMAGE = "INSERT OR IGNORE INTO damaged ";
const ENDS_DAMAGE = "DELETE FROM damaged ";
const WRITES_ALL = "INSERT OR REPLACE INTO checkpoint ";
/** The platform rings an alarm again this soon when the object crashed under it. */
const ALARM_AGAIN_MS = 2_000;

export interface ObjectOptions {
  readonly name: string;
  /** In hex. */
  readonly id: string;
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly weather: Weather;
  /** Told of what it says is damaged. */
  readonly doubts: Doubts;
  /** The bindings of one start of it. */
  readonly env: () => Env;
  readonly trace: (line: string) => void;
  /** Called with what can never be right, such as a start that fails. */
  readonly onViolation: (violation: Error) => void;
}

interface Instance {
  readonly machine: Machine;
  readonly shard: Shard;
  readonly ready: Promise<unknown>;
}

/** An error as the platform marks those of its objects. */
export class ObjectError extends Error {
  readonly overloaded: boolean;
  readonly retryable = true;

  constructor(message: string, overloaded = false) {
    super(message);
    this.overloaded = overloaded;
  }
}

/** A Durable Object: the real `Shard` over a disk that survives it, started when called, with an alarm that rings at least once. */
export class SimulatedObject {
  readonly #options: ObjectOptions;
  readonly storage: ObjectStorage;
  #running: Instance | undefined;
  #isRinging = false;
  #isStarting = false;
  /** Windows that are rebuilt, and may not be durably yet. */
  readonly #rebuilt = new Set<number>();
  #planned: Timer | undefined;
  /** Set while its clock is far ahead: it takes no calls then, or it would count nothing of the day to come. */
  #isFarAhead = false;
  rings = 0;
  /** The furthest its clock has ever shown. */
  furthestMs = 0;

  constructor(options: ObjectOptions) {
    this.#options = options;
    this.storage = new ObjectStorage(options.scheduler, options.chance);
    this.storage.onAlarm = () => this.#planRing();
    this.storage.onDurable = () => this.#endDoubts();
  }

  get name(): string {
    return this.#options.name;
  }

  /** What it answers to a call, once all it wrote is durable. Rejects when it crashes first. */
  async call(method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#isFarAhead) throw new ObjectError("overloaded", true);
    const { machine, shard, ready } = this.#running ?? this.#start();
    const answer = machine.run(async () => {
      await ready;
      const handler: unknown = Reflect.get(shard, method);
      if (typeof handler !== "function") throw new Error(`a shard has no ${method}`);
      this.#noteClock(machine);
      const result: unknown = await handler.apply(shard, args);
      await machine.durable();
      return structuredClone(result);
    });
    answer.catch(() => {}); // It may fail after the crash that is reported in its place.
    const crashed = machine.crashed.then(() => {
      throw new ObjectError("the object was reset");
    });
    return await Promise.race([answer, crashed]);
  }

  /** Memory is lost, and what is not durable yet. */
  crash(): void {
    if (this.#running === undefined) return;
    this.#running.machine.crash();
    this.#running = undefined;
    this.storage.crash();
    this.#rebuilt.clear();
    if (this.#options.doubts.has(this.name)) this.#options.doubts.forget(this.name, this.#damagedWindows());
    this.#planRing();
  }

  /** Its clock is set anew. */
  turnClock(skewMs: number): void {
    if (this.#running !== undefined && !this.#isFarAhead) this.#running.machine.skewMs = skewMs;
  }

  /** The alarm rings although it need not: once more, or early. */
  async ringUnasked(): Promise<void> {
    this.#options.trace(`${this.name}: rings unasked`);
    await this.#ring();
  }

  /** It starts on a machine whose clock is far ahead, rings there, and moves away again. */
  async ringFarAhead(): Promise<void> {
    if (this.#isRinging) return;
    this.#options.trace(`${this.name}: rings on a machine a day and a half ahead`);
    this.crash();
    this.#isFarAhead = true;
    this.#start(FAR_AHEAD_MS);
    await this.#ring();
    this.crash();
    this.#isFarAhead = false;
  }

  #start(
    skewMs = this.#options.weather.isCalm ? 0 : this.#options.chance.between(-SKEW_MS_MAX, SKEW_MS_MAX),
  ): Instance {
    const machine = new Machine(this.name, skewMs);
    this.#options.trace(`${this.name} starts, ${(skewMs / 1000).toFixed(1)} s ahead`);
    machine.durable = () => (machine.isAlive ? this.storage.durable() : undefined);
    this.#noteClock(machine);
    const started = machine.run(() => {
      let ready: Promise<unknown> = Promise.resolve();
      const ctx = {
        id: { toString: () => this.#options.id, name: this.name, equals: () => false },
        storage: this.#storageOf(machine),
        blockConcurrencyWhile: (start: () => Promise<unknown>) => {
          ready = start();
          return ready;
        },
        waitUntil: (work: Promise<unknown>) => void work.catch(() => {}),
        getWebSockets: () => [],
        abort: () => {
          if (machine.isAlive) this.crash();
        },
      };
      this.#isStarting = true;
      try {
        return { shard: new Shard(ctx as unknown as DurableObjectState, this.#options.env()), ready };
      } catch (cause) {
        const violation = new Error(`${this.name} cannot start: ${String(cause)}`, { cause });
        this.#options.onViolation(violation);
        throw violation;
      } finally {
        this.#isStarting = false;
      }
    });
    this.#running = { machine, ...started };
    return this.#running;
  }

  #storageOf(machine: Machine) {
    const alive = <T>(work: () => T): T => {
      if (!machine.isAlive) throw new ObjectError("the object was reset");
      return work();
    };
    return {
      sql: {
        exec: (query: string, ...bindings: unknown[]) => {
          const rows = alive(() => this.#exec(query, bindings));
          return Object.assign(rows, { toArray: () => rows, one: () => rows[0] });
        },
      },
      transactionSync: <T>(change: () => T): T => alive(() => this.storage.transaction(change)),
      getAlarm: async () => alive(() => this.storage.alarmMs),
      setAlarm: async (ms: number) => alive(() => this.storage.setAlarm(ms)),
      deleteAlarm: async () => alive(() => this.storage.setAlarm(null)),
    };
  }

  #exec(query: string, bindings: readonly unknown[]): Record<string, unknown>[] {
    const { doubts, trace } = this.#options;
    const windowMs = Number(bindings[0]) * WINDOW_MS;
    const isNote = query.startsWith(NOTES_DAMAGE);
    const isNew = isNote && doubts.note(this.name, windowMs);
    if (isNew) trace(`${this.name}: ${new Date(windowMs).toISOString()} is damaged`);
    try {
      const rows = this.storage.exec(query, bindings);
      if (query.startsWith(ENDS_DAMAGE)) this.#rebuilt.add(windowMs);
      if (query.startsWith(WRITES_ALL)) doubts.noteWritten(this.name);
      return rows;
    } catch (error) {
      // A start goes on, and keeps in mind what it could not write. Later nothing has changed then, and it is found out again.
      if (isNote && this.#isStarting) doubts.noteUnnoted(this.name);
      else if (isNew) doubts.end(this.name, windowMs);
      throw error;
    }
  }

  #endDoubts(): void {
    if (this.#rebuilt.size === 0) return;
    const damaged = this.#damagedWindows();
    for (const windowMs of this.#rebuilt) {
      if (damaged.has(windowMs)) continue;
      this.#options.trace(`${this.name}: ${new Date(windowMs).toISOString()} is rebuilt`);
      this.#options.doubts.end(this.name, windowMs);
    }
    this.#rebuilt.clear();
  }

  #damagedWindows(): Set<number> {
    return new Set(this.storage.tamper("SELECT window FROM damaged").map(({ window }) => Number(window) * WINDOW_MS));
  }

  /** The alarm rings by the clock of the machine it is on, sometimes late. */
  #planRing(): void {
    const { scheduler, chance, weather } = this.#options;
    const { alarmMs } = this.storage;
    if (this.#planned !== undefined) this.#planned.isCancelled = true;
    if (alarmMs === null) return;
    const lateMs = weather.isCalm || chance.is(0.9) ? chance.below(40) : chance.below(4 * 60_000);
    const skewMs = this.#running?.machine.skewMs ?? 0;
    this.#planned = scheduler.after(alarmMs - skewMs - scheduler.nowMs + lateMs, () => {
      if (this.storage.alarmMs === alarmMs && !this.#isFarAhead) void this.#ring();
    });
  }

  async #ring(): Promise<void> {
    if (this.#isRinging) return;
    this.#isRinging = true;
    this.rings += 1;
    this.#options.trace(`${this.name} rings`);
    const { machine, shard, ready } = this.#running ?? this.#start();
    const before = this.storage.alarmMs;
    // Never durable by itself: a crash while it rings has it ring again.
    this.storage.setAlarm(null);
    const rung = machine.run(async () => {
      await ready;
      this.#noteClock(machine);
      await shard.alarm();
      await machine.durable();
    });
    const failed = rung.catch((cause) => {
      if (machine.isAlive) this.#options.onViolation(new Error(`${this.name}: its alarm throws`, { cause }));
    });
    await Promise.race([failed, machine.crashed]);
    this.#isRinging = false;
    if (!machine.isAlive && before !== null) this.#ringAgain();
    else this.#planRing();
  }

  #ringAgain(): void {
    const { scheduler } = this.#options;
    outside(() => {
      this.storage.setAlarm(
        Math.min(this.storage.alarmMs ?? Number.POSITIVE_INFINITY, scheduler.nowMs + ALARM_AGAIN_MS),
      );
    });
  }

  #noteClock({ skewMs }: Machine): void {
    this.furthestMs = Math.max(this.furthestMs, this.#options.scheduler.nowMs + skewMs);
  }
}
