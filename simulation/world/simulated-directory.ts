import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { type Distance, farCall } from "./far-call.ts";

const MIGRATIONS = join(import.meta.dirname, "../../migrations");
/** D1's limit of bound parameters. */
const PARAMETERS_MAX = 100;

const migrations = readdirSync(MIGRATIONS)
  .filter((name) => name.endsWith(".sql"))
  .sort()
  .map((name) => readFileSync(join(MIGRATIONS, name), "utf8"));

interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** D1 over Node's SQLite, with the schema that the migrations make. */
export class SimulatedDirectory {
  readonly #db = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, StatementSync>();
  readonly #distance: Distance;

  constructor(distance: Distance) {
    this.#distance = distance;
    for (const migration of migrations) this.#db.exec(migration);
  }

  binding(): D1Database {
    const database = {
      prepare: (sql: string) => this.#statement({ sql, parameters: [] }),
      batch: (statements: { readonly made: Statement }[]) =>
        this.#call(() => statements.map(({ made }) => resultOf(this.query(made.sql, made.parameters)))),
      exec: (sql: string) => this.#call(() => this.#db.exec(sql)),
    };
    return database as unknown as D1Database;
  }

  /** For what an operator does in a run, and for checks. */
  query(sql: string, parameters: readonly unknown[] = []): Record<string, unknown>[] {
    if (parameters.length > PARAMETERS_MAX) throw new Error(`${parameters.length} bound parameters`);
    return this.#prepared(sql).all(...(parameters as SQLInputValue[]));
  }

  #prepared(sql: string, isRaw = false): StatementSync {
    const key = isRaw ? `raw ${sql}` : sql;
    const known = this.#statements.get(key);
    if (known !== undefined) return known;
    const made = this.#db.prepare(sql);
    made.setReturnArrays(isRaw);
    this.#statements.set(key, made);
    return made;
  }

  #statement(made: Statement): object {
    const rows = () => this.query(made.sql, made.parameters);
    return {
      made,
      bind: (...parameters: unknown[]) => this.#statement({ ...made, parameters }),
      all: () => this.#call(() => resultOf(rows())),
      run: () => this.#call(() => resultOf(rows())),
      first: () => this.#call(() => rows()[0] ?? null),
      raw: () => this.#call(() => this.#columns(made)),
    };
  }

  /** Rows as arrays: of two columns of one name, both. */
  #columns({ sql, parameters }: Statement): unknown[][] {
    return this.#prepared(sql, true).all(...(parameters as SQLInputValue[])) as unknown as unknown[][];
  }

  #call<T>(work: () => T): Promise<T> {
    return farCall(this.#distance, "directory", work, () => new Error("D1_ERROR: the network connection was lost"));
  }
}

const resultOf = (results: unknown[]) => ({ results, success: true, meta: { changes: results.length } });
