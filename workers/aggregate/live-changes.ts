import type { EventBatch } from "../../shared/event-batch.ts";
import { windowStart } from "../../shared/window.ts";

/** A merchant's listeners hear of it no more often than this. */
export const LIVE_PUSH_INTERVAL_MS = 400;
/** Messages a second that a shard sends at most, over some time: with more listeners to be told, each hears less often. */
export const LIVE_SENDS_PER_SECOND_MAX = 5_000;
/** Which windows changed of merchants that somebody listens to, until they are told; and when to tell. Pure. */
export class LiveChanges {
  /** How many listen, by merchant. */
  readonly #listeners = new Map<string, number>();
  /** Starts of windows that changed, by merchant. */
  #changed = new Map<string, Set<number>>();
  #pushedMs = 0;
  #restMs = 0;

  /** One look, for every batch: while it is false, counting knows nothing of listeners. */
  get isListened(): boolean {
    return this.#listeners.size > 0;
  }

  /** So many listen to the merchant from now on. */
  listen(merchantId: string, listeners: number): void {
    if (listeners > 0) this.#listeners.set(merchantId, listeners);
    else this.#listeners.delete(merchantId);
  }

  /** Notes what a batch may have changed; repeats in it do no harm. */
  noteBatch(batch: EventBatch): void {
    const sets: (Set<number> | undefined)[] = [];
    let isAny = false;
    for (let merchant = 0; merchant < batch.merchants.size; merchant++) {
      const id = batch.merchants.get(merchant);
      if (!this.#listeners.has(id)) continue;
      sets[merchant] = this.#changesOf(id);
      isAny = true;
    }
    if (!isAny) return;
    for (let i = 0; i < batch.size; i++) sets[batch.merchant(i)]?.add(windowStart(batch.occurredAt(i)));
  }

  /** Windows that were not counted but made anew. */
  noteWindows(startsMs: Iterable<number>): void {
    for (const startMs of startsMs) for (const id of this.#listeners.keys()) this.#changesOf(id).add(startMs);
  }

  /** How long to wait until what changed is pushed; `undefined` when nothing has. */
  waitMs(nowMs: number): number | undefined {
    if (this.#changed.size === 0) return undefined;
    // The clock may have gone back.
    return Math.min(Math.max(0, this.#pushedMs + this.#restMs - nowMs), this.#restMs);
  }

  /** Takes what is to be pushed. The more there is to be sent, the longer it is until the next time. */
  take(nowMs: number): ReadonlyMap<string, ReadonlySet<number>> {
    const taken = this.#changed;
    let sends = 0;
    for (const id of taken.keys()) sends += this.#listeners.get(id) ?? 0;
    this.#pushedMs = nowMs;
    this.#restMs = Math.max(LIVE_PUSH_INTERVAL_MS, (1_000 * sends) / LIVE_SENDS_PER_SECOND_MAX);
    this.#changed = new Map();
    return taken;
  }

  #changesOf(merchantId: string): Set<number> {
    let starts = this.#changed.get(merchantId);
    if (starts === undefined) {
      starts = new Set();
      this.#changed.set(merchantId, starts);
    }
    return starts;
  }
}
