import { REQUEST_AGE_MS_MAX } from "./under-way.ts";

/**
 * What may be held of bodies that are on their way: they take no time, and have no place (`under-way.ts`), but an isolate has 128 MB (Cloudflare Workers,
 * "Limits"), and is ended with all that it has begun when it needs more.
 */
export const ARRIVING_BYTES_MAX = 48_000_000;

/** What is held of one body. */
export class ArrivingBody {
  readonly sinceMs: number;
  readonly giveUp: () => void;
  bytes = 0;

  constructor(sinceMs: number, giveUp: () => void) {
    this.sinceMs = sinceMs;
    this.giveUp = giveUp;
  }
}

/**
 * The bodies that an isolate is reading. When they are too much whoever has most is given up, among equals the one that came first: a small body arrives beside any
 * number of large ones, and what is merely said to be large takes nothing from anybody.
 */
export class Arriving {
  readonly #bodies = new Set<ArrivingBody>();
  #bytes = 0;

  /** `giveUp` ends the reading: nothing of the body is to be kept after it. */
  begin(nowMs: number, giveUp: () => void): ArrivingBody {
    const body = new ArrivingBody(nowMs, giveUp);
    this.#bodies.add(body);
    return body;
  }

  /** So many bytes more are going to be held of a body; `false` when it has ended or is given up, which may be now. */
  hold(body: ArrivingBody, bytes: number, nowMs: number): boolean {
    if (!this.#bodies.has(body)) return false;
    body.bytes += bytes;
    this.#bytes += bytes;
    if (this.#bytes > ARRIVING_BYTES_MAX) this.#forgetGone(nowMs);
    while (this.#bytes > ARRIVING_BYTES_MAX) this.#giveUpLargest();
    return this.#bodies.has(body);
  }

  /** It is there, or will never be. May be called again. */
  end(body: ArrivingBody): void {
    if (this.#bodies.delete(body)) this.#bytes -= body.bytes;
  }

  /** Of some nobody is told that they have ended. */
  #forgetGone(nowMs: number): void {
    for (const body of this.#bodies) if (nowMs - body.sinceMs >= REQUEST_AGE_MS_MAX) this.end(body);
  }

  #giveUpLargest(): void {
    let largest: ArrivingBody | undefined;
    for (const body of this.#bodies) if (largest === undefined || body.bytes > largest.bytes) largest = body;
    if (largest === undefined) return;
    this.end(largest);
    largest.giveUp();
  }
}
