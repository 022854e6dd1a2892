import { DurableObject } from "cloudflare:workers";
import type { EventBatch } from "../../shared/event-batch.ts";
import { decodeShardBatch, STATUS } from "../../shared/messages/shard-batch.ts";
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
import { droppable, fold, judgeRepeats, nextAtMs, type ShardState } from "./engine.ts";
import { type Env, settingsOf } from "./env.ts";
import { Journal } from "./journal.ts";
import { LiveListeners } from "./live-listeners.ts";
import { markOf, planRead, type Span, windowsOfMerchant } from "./reading.ts";
import { Rebuild } from "./rebuild.ts";
import { recover } from "./recovery.ts";
import { windowStartsOf } from "./residency.ts";
import { sendWindows } from "./send-windows.ts";
import { type ShardStatus, statusOf } from "./shard-status.ts";
import type { Slice } from "./slice.ts";
import { WorkingSet } from "./working-set.ts";

/** After an alarm that failed; the platform's own retries end after six, ours never. */
export const ALARM_RETRY_MS = 10_000;

/** The answer to `read`, as JSON text. */
export interface ShardReading {
  readonly as_of: number;
  /** The shard has every window that starts here or later, in memory or in pages; earlier ones have left it, or may at any moment. */
  readonly retained_from: number;
  /** Spans within the one asked for that are history's to answer: ascending, disjoint, and none of them has a window that is in `windows`. */
  readonly history: readonly Span[];
  /** From this window on some of `history` are damaged here and not rebuilt yet: history has what was last confirmed, and may lack what came since. */
  readonly damaged_from?: number | undefined;
  /** All there is outside `history`, in order of start and currency. */
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
  readonly #memory: WorkingSet;
  readonly #rebuild: Rebuild;
  readonly #live: LiveListeners;
  readonly #correctionDelayMs: number;
  /** When the alarm rings; 0 while it does, which looks for what is next at its end. */
  #alarmMs: number | undefined;
  /** After an alarm that failed, the next one is not before this, whatever is due and however many batches come. */
  #restUntilMs = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const settings = settingsOf(env);
    const { CORRECTION_DELAY_MS, RESIDENT_BYTES_MAX, SHARD_BYTES_MAX, REBUILD_BYTES_MAX, SEALED_EVENTS_MIN } = settings;
    const limits = {
      residentBytesMax: RESIDENT_BYTES_MAX,
      shardBytesMax: SHARD_BYTES_MAX,
      sealedEventsMin: SEALED_EVENTS_MIN,
    };
    this.#correctionDelayMs = CORRECTION_DELAY_MS;
    this.#journal = new Journal(ctx.storage, SEALED_EVENTS_MIN);
    const { state, faults } = recover(this.#journal, Date.now(), limits);
    for (const { reason, windows } of faults) {
      log("error", "state damaged", { shard: ctx.id.toString(), reason, windows: windows.length });
    }
    this.#state = state;
    this.#memory = new WorkingSet(ctx.id.toString(), state, this.#journal, limits, () => this.#schedule(Date.now()));
    this.#rebuild = new Rebuild(ctx.id, state, this.#journal, this.#memory, REBUILD_BYTES_MAX);
    this.#live = new LiveListeners(ctx, state);
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmMs = (await ctx.storage.getAlarm()) ?? undefined;
      this.#schedule(Date.now());
    });
  }

  /**
   * Counts a batch (`messages/shard-batch.ts`); answers one `STATUS` byte an event. A repeat of the whole call is harmless: its events
   * are duplicates then, and write nothing. Throws on bytes that are no batch, and when the batch cannot be made durable. `traced` are requests
   * that are followed through the log, of which it may have events.
   */
  apply(bytes: Uint8Array, traced: readonly string[] = []): Uint8Array {
    const statuses = this.#apply(bytes);
    if (traced.length > 0) {
      const accepted = statuses.filter((status) => status === STATUS.accepted).length;
      log("info", "shard counted", {
        shard: this.ctx.id.toString(),
        requests: traced,
        events: statuses.length,
        accepted,
      });
    }
    return statuses;
  }

  #apply(bytes: Uint8Array): Uint8Array {
    const decoded = decodeShardBatch(bytes);
    if (!decoded.ok) throw new Error(`not a shard batch: ${decoded.error.reason}`);
    const batch = decoded.value;
    const nowMs = Date.now();
    const atMs = nextAtMs(this.#state, nowMs);
    // It may seal identities, so it comes before they are looked for.
    if (this.#journal.isFull) this.#journal.checkpoint(this.#state, []);
    this.#memory.hold(batch, atMs);
    const repeats = judgeRepeats(this.#state, batch, atMs);
    if (repeats !== undefined) return repeats;
    const statuses = this.#count(batch, bytes, atMs);
    if (this.#live.isListened) this.#live.noteBatch(batch);
    this.#schedule(nowMs);
    return statuses;
  }

  /** The journal first: if the row cannot be written this throws, and the memory has not changed. */
  #count(batch: EventBatch, bytes: Uint8Array, atMs: number): Uint8Array {
    let isWritten = false;
    try {
      return this.ctx.storage.transactionSync(() => {
        const seq = this.#state.seq + 1;
        this.#journal.append({ seq, atMs, windows: [...windowStartsOf(batch)] }, bytes);
        isWritten = true;
        const statuses = fold(this.#state, batch, atMs);
        if (statuses.includes(STATUS.conflict)) this.#journal.noteConflicts(seq, conflictsIn(statuses));
        return statuses;
      });
    } catch (error) {
      // A bug, or no room to note conflicts, and the memory has the batch or half of it, whose repeat would be called a duplicate. The row is
      // gone again: start anew from what is durable. Had it stayed, no start would get past a bug.
      if (isWritten) this.ctx.abort(`shard reset: a batch could not be counted: ${String(error)}`);
      throw error;
    }
  }

  /** For each token 1 when every event that the shard owns of that request has been counted, else 0. */
  counted(tokens: readonly string[]): Uint8Array {
    return Uint8Array.from(tokens, (token) => (this.#state.requests.has(token) ? 1 : 0));
  }

  /**
   * A merchant's windows that start in `[fromMs, toMs)`, as JSON text of a `ShardReading`. What is paged out and in history is left to
   * history, unless `bringBack` says that it cannot be asked.
   */
  read(merchantId: string, fromMs: number, toMs: number, bringBack = false): string {
    const nowMs = Date.now();
    const reading = this.#memory.reading((): ShardReading => {
      const { retainedFromMs, history, slices, damagedFromMs } = planRead(this.#state, fromMs, toMs, nowMs, bringBack);
      this.#memory.warm(slices);
      const windows = windowsOfMerchant(slices, merchantId).map(toRow);
      return { as_of: nowMs, retained_from: retainedFromMs, history, damaged_from: damagedFromMs, windows };
    }, nowMs);
    return JSON.stringify(reading);
  }

  /** Another number once a merchant's windows in `[fromMs, toMs)` have changed (`reading.ts`): whether an answer that is kept is still right. */
  mark(merchantId: string, fromMs: number, toMs: number): number | null {
    return markOf(this.#state, merchantId, fromMs, toMs);
  }

  /** How it is, for operators. */
  status(): ShardStatus {
    return statusOf(this.#state, this.#emissions, Date.now(), this.#rebuild.bytes);
  }

  /** Subscribes to a merchant by a WebSocket that stays while the object hibernates (`messages/live.ts`). */
  override fetch(request: Request): Response {
    return this.#memory.reading(() => this.#live.accept(request), Date.now());
  }

  override webSocketClose(socket: WebSocket): void {
    this.#live.leave(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.#live.leave(socket);
  }

  /** History holds these parts of emissions now. Unknown ones, repeated or from before a restart, are passed over. */
  confirm(parts: readonly (readonly [emission: number, part: number])[]): void {
    for (const [emission, part] of parts) {
      this.#store(confirmEmission(this.#emissions, emission, part));
    }
    this.#schedule(Date.now());
  }

  override async alarm(): Promise<void> {
    this.#alarmMs = 0;
    await this.#attempt("shard alarm failed", async () => {
      await this.#emit();
      this.#housekeep(Date.now());
    });
    await this.#attempt("rebuild failed", async () => {
      const damaged = [...this.#state.damaged.keys()];
      await this.#rebuild.advance(this.env);
      if (this.#live.isListened) this.#live.noteWindows(damaged.filter((startMs) => !this.#state.damaged.has(startMs)));
    });
    this.#alarmMs = undefined;
    this.#schedule(Date.now());
  }

  /** What fails is tried again by an alarm after a rest, and keeps nothing else from being done. */
  async #attempt(failure: string, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      log("error", failure, { shard: this.ctx.id.toString(), error });
      this.#restUntilMs = Date.now() + ALARM_RETRY_MS;
    }
  }

  async #emit(): Promise<void> {
    expireEmissions(this.#emissions, Date.now());
    const emission = nextEmission(this.#state, this.#emissions, Date.now(), this.#correctionDelayMs);
    if (emission === undefined) return;
    beginEmission(this.#emissions, emission, Date.now());
    try {
      const parts = await sendWindows(this.env.WINDOWS, this.ctx.id.toString(), emission);
      this.#store(markEmitted(this.#emissions, emission, parts, Date.now(), this.#correctionDelayMs));
    } catch (error) {
      abandonEmission(this.#emissions, emission.id);
      this.#memory.noteDamage(error, Date.now());
    }
  }

  /** A slice that was damaged meanwhile, or rebuilt since, is another one than the slice that was sent. */
  #store(slices: readonly Slice[]): void {
    for (const slice of slices) if (this.#state.slices.get(slice.startMs) === slice) this.#journal.store(slice);
  }

  /** Forgets windows that are final and stored, and pages out what is beyond the budget. */
  #housekeep(nowMs: number): void {
    const dropped = droppable(this.#state, nowMs);
    if (dropped.length > 0) this.#journal.checkpoint(this.#state, dropped);
    this.#memory.trim(nowMs);
  }

  /** Sets the alarm when something is due earlier than it would ring. */
  #schedule(nowMs: number): void {
    const rebuildFromMs = this.#rebuild.fromMs;
    const due = nextAlarmMs(this.#state, this.#emissions, nowMs, this.#correctionDelayMs, rebuildFromMs);
    if (due === undefined) return;
    const atMs = Math.max(due, this.#restUntilMs);
    if (this.#alarmMs !== undefined && this.#alarmMs <= atMs) return;
    this.#alarmMs = atMs;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(atMs));
  }
}

function conflictsIn(statuses: Uint8Array): number[] {
  return [...statuses.keys()].filter((i) => statuses[i] === STATUS.conflict);
}
