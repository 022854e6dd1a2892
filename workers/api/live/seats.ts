/** Of an isolate's 128 MB (Cloudflare Workers, "Limits"): as much as answers that are kept may have, so that half is left for what is being made. */
const LISTENERS_BYTES_MAX = 32 * 2 ** 20;
/** What a listener takes of its isolate's heap and buffers, by `npm run bench:live` (11 KB), and half as much again for what waits to be written. */
const LISTENER_BYTES = 16 * 2 ** 10;
/** Listeners an isolate holds. */
export const LISTENERS_PER_ISOLATE_MAX = LISTENERS_BYTES_MAX / LISTENER_BYTES;
/** A listener that has not been heard of for so long is gone, though nobody was told: the platform may end a request without a word. */
export const SEAT_SILENT_MS_MAX = 90_000;

/** Who has a place among the listeners, by when each was last alive. */
export class Seats {
  readonly #seenMs = new Map<object, number>();
  readonly #max: number;

  constructor(max = LISTENERS_PER_ISOLATE_MAX) {
    this.#max = max;
  }

  get taken(): number {
    return this.#seenMs.size;
  }

  /** Takes a place, or says that there is none. */
  take(who: object, nowMs: number): boolean {
    if (this.#seenMs.size >= this.#max) this.#clear(nowMs);
    if (this.#seenMs.size >= this.#max) return false;
    this.#seenMs.set(who, nowMs);
    return true;
  }

  keep(who: object, nowMs: number): void {
    if (this.#seenMs.has(who)) this.#seenMs.set(who, nowMs);
  }

  leave(who: object): void {
    this.#seenMs.delete(who);
  }

  /** Makes room for all. */
  clear(): void {
    this.#seenMs.clear();
  }

  #clear(nowMs: number): void {
    for (const [who, seenMs] of this.#seenMs) if (nowMs - seenMs > SEAT_SILENT_MS_MAX) this.#seenMs.delete(who);
  }
}
