import { slotOf } from "../../shared/text-table.ts";

/**
 * With twenty bits for each and ten of them looked at, one fingerprint in 11,000 that is not there is said to be there perhaps: (1 − e^(−10/20))^10
 * (Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970).
 */
const BITS_PER_EVENT = 20;
const PROBES = 10;
const WORD_BITS = 32;

/** Which fingerprints may be among many that are not in memory: never "no" of one that is. 2.5 bytes an event. */
export class IdFilter {
  readonly words: Uint32Array<ArrayBuffer>;

  /** An empty one with room for so many events, or what `words` said. */
  constructor(room: number | Uint32Array<ArrayBuffer>) {
    this.words = typeof room === "number" ? new Uint32Array(filterWords(room)) : room;
  }

  add(lo: number, hi: number): void {
    const { words } = this;
    for (let probe = 0; probe < PROBES; probe++) {
      const hash = probed(lo, hi, probe);
      const at = slotOf(hash, words.length);
      words[at] = (words[at] ?? 0) | (1 << (hash % WORD_BITS));
    }
  }

  mayHave(lo: number, hi: number): boolean {
    const { words } = this;
    for (let probe = 0; probe < PROBES; probe++) {
      const hash = probed(lo, hi, probe);
      if (((words[slotOf(hash, words.length)] ?? 0) & (1 << (hash % WORD_BITS))) === 0) return false;
    }
    return true;
  }
}

/** Words of a filter for so many events. */
export function filterWords(events: number): number {
  return Math.ceil((events * BITS_PER_EVENT) / WORD_BITS);
}

/** Both halves are keyed hashes, so that sums of them are as good as further ones. */
function probed(lo: number, hi: number, probe: number): number {
  return (lo + Math.imul(probe, hi | 1)) >>> 0;
}
