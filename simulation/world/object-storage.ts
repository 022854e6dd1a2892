import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { Chance } from "./chance.ts";
import type { Scheduler } from "./scheduler.ts";

const CHANGES = /^\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP)/i;
/** Until what was written is durable. */
const FLUSH_MS_MAX = 15;

/**
 * The disk of a Durable Object: its SQLite and its alarm. As on the platform, what is written without waiting for anything in between
 * becomes durable all at once, a little later, and nothing leaves the object until it has (`durable`); a crash before that takes all of it back.
 */
export class ObjectStorage {
  readonly #db = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, StatementSync>();
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  /** What is written and not durable yet. */
  #open: { readonly flushed: PromiseWithResolvers<void>; readonly alarmMsBefore: number | null } | undefined;
  #alarmMs: number | null = null;
  /** Called when another alarm has become durable. */
  onAlarm: (alarmMs: number | null) => void = () => {};
  /** Called when all that was written has become durable. */
  onDurable: () => void = () => {};
  /** Statements that write a row throw while this is set: the disk is full. */
  isFull = false;

  constructor(scheduler: Scheduler, chance: Chance) {
    this.#scheduler = scheduler;
    this.#chance = chance;
  }

  get alarmMs(): number | null {
    return this.#alarmMs;
  }

  setAlarm(ms: number | null): void {
    this.#write();
    this.#alarmMs = ms;
  }

  durable(): Promise<void> | undefined {
    return this.#open?.flushed.promise;
  }

  crash(): void {
    if (this.#open === undefined) return;
    this.#db.exec("ROLLBACK");
    this.#alarmMs = this.#open.alarmMsBefore;
    this.#open = undefined;
  }

  exec(query: string, bindings: readonly unknown[]): Record<string, unknown>[] {
    if (CHANGES.test(query)) {
      if (this.isFull && /^\s*(INSERT|UPDATE|REPLACE)/i.test(query)) throw new Error("database or disk is full");
      this.#write();
    }
    if (bindings.length === 0 && query.includes(";")) {
      this.#db.exec(query);
      return [];
    }
    const rows = this.#statement(query).all(...(bindings as SQLInputValue[]));
    return rows.length === 0 ? rows : rows.map(withArrayBuffers);
  }

  #statement(query: string): StatementSync {
    const known = this.#statements.get(query);
    if (known !== undefined) return known;
    const made = this.#db.prepare(query);
    this.#statements.set(query, made);
    return made;
  }

  transaction<T>(change: () => T): T {
    this.#write();
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

  /** What no code of the object's asks or changes. A change is as durable as what was last written. */
  tamper(query: string, ...bindings: readonly SQLInputValue[]): Record<string, unknown>[] {
    return this.#statement(query).all(...bindings);
  }

  /** How many rows each table holds, for checks. */
  rows(): Map<string, number> {
    const tables = this.#db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    return new Map(
      tables.map(({ name }) => [
        String(name),
        Number(this.#db.prepare(`SELECT count(*) AS n FROM "${String(name)}"`).get()?.n),
      ]),
    );
  }

  #write(): void {
    if (this.#open !== undefined) return;
    this.#db.exec("BEGIN");
    const open = { flushed: Promise.withResolvers<void>(), alarmMsBefore: this.#alarmMs };
    this.#open = open;
    this.#scheduler.after(this.#chance.below(FLUSH_MS_MAX), () => {
      if (this.#open !== open) return;
      this.#db.exec("COMMIT");
      this.#open = undefined;
      this.onDurable();
      open.flushed.resolve();
      if (this.#alarmMs !== open.alarmMsBefore) this.onAlarm(this.#alarmMs);
    });
  }
}

/** The runtime's SQLite answers blobs as `ArrayBuffer`, Node's as `Uint8Array`. */
function withArrayBuffers(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? value.slice().buffer : value]),
  );
}
