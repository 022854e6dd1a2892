import type { Problem } from "../http/problem.ts";

/**
 * What one isolate takes on at a time. Its processor is what runs out first: with this much under way every further request would only wait
 * behind it, and whoever sends is better told at once. Bytes are those of unpacked bodies, of which an isolate counts some 20 MB a second.
 */
export const REQUESTS_UNDER_WAY_MAX = 48;
export const BODY_BYTES_UNDER_WAY_MAX = 8_000_000;
/** Beyond this the shards are not called directly: the log has the events, which is what was promised, and costs a third less. */
export const REQUESTS_WITH_HEAD_START_MAX = 24;
export const BODY_BYTES_WITH_HEAD_START_MAX = 4_000_000;

/**
 * The platform ends what goes on after its caller has left within 30 s (Cloudflare Workers, "waitUntil"), and tells nobody. What is older
 * counts no more, or an isolate would fill with requests that are gone.
 */
export const WORK_MS_MAX = 35_000;
/** A sender that waits for so long finds room as a rule: what was under way is done in a fraction of it. */
const RETRY_AFTER_S = 1;
/** Refusals come in thousands; the log has their number this often. */
const REPORT_EVERY_MS = 1_000;

interface Taken {
  readonly bytes: number;
  readonly sinceMs: number;
}

/** The requests an isolate has read and not answered yet. A slow sender is not among them: it takes no time but its own. */
export class UnderWay {
  /** In the order in which they were taken on. */
  readonly #taken = new Set<Taken>();
  #bytes = 0;
  #refused = 0;
  #reportedMs = 0;

  /** True when no more may be taken on. By what is there, not by what comes: a large body has to get its turn too. */
  isFull(nowMs: number): boolean {
    if (this.#hasRoom()) return false;
    for (const taken of this.#taken) {
      if (nowMs - taken.sinceMs < WORK_MS_MAX) break;
      this.#end(taken);
    }
    return !this.#hasRoom();
  }

  /** Takes on a request with so many bytes of body; `end` is to be called when it is answered. */
  begin(bytes: number, nowMs: number): { readonly hasHeadStart: boolean; readonly end: () => void } {
    const taken = { bytes, sinceMs: nowMs };
    this.#taken.add(taken);
    this.#bytes += bytes;
    const { size } = this.#taken;
    return {
      // One alone has it, however large.
      hasHeadStart:
        size === 1 || (size <= REQUESTS_WITH_HEAD_START_MAX && this.#bytes <= BODY_BYTES_WITH_HEAD_START_MAX),
      end: () => this.#end(taken),
    };
  }

  #hasRoom(): boolean {
    return this.#taken.size < REQUESTS_UNDER_WAY_MAX && this.#bytes < BODY_BYTES_UNDER_WAY_MAX;
  }

  #end(taken: Taken): void {
    if (this.#taken.delete(taken)) this.#bytes -= taken.bytes;
  }

  /** Counts a refusal; answers how many there were since the last report when it is time for the next one. */
  refuse(nowMs: number): number | undefined {
    this.#refused += 1;
    if (nowMs - this.#reportedMs < REPORT_EVERY_MS) return undefined;
    this.#reportedMs = nowMs;
    const refused = this.#refused;
    this.#refused = 0;
    return refused;
  }
}

export const overloaded: Problem = {
  status: 503,
  code: "overloaded",
  title: "Too much is being sent at once",
  detail: "Nothing of this request was taken. Send all of it again after Retry-After: events are counted once.",
  retryAfterS: RETRY_AFTER_S,
};
