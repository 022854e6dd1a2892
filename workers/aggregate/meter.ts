import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import type { Delta } from "../meter/delta.ts";
import { addDelta, type MeterState, meterStateSchema, newMeterState } from "../meter/meter-state.ts";
import type { Env } from "./env.ts";

/** What is told within this is one row; an object without calls is evicted after ten seconds at the earliest, and must have written by then. */
const WRITE_DELAY_MS = 5_000;

const rowSchema = z.object({ state: z.string() });

/** Adds up what isolates have counted of their own work. There are a few of them, so that none is called too often. */
export class Meter extends DurableObject<Env> {
  #state: MeterState;
  #isWritten = true;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS meter (one INTEGER PRIMARY KEY CHECK (one = 1), state TEXT NOT NULL)",
    );
    this.#state = readRow(ctx.storage.sql) ?? newMeterState(Date.now());
  }

  /** Adds what an isolate has counted. It is written some seconds later, with what comes meanwhile; should the object die before, it is not counted. */
  async add(delta: Delta): Promise<void> {
    this.#state = addDelta(this.#state, delta, Date.now());
    if (!this.#isWritten) return;
    this.#isWritten = false;
    await this.ctx.storage.setAlarm(Date.now() + WRITE_DELAY_MS);
  }

  /** All that was counted. It is written before anybody sees it: what was shown once is never less later. */
  read(): MeterState {
    this.#write();
    return this.#state;
  }

  override alarm(): void {
    this.#write();
  }

  #write(): void {
    if (this.#isWritten) return;
    this.ctx.storage.sql.exec("INSERT OR REPLACE INTO meter (one, state) VALUES (1, ?)", JSON.stringify(this.#state));
    this.#isWritten = true;
  }
}

/** `undefined` before the first, and for one that cannot be read: then it is counted from nothing, as a scraper expects of a restart. */
function readRow(sql: SqlStorage): MeterState | undefined {
  const [row] = sql.exec("SELECT state FROM meter").toArray();
  if (row === undefined) return undefined;
  const state = meterStateSchema.safeParse(JSON.parse(rowSchema.parse(row).state));
  return state.success ? state.data : undefined;
}
