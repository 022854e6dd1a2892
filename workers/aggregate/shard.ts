import { DurableObject } from "cloudflare:workers";
import type { EventBatch } from "../../shared/event-batch.ts";
import { decodeShardBatch } from "../../shared/messages/shard-batch.ts";
import { toRow } from "../../shared/window-row.ts";
import { log } from "../log.ts";
import {
  abandonEmission,
  beginEmission,
  confirmEmission,
  type Emissions,
  expireEmissions,
  markEmitted,
  nextAlarmMs,
  nextEmission,
  noEmissions,
} from "./emission.ts";
import { droppable, fold, judgeRepeats, nextAtMs, readWindows, retainedFromMs, type ShardState } from "./engine.ts";
import { type Env, settingsOf } from "./env.ts";
import { Journal } from "./journal.ts";
import { sendWindows } from "./send-windows.ts";

/** After an alarm that failed; the platform's own retries end after six, ours never. */
export const ALARM_RETRY_MS = 10_000;

/** The answer to `read`, as JSON text. */
export interface ShardReading {
  readonly as_of: number;
  /** Windows that start here or later are wholly the shard's to answer for, earlier ones history's. */
  readonly retained_from: number;
  readonly windows: readonly ReturnType<typeof toRow>[];
}

/**
 * The shell of a shard: loads, asks the engine, commits, with no `await` between reading and writing state. The runtime holds an
 * answer back until the writes before it are durable, so what a caller was told survives anything.
 */
export class Shard extends DurableObject<Env> {
  readonly #journal: Journal;
  readonly #state: ShardState;
  readonly #emissions: Emissions = noEmissions(Math.floor(Math.random() * 2 ** 52));
  readonly #correctionDelayMs: number;
  /** When the alarm rings; 0 while it does, which looks for what is next at its end. */
  #alarmMs: number | undefined;
  /** After an alarm that failed, the next one is not before this, whatever is due and however many batches come. */
  #restUntilMs = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#correctionDelayMs = settingsOf(env).CORRECTION_DELAY_MS;
    this.#journal = new Journal(ctx.storage);
    this.#state = this.#journal.recover();
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmMs = (await ctx.storage.getAlarm()) ?? undefined;
      this.#schedule(Date.now());
    });
  }

  /**
   * Counts a batch (`messages/shard-batch.ts`); answers one `STATUS` byte an event. A repeat of the whole call is harmless: its events
   * are duplicates then, and write nothing. Throws on bytes that are no batch, and when the batch cannot be made durable.
   */
  apply(bytes: Uint8Array): Uint8Array {
    const decoded = decodeShardBatch(bytes);
    if (!decoded.ok) throw new Error(`not a shard batch: ${decoded.error.reason}`);
    const batch = decoded.value;
    const nowMs = Date.now();
    const atMs = nextAtMs(this.#state, nowMs);
    const repeats = judgeRepeats(this.#state, batch, atMs);
    if (repeats !== undefined) return repeats;
    if (this.#journal.isFull) this.#journal.checkpoint(this.#state, []);
    const statuses = this.#count(batch, bytes, atMs);
    this.#schedule(nowMs);
    return statuses;
  }

  /** The journal first: if the row cannot be written this throws, and the memory has not changed. */
  #count(batch: EventBatch, bytes: Uint8Array, atMs: number): Uint8Array {
    let isWritten = false;
    try {
      return this.ctx.storage.transactionSync(() => {
        this.#journal.append(this.#state.seq + 1, atMs, bytes);
        isWritten = true;
        return fold(this.#state, batch, atMs);
      });
    } catch (error) {
      // A bug, and the memory has half of the batch, whose repeat would be called a duplicate. The row is gone again: start anew from
      // what is durable. Had it stayed, no start would get past it.
      if (isWritten) this.ctx.abort(`shard reset: a batch could not be counted: ${String(error)}`);
      throw error;
    }
  }

  /** For each token 1 when every event that the shard owns of that request has been counted, else 0. */
  counted(tokens: readonly string[]): Uint8Array {
    return Uint8Array.from(tokens, (token) => (this.#state.requests.has(token) ? 1 : 0));
  }

  /** A merchant's windows that start in `[fromMs, toMs)`, as JSON text of a `ShardReading`. */
  read(merchantId: string, fromMs: number, toMs: number): string {
    const nowMs = Date.now();
    const reading: ShardReading = {
      as_of: nowMs,
      retained_from: retainedFromMs(this.#state, nowMs),
      windows: readWindows(this.#state, merchantId, fromMs, toMs).map(toRow),
    };
    return JSON.stringify(reading);
  }

  /** History holds these parts of emissions now. Unknown ones, repeated or from before a restart, are passed over. */
  confirm(parts: readonly (readonly [emission: number, part: number])[]): void {
    for (const [emission, part] of parts) {
      for (const slice of confirmEmission(this.#emissions, emission, part)) this.#journal.store(slice);
    }
    this.#schedule(Date.now());
  }

  override async alarm(): Promise<void> {
    this.#alarmMs = 0;
    try {
      await this.#emit();
      this.#housekeep(Date.now());
    } catch (error) {
      log("error", "shard alarm failed", { shard: this.ctx.id.toString(), error });
      this.#restUntilMs = Date.now() + ALARM_RETRY_MS;
    }
    this.#alarmMs = undefined;
    this.#schedule(Date.now());
  }

  async #emit(): Promise<void> {
    expireEmissions(this.#emissions, Date.now());
    const emission = nextEmission(this.#state, this.#emissions, Date.now(), this.#correctionDelayMs);
    if (emission === undefined) return;
    beginEmission(this.#emissions, emission, Date.now());
    try {
      const parts = await sendWindows(this.env.WINDOWS, this.ctx.id.toString(), emission);
      for (const slice of markEmitted(this.#emissions, emission, parts, Date.now())) this.#journal.store(slice);
    } catch (error) {
      abandonEmission(this.#emissions, emission.id);
      throw error;
    }
  }

  /** Pages out windows that closed since the last time, and forgets those that are final and stored. */
  #housekeep(nowMs: number): void {
    const dropped = droppable(this.#state, nowMs);
    const neverPaged = [...this.#state.slices.values()].some((s) => s.pagedRevision === 0 && s.emittedRevision > 0);
    if (dropped.length > 0 || (neverPaged && !this.#journal.isEmpty)) this.#journal.checkpoint(this.#state, dropped);
  }

  /** Sets the alarm when something is due earlier than it would ring. */
  #schedule(nowMs: number): void {
    const due = nextAlarmMs(this.#state, this.#emissions, nowMs, this.#correctionDelayMs);
    if (due === undefined) return;
    const atMs = Math.max(due, this.#restUntilMs);
    if (this.#alarmMs !== undefined && this.#alarmMs <= atMs) return;
    this.#alarmMs = atMs;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(atMs));
  }
}
