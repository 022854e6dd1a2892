/**
 * Of its time an isolate spends so much while there is a crowd, on what it takes and on refusing the rest. Without the remainder it would always have
 * something to do, and then does not serve its connections in turn: some refusals, and some reads, wait for seconds.
 */
export const CROWD_SHARE_MAX = 0.5;
/** However many are refused, so much of its time is for what it takes: a crowd that sends on and on gets through in the end. */
export const CROWD_TAKEN_SHARE_MIN = 0.15;
/** What was not spent is not kept beyond this, or it would be spent all at once. */
export const CROWD_BURST_MS = 10;
/** So long after the last refusal the crowd is over. */
export const CROWD_PASSES_MS = 1_000;
/** What a refusal takes, and a thousand bytes of its body, which has to be read (`docs/decisions/0098-a-crowd-is-refused-sooner.md`). */
export const REFUSAL_MS = 0.2;
export const REFUSAL_KILOBYTE_MS = 0.001;

/** Milliseconds of the isolate's processor that may be spent, filled again as time passes. */
class Budget {
  readonly #share: number;
  #leftMs = CROWD_BURST_MS;

  constructor(share: number) {
    this.#share = share;
  }

  get isSpent(): boolean {
    return this.#leftMs <= 0;
  }

  /** What was spent before is forgotten. */
  begin(): void {
    this.#leftMs = CROWD_BURST_MS;
  }

  pass(ms: number): void {
    this.#leftMs = Math.min(CROWD_BURST_MS, this.#leftMs + this.#share * ms);
  }

  /** Below `floorMs` nothing more is owed. */
  spend(ms: number, floorMs = Number.NEGATIVE_INFINITY): void {
    this.#leftMs = Math.max(Math.min(floorMs, this.#leftMs), this.#leftMs - ms);
  }
}

/** How much an isolate takes on a second while there is a crowd: as long as requests are refused. Times are epoch milliseconds. */
export class CrowdPace {
  readonly #all = new Budget(CROWD_SHARE_MAX);
  readonly #taken = new Budget(CROWD_TAKEN_SHARE_MIN);
  #passedMs = 0;
  #refusedMs = Number.NEGATIVE_INFINITY;

  /** True when there is a crowd and its time is spent. */
  isSpent(nowMs: number): boolean {
    this.#pass(nowMs);
    return this.#isCrowd(nowMs) && this.#all.isSpent && this.#taken.isSpent;
  }

  /** A request of so much work is taken on. */
  take(workMs: number): void {
    this.#all.spend(workMs);
    this.#taken.spend(workMs);
  }

  /** A request is refused, with a body of so many bytes. */
  refuse(bytes: number, nowMs: number): void {
    this.#pass(nowMs);
    if (!this.#isCrowd(nowMs)) {
      this.#all.begin();
      this.#taken.begin();
    }
    this.#refusedMs = nowMs;
    this.#all.spend(REFUSAL_MS + (bytes / 1000) * REFUSAL_KILOBYTE_MS, -CROWD_BURST_MS);
  }

  /** A clock that was set back ends it; it comes again with the next refusal. */
  #isCrowd(nowMs: number): boolean {
    const sinceMs = nowMs - this.#refusedMs;
    return sinceMs >= 0 && sinceMs < CROWD_PASSES_MS;
  }

  #pass(nowMs: number): void {
    const ms = Math.max(0, nowMs - this.#passedMs);
    this.#passedMs = nowMs;
    this.#all.pass(ms);
    this.#taken.pass(ms);
  }
}
