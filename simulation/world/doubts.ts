/** What shards say is damaged. Until it is rebuilt a read may be refused, or say what history last had, and what only the log has may be missing. */
export class Doubts {
  readonly #now: () => number;
  readonly #onChange: (windowMs: number | undefined) => void;
  /** By shard: the windows it says are damaged. */
  readonly #windows = new Map<string, Set<number>>();
  /** Shards that could not note what they found damaged when they started. */
  readonly #unnoted = new Set<string>();
  /** When a window was last in doubt, and when all were. */
  readonly #ended = new Map<number, number>();
  #allEndedMs = Number.NEGATIVE_INFINITY;

  /** `onChange` is told of a window whenever it is damaged or rebuilt; of none when it may be any. */
  constructor(now: () => number, onChange: (windowMs: number | undefined) => void) {
    this.#now = now;
    this.#onChange = onChange;
  }

  /** A shard says that a window is damaged. True when it had not said so. */
  note(shard: string, windowMs: number): boolean {
    const windows = this.#windows.get(shard) ?? new Set();
    this.#windows.set(shard, windows);
    const isNew = !windows.has(windowMs);
    windows.add(windowMs);
    this.#onChange(windowMs);
    return isNew;
  }

  /** A shard could not write down what is damaged. It may be any window. */
  noteUnnoted(shard: string): void {
    this.#unnoted.add(shard);
    this.#onChange(undefined);
  }

  /** All that a shard has found is written down again. */
  noteWritten(shard: string): void {
    if (!this.#unnoted.delete(shard)) return;
    this.#allEndedMs = this.#now();
    this.#onChange(undefined);
  }

  /** A window is rebuilt, durably. */
  end(shard: string, windowMs: number): void {
    if (this.#windows.get(shard)?.delete(windowMs) !== true) return;
    this.#ended.set(windowMs, this.#now());
    this.#onChange(windowMs);
  }

  /** A shard has crashed, and knows of no more than what is durable. */
  forget(shard: string, durable: ReadonlySet<number>): void {
    this.noteWritten(shard);
    for (const windowMs of this.#windows.get(shard) ?? []) if (!durable.has(windowMs)) this.end(shard, windowMs);
  }

  has(shard: string): boolean {
    return this.#unnoted.has(shard) || (this.#windows.get(shard)?.size ?? 0) > 0;
  }

  /** Whether a window has been in doubt at any moment since. */
  isSince(windowMs: number, sinceMs: number): boolean {
    if (this.#unnoted.size > 0 || this.#allEndedMs >= sinceMs) return true;
    if ((this.#ended.get(windowMs) ?? Number.NEGATIVE_INFINITY) >= sinceMs) return true;
    return [...this.#windows.values()].some((windows) => windows.has(windowMs));
  }
}
