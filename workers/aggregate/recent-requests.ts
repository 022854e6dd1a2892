/** Requests a shard remembers: at a thousand calls a second, what the log brings within some sixteen seconds of the direct call. */
export const RECENT_REQUESTS_MAX = 16_384;

/**
 * Requests of which a shard has counted every event it owns, by their tokens: the log asks for them, and need not send those events once
 * more. One that was forgotten costs a call in which all are duplicates.
 */
export class RecentRequests {
  readonly #tokens = new Set<string>();

  has(token: string): boolean {
    return this.#tokens.has(token);
  }

  clear(): void {
    this.#tokens.clear();
  }

  add(token: string): void {
    this.#tokens.add(token);
    if (this.#tokens.size <= RECENT_REQUESTS_MAX) return;
    for (const oldest of this.#tokens) {
      this.#tokens.delete(oldest);
      return;
    }
  }
}
