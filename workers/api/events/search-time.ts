import { Abandoned } from "../cache/shared-work.ts";

/** After so long an answer begins with no other hours: what it has then is a page. */
export const SEARCH_MS_MAX = 3_000;
/** What is under way ends so long after the beginning, with an answer or without. */
export const SEARCH_END_MS_MAX = 8_000;

/** The archive was not searched in time. */
export class SearchTooSlow extends Error {}

/** Whoever asked has left. */
export class SearchAbandoned extends Abandoned {}

/** How long an answer has searched the archive, whatever it searched for. A Worker's clock stands still while it computes, and goes on when it has waited. */
export class SearchTime {
  /** Fires when whoever asked has left. */
  readonly signal: AbortSignal | undefined;
  readonly #clockMs: () => number;
  readonly #searchMsMax: number;
  readonly #sinceMs: number;

  constructor(clockMs: () => number, searchMsMax = SEARCH_MS_MAX, signal?: AbortSignal) {
    this.#clockMs = clockMs;
    this.#searchMsMax = searchMsMax;
    this.signal = signal;
    this.#sinceMs = clockMs();
  }

  get isUp(): boolean {
    return this.signal?.aborted === true || this.#clockMs() - this.#sinceMs >= this.#searchMsMax;
  }

  /** Until whatever is under way ends. Throws `SearchTooSlow` when that is over, and `SearchAbandoned`. */
  get leftMs(): number {
    this.expectReader();
    const leftMs = this.#sinceMs + SEARCH_END_MS_MAX - this.#clockMs();
    if (leftMs <= 0) throw new SearchTooSlow(`searched for ${SEARCH_END_MS_MAX} ms`);
    return leftMs;
  }

  /** Throws `SearchAbandoned`. */
  expectReader(): void {
    if (this.signal?.aborted === true) throw new SearchAbandoned("nobody waits for it any more");
  }
}
