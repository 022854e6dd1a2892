import { CORRECTION_SETTLES_MS, type Correction } from "../../directory/corrections.ts";

/** Asked for at a time. Were there more since, they are known as "some of any merchant". */
export const CORRECTIONS_READ_MAX = 1_000;
const MERCHANTS_MAX = 20_000;

interface Noted {
  readonly seq: number;
  readonly atMs: number;
}

const NEVER: Noted = { seq: 0, atMs: Number.NEGATIVE_INFINITY };

/**
 * What an isolate knows of corrections: of each merchant the last one. It asks only for what came since, so that the cost is one small query for
 * an isolate and moment, however many merchants there are.
 */
export class KnownCorrections {
  /** When the directory was asked that answered last. */
  readAtMs = Number.NEGATIVE_INFINITY;
  /** When it was asked last. */
  askedAtMs = Number.NEGATIVE_INFINITY;
  /** It did not answer then. */
  isDirectoryAway = false;
  #last = NEVER;
  /** Up to here they are not known one by one. */
  #unknown = NEVER;
  #ofAll = NEVER;
  readonly #ofMerchant = new Map<string, Noted>();

  /** The number of the last one there was when the directory was asked; 0 for none. */
  get seq(): number {
    return this.#last.seq;
  }

  /** Takes in what was noted after `seq`, the last one first, as it was at `readAtMs`. */
  learn(rows: readonly Correction[], readAtMs: number): void {
    this.readAtMs = Math.max(this.readAtMs, readAtMs);
    const [newest] = rows;
    // Two requests may have asked at the same time.
    if (newest === undefined || newest.seq <= this.#last.seq) return;
    const oldest = rows.at(-1) ?? newest;
    const isCut = rows.length >= CORRECTIONS_READ_MAX;
    if (isCut || this.#ofMerchant.size + rows.length > MERCHANTS_MAX) {
      this.#ofMerchant.clear();
      this.#unknown = isCut ? { seq: oldest.seq - 1, atMs: oldest.notedAt } : this.#last;
    }
    for (const { seq, merchantId, notedAt } of [...rows].reverse()) {
      const noted = { seq, atMs: notedAt };
      if (merchantId === null) this.#ofAll = noted;
      else this.#ofMerchant.set(merchantId, noted);
    }
    this.#last = { seq: newest.seq, atMs: newest.notedAt };
  }

  /** Whether an answer that has the corrections up to `seq` has all of a merchant's; `undefined` when that has to be looked up. */
  areAllIn(seq: number, merchantId: string): boolean | undefined {
    if (this.#lastOf(merchantId).seq > seq) return false;
    return seq >= this.#unknown.seq ? true : undefined;
  }

  /**
   * Until when windows may still be about to change because of a correction that was noted: what is computed meanwhile is not kept longer. It
   * may have been noted before they are written, by somebody who died then, or a replica of history may be behind.
   */
  settledMs(merchantId: string): number {
    const { atMs } = this.#lastOf(merchantId);
    return Math.max(atMs, this.#unknown.atMs) + CORRECTION_SETTLES_MS;
  }

  #lastOf(merchantId: string): Noted {
    const own = this.#ofMerchant.get(merchantId) ?? NEVER;
    return own.seq > this.#ofAll.seq ? own : this.#ofAll;
  }
}
