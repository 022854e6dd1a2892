/** Of an isolate's 128 MB (Cloudflare Workers, "Limits"): as much as answers that are kept may have, so that half is left for what is being made. */
const LISTENERS_BYTES_MAX = 32 * 2 ** 20;
/** What a listener takes of its isolate's heap and buffers, by `npm run bench:live` (11 KB), and half as much again for what waits to be written. */
const LISTENER_BYTES = 16 * 2 ** 10;
/** Listeners an isolate holds. */
export const LISTENERS_PER_ISOLATE_MAX = LISTENERS_BYTES_MAX / LISTENER_BYTES;
/** A listener that has not been heard of for so long is gone, though nobody was told: the platform may end a request without a word. */
export const SEAT_SILENT_MS_MAX = 90_000;

/** Of an isolate's places a merchant that has this share gets no more once so few are left: the others' screens must find one, however many streams it opens. */
const SHARE_MAX = 1 / 4;

interface Seat {
  readonly owner: unknown;
  seenMs: number;
}

/** Who has a place among the listeners, by when each was last alive, and whose listeners they are. */
export class Seats {
  readonly #seats = new Map<object, Seat>();
  readonly #byOwner = new Map<unknown, number>();
  readonly #max: number;

  constructor(max = LISTENERS_PER_ISOLATE_MAX) {
    this.#max = max;
  }

  get taken(): number {
    return this.#seats.size;
  }

  /** Takes a place for a listener of `owner`, or says that there is none. */
  take(who: object, nowMs: number, owner: unknown = who): boolean {
    if (!this.#hasRoom(owner)) this.#clear(nowMs);
    if (!this.#hasRoom(owner)) return false;
    this.leave(who);
    this.#seats.set(who, { owner, seenMs: nowMs });
    this.#byOwner.set(owner, (this.#byOwner.get(owner) ?? 0) + 1);
    return true;
  }

  keep(who: object, nowMs: number): void {
    const seat = this.#seats.get(who);
    if (seat !== undefined) seat.seenMs = nowMs;
  }

  leave(who: object): void {
    const seat = this.#seats.get(who);
    if (seat === undefined) return;
    this.#seats.delete(who);
    const left = (this.#byOwner.get(seat.owner) ?? 1) - 1;
    if (left === 0) this.#byOwner.delete(seat.owner);
    else this.#byOwner.set(seat.owner, left);
  }

  /** Makes room for all. */
  clear(): void {
    this.#seats.clear();
    this.#byOwner.clear();
  }

  #hasRoom(owner: unknown): boolean {
    const share = this.#max * SHARE_MAX;
    const left = this.#max - this.#seats.size;
    return left > share || (left > 0 && (this.#byOwner.get(owner) ?? 0) < share);
  }

  #clear(nowMs: number): void {
    for (const [who, { seenMs }] of this.#seats) if (nowMs - seenMs > SEAT_SILENT_MS_MAX) this.leave(who);
  }
}
