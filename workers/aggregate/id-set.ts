import { grownCapacity } from "../../shared/growing.ts";
import { slotOf } from "../../shared/text-table.ts";

/**
 * The events of one window by fingerprint, packed: open addressing with linear probing over 12 bytes a slot, the two halves of
 * the fingerprint and a check of what else the event said. 16 to 21 bytes an event, at a load of ¾ down to 9/16.
 */
export class IdSet {
  #slots: Uint32Array<ArrayBuffer>;
  #size = 0;

  constructor(capacity = 8) {
    this.#slots = new Uint32Array(ID_WORDS * slotsFor(capacity));
  }

  get size(): number {
    return this.#size;
  }

  get byteLength(): number {
    return this.#slots.byteLength;
  }

  /** The check stored with this fingerprint, `undefined` when the event is new. */
  get(lo: number, hi: number): number | undefined {
    const at = this.#find(lo, keyHi(lo, hi));
    return this.#isFree(at) ? undefined : this.#slots[at + 2];
  }

  /** Adds a fingerprint that is not there yet. */
  add(lo: number, hi: number, check: number): void {
    if (4 * (this.#size + 1) * ID_WORDS > 3 * this.#slots.length) this.#grow();
    const at = this.#find(lo, keyHi(lo, hi));
    this.#slots[at] = lo;
    this.#slots[at + 1] = keyHi(lo, hi);
    this.#slots[at + 2] = check;
    this.#size += 1;
  }

  /** The occupied slots, three words each, in no particular order. */
  words(): Uint32Array<ArrayBuffer> {
    const words = new Uint32Array(ID_WORDS * this.#size);
    let to = 0;
    for (let at = 0; at < this.#slots.length; at += ID_WORDS) {
      if (this.#isFree(at)) continue;
      for (let k = 0; k < ID_WORDS; k++) words[to++] = this.#slots[at + k] ?? 0;
    }
    return words;
  }

  /** All of it, as `fromSlots` takes it. */
  get slots(): Uint32Array<ArrayBuffer> {
    return this.#slots;
  }

  /** A set over what `slots` gave, without a copy: to be asked, and not added to. */
  static fromSlots(slots: Uint32Array<ArrayBuffer>): IdSet {
    if (slots.length === 0 || slots.length % ID_WORDS !== 0) throw new Error(`${slots.length} words are no slots`);
    const set = new IdSet(0);
    set.#slots = slots;
    return set;
  }

  static fromWords(words: Uint32Array): IdSet {
    const set = new IdSet(words.length / ID_WORDS);
    for (let at = 0; at < words.length; at += ID_WORDS) {
      set.add(words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0);
    }
    return set;
  }

  /** Word index of the slot that holds the fingerprint, or of the free slot where it would go. */
  #find(lo: number, hi: number): number {
    const capacity = this.#slots.length / ID_WORDS;
    // The fingerprint is keyed, so its low half spreads evenly already.
    let slot = slotOf(lo, capacity);
    for (;;) {
      const at = ID_WORDS * slot;
      if (this.#isFree(at) || (this.#slots[at] === lo && this.#slots[at + 1] === hi)) return at;
      slot = slot + 1 === capacity ? 0 : slot + 1;
    }
  }

  #isFree(at: number): boolean {
    return this.#slots[at] === 0 && this.#slots[at + 1] === 0;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(ID_WORDS * grownCapacity(old.length / ID_WORDS));
    for (let at = 0; at < old.length; at += ID_WORDS) {
      const lo = old[at] ?? 0;
      const hi = old[at + 1] ?? 0;
      if (lo === 0 && hi === 0) continue;
      const to = this.#find(lo, hi);
      this.#slots[to] = lo;
      this.#slots[to + 1] = hi;
      this.#slots[to + 2] = old[at + 2] ?? 0;
    }
  }
}

/** The halves of the fingerprint, and the check. */
export const ID_WORDS = 3;

/** Slots for that many fingerprints at a load of at most ¾. */
function slotsFor(capacity: number): number {
  return grownCapacity(capacity + 1);
}

/** Two zero words mark a free slot; the one fingerprint that looks like it is moved aside. */
export function keyHi(lo: number, hi: number): number {
  return lo === 0 && hi === 0 ? 1 : hi;
}
