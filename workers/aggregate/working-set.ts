import type { EventBatch } from "../../shared/event-batch.ts";
import { errorText } from "../error-text.ts";
import { log } from "../log.ts";
import { DamagedWindow, WindowUnavailable } from "./damage.ts";
import { isRecent, nextAtMs, type ShardState } from "./engine.ts";
import type { Journal } from "./journal.ts";
import {
  bringBackWithin,
  type MemoryLimits,
  makeRoom,
  type Paging,
  residentBytes,
  ShardFull,
  slicesFor,
  trim,
  windowStartsOf,
} from "./residency.ts";
import type { Slice } from "./slice.ts";

/** What is in memory beside the slices, and may be let go of: to count comes before it. */
export interface Beside {
  readonly bytes: number;
  letGo(): void;
}

const NOTHING: Beside = { bytes: 0, letGo: () => {} };

/** Keeps in memory what a batch needs, within the limits; notes what cannot be brought back. Reading pages is synchronous. */
export class WorkingSet {
  readonly #shard: string;
  readonly #state: ShardState;
  readonly #journal: Journal;
  readonly #limits: MemoryLimits;
  readonly #onDamage: () => void;
  readonly #paging: Paging;
  #beside = NOTHING;

  /** `onDamage` is called for each window that was found damaged, once it is noted. */
  constructor(shard: string, state: ShardState, journal: Journal, limits: MemoryLimits, onDamage: () => void) {
    this.#shard = shard;
    this.#state = state;
    this.#journal = journal;
    this.#limits = limits;
    this.#onDamage = onDamage;
    this.#paging = {
      pagesOf: (slice) => journal.pages.pagesOf(slice),
      checkpoint: () => journal.checkpoint(state, []),
    };
  }

  /** Has the limits hold for the slices and this together. */
  keepBeside(beside: Beside): void {
    this.#beside = beside;
  }

  /**
   * Brings back all that judging and counting a batch at `atMs` reads. Throws `WindowUnavailable` when one of its windows or of the recent
   * ones is damaged, and `ShardFull` when there is no room; nothing has been counted then, and the log brings the events again.
   */
  hold(batch: EventBatch, atMs: number): void {
    const starts = windowStartsOf(batch);
    for (const startMs of this.#state.damaged.keys()) {
      // Of a repeat moved out of a recent window nobody else knows: to count on without it would be to count some events twice.
      if (starts.has(startMs) || isRecent(startMs, atMs)) throw new WindowUnavailable(startMs);
    }
    const needed = slicesFor(this.#state, starts, atMs);
    this.#makeRoom(needed, atMs);
    for (const slice of needed) {
      try {
        slice.bringBack().ids.recall(batch);
      } catch (error) {
        this.noteDamage(error, Date.now());
        throw new WindowUnavailable(slice.startMs);
      }
    }
  }

  /** Keeps what is about to be read, as far as there is room for it beside the rest. Throws `DamagedWindow`. */
  warm(slices: readonly Slice[]): void {
    bringBackWithin(this.#state, slices, this.#limitsNow().residentBytesMax);
  }

  /** Pages out what is beyond the budget. */
  trim(nowMs: number): void {
    trim(this.#state, nextAtMs(this.#state, nowMs), this.#limitsNow().residentBytesMax, this.#paging);
  }

  /** Makes room for a slice that is about to be asked, for which no other has to be in memory, and pages out what is beyond the budget. */
  ask(slice: Slice, nowMs: number): void {
    const atMs = nextAtMs(this.#state, nowMs);
    slice.usedAtMs = atMs;
    const missing = slice.isResident ? 0 : slice.bytes;
    const budget = this.#limitsNow().residentBytesMax - missing;
    trim(this.#state, atMs, budget, this.#paging, new Set([slice]));
  }

  /** Whether slices and what is beside them are more than may be. */
  get isFull(): boolean {
    return residentBytes(this.#state) > this.#limitsNow().shardBytesMax;
  }

  /** Runs what reads pages and can be run again, as often as it takes; each window found damaged by it is noted first. */
  reading<T>(read: () => T, nowMs: number): T {
    for (;;) {
      try {
        return read();
      } catch (error) {
        this.noteDamage(error, nowMs);
      }
    }
  }

  /** Notes a damaged window, durably, to be rebuilt from the archive; any other error is thrown on. */
  noteDamage(error: unknown, nowMs: number): void {
    if (!(error instanceof DamagedWindow)) throw error;
    const { startMs } = error;
    this.#journal.noteDamaged([startMs], nowMs);
    this.#state.damaged.set(startMs, { storedRevision: this.#state.slices.get(startMs)?.storedRevision ?? 0 });
    this.#state.slices.delete(startMs);
    // Their events may be in this window, and not in the archive yet that it is rebuilt from: the log is to send them all.
    this.#state.requests.clear();
    const window = new Date(startMs).toISOString();
    log("error", "window damaged", { shard: this.#shard, window, error, cause: errorText(error.cause) });
    this.#onDamage();
  }

  #limitsNow(): MemoryLimits {
    const { residentBytesMax, shardBytesMax, sealedEventsMin } = this.#limits;
    const { bytes } = this.#beside;
    return {
      residentBytesMax: residentBytesMax - bytes,
      shardBytesMax: shardBytesMax - bytes,
      sealedEventsMin,
    };
  }

  #makeRoom(needed: readonly Slice[], atMs: number): void {
    try {
      makeRoom(this.#state, needed, atMs, this.#limitsNow(), this.#paging);
    } catch (error) {
      if (error instanceof ShardFull && this.#beside.bytes > 0) {
        this.#beside.letGo();
        this.#makeRoom(needed, atMs);
        return;
      }
      if (error instanceof ShardFull) {
        log("error", "shard is full: grow the topology, so that each shard has fewer merchants", {
          shard: this.#shard,
          error,
        });
      }
      throw error;
    }
  }
}
