/**
 * Listeners an isolate holds. Each takes some of its 128 MB: `npm run bench:live` says 175 KB, which are workerd's for both ends of all its connections, and
 * the isolate's own a part of it.
 */
export const LISTENERS_PER_ISOLATE_MAX = 1_500;
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

  #clear(nowMs: number): void {
    for (const [who, seenMs] of this.#seenMs) if (nowMs - seenMs > SEAT_SILENT_MS_MAX) this.#seenMs.delete(who);
  }
}
