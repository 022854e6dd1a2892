/** What is to happen at a moment of the simulated time. */
export interface Timer {
  readonly atMs: number;
  isCancelled: boolean;
}

interface Entry extends Timer {
  /** Of two at one moment the one asked for first comes first. */
  readonly order: number;
  readonly happen: () => void;
}

/** Node takes the next tick when no promise is left that could settle: by then everything has gone on that needs no simulated time. */
async function everythingElse(): Promise<void> {
  for (let round = 0; round < 2; round++) await new Promise<void>((resolve) => process.nextTick(resolve));
}

/** Lets Node itself go on, which hears of signals, and of promises that nobody waits for, between its own tasks only. */
const everythingOfNode = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * The simulated time, and all that waits for it. Nothing but `advance` makes time pass, and between two things that happen every
 * promise that can settle does, so a run depends on nothing but what it was told.
 */
export class Scheduler {
  /** Epoch milliseconds: what a clock that is right shows. */
  nowMs: number;
  readonly #heap: Entry[] = [];
  #orders = 0;

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  after(delayMs: number, happen: () => void): Timer {
    const atMs = this.nowMs + Math.max(0, delayMs);
    const entry: Entry = { atMs, order: this.#orders++, happen, isCancelled: false };
    this.#heap.push(entry);
    this.#up(this.#heap.length - 1);
    return entry;
  }

  /** Resolves at a moment of the simulated time, if somebody advances it so far. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** Lets everything happen that is due by then, in order. `afterEach` may throw to end it. */
  async advance(untilMs: number, afterEach: () => void): Promise<void> {
    await everythingOfNode();
    afterEach();
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#pop();
      if (next.isCancelled) continue;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.happen();
      await everythingElse();
      afterEach();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  /** True when nothing would happen any more however much time passed. */
  get isIdle(): boolean {
    return this.#heap.every(({ isCancelled }) => isCancelled);
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #up(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #down(from: number): void {
    for (let at = from; ; ) {
      let first = at;
      if (this.#isBefore(2 * at + 1, first)) first = 2 * at + 1;
      if (this.#isBefore(2 * at + 2, first)) first = 2 * at + 2;
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (left === undefined || right === undefined) return false;
    return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
  }

  #swap(a: number, b: number): void {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (left === undefined || right === undefined) return;
    this.#heap[a] = right;
    this.#heap[b] = left;
  }
}
