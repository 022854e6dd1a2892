import {
  BREAKDOWN_VALUES_MAX,
  type Breakdown,
  BreakdownCounter,
  type Cell,
  DIMENSIONS,
  EMPTY_CELL,
} from "./breakdown.ts";
import { LabelDictionary } from "./label-dictionary.ts";
import { addToSum, SUM_WIDTH, setSum, sumAt } from "./sum.ts";

/** Numbers of a slot: the cell's key, 0 for none; its payments; their sum. */
const KEY = 0;
const COUNT = 1;
const SUM = 2;
const SLOT = SUM + SUM_WIDTH;
/** A power of two. */
const SLOTS_MIN = 32;
const LOAD_MAX = 0.75;
/** A string beside its UTF-16 units, and what points to it: more than it takes where other windows have the same. */
const STRING_BYTES = 32;
/** What a `BreakdownCounter` of 128 values takes, more or less, as measured in V8: an entry of a map, its string, three numbers in an array. */
const CROWDED_BYTES = 450 * BREAKDOWN_VALUES_MAX;

/**
 * The breakdowns of one window, all dimensions in one packed table: a payment with seven labels touches a line of memory for each of them, where
 * maps of objects touch six. A cell is found by the number of its label in a dictionary, and knows the label itself. A dimension with more
 * values than a breakdown names, where the right ones have to be chosen, gets a `BreakdownCounter`.
 */
export class BreakdownCells {
  #slots = new Float64Array(SLOT * SLOTS_MIN);
  /** By slot. */
  #labels: string[] = new Array(SLOTS_MIN).fill("");
  #size = 0;
  #labelBytes = 0;
  /** The dictionary whose numbers are in the keys; 0 before the first. */
  #dictionary = 0;
  /** Values of each dimension. */
  readonly #values = new Uint8Array(DIMENSIONS.length);
  #crowded: (BreakdownCounter | undefined)[] | undefined;

  /** Goes on from these, by dimension, or from nothing. */
  constructor(from: readonly Breakdown[] = []) {
    for (const [dimension, breakdown] of from.entries()) this.#restore(dimension, breakdown);
  }

  get byteLength(): number {
    const crowded = this.#crowded?.reduce((bytes, counter) => bytes + (counter === undefined ? 0 : CROWDED_BYTES), 0);
    return this.#slots.byteLength + this.#labelBytes + (crowded ?? 0);
  }

  /** To be called before `add` with numbers of this dictionary. */
  speak(dictionary: LabelDictionary): void {
    if (dictionary.id === this.#dictionary) return;
    this.#dictionary = dictionary.id;
    if (this.#size === 0) return;
    this.#rehash(this.#labels.length, (slot, dimension) => {
      const number = dictionary.intern(this.#labels[slot] as string);
      // The dictionary's own string, so that there is one for all windows.
      this.#labels[slot] = dictionary.text(number);
      return keyOf(dimension, number);
    });
  }

  /** Counts a payment of an amount, an integer of 0…2^53−1, under a label of the dictionary. */
  add(dimension: number, number: number, amount: number, dictionary: LabelDictionary): void {
    const crowded = this.#crowded?.[dimension];
    if (crowded !== undefined) {
      crowded.add(dictionary.text(number), amount);
      return;
    }
    const key = keyOf(dimension, number);
    const at = SLOT * this.#find(key);
    if (this.#slots[at] === key) this.#count(at, amount);
    else this.#addFirst(dimension, key, dictionary.text(number), amount);
  }

  /** By dimension. */
  breakdowns(): Breakdown[] {
    const values = DIMENSIONS.map(() => new Map<string, Cell>());
    for (let slot = 0; slot < this.#labels.length; slot++) {
      const key = this.#keyAt(slot);
      if (key !== 0) values[dimensionOf(key)]?.set(this.#labels[slot] as string, this.#cellAt(slot));
    }
    return values.map((cells, at) => this.#crowded?.[at]?.breakdown() ?? { values: cells, other: EMPTY_CELL });
  }

  #count(at: number, amount: number): void {
    (this.#slots[at + COUNT] as number) += 1;
    addToSum(this.#slots, at + SUM, amount);
  }

  #addFirst(dimension: number, key: number, label: string, amount: number): void {
    if (this.#values[dimension] === BREAKDOWN_VALUES_MAX) this.#crowd(dimension).add(label, amount);
    else this.#count(SLOT * this.#take(dimension, key, label), amount);
  }

  /** A slot for a key that has none. */
  #take(dimension: number, key: number, label: string): number {
    if (this.#size + 1 > LOAD_MAX * this.#labels.length)
      this.#rehash(2 * this.#labels.length, (slot) => this.#keyAt(slot));
    const slot = this.#find(key);
    this.#slots[SLOT * slot + KEY] = key;
    this.#labels[slot] = label;
    this.#size += 1;
    this.#labelBytes += STRING_BYTES + 2 * label.length;
    (this.#values[dimension] as number) += 1;
    return slot;
  }

  /** From now on the dimension is counted apart. */
  #crowd(dimension: number): BreakdownCounter {
    const counter = new BreakdownCounter(this.breakdowns()[dimension]);
    this.#crowded ??= DIMENSIONS.map(() => undefined);
    this.#crowded[dimension] = counter;
    this.#rehash(this.#labels.length, (slot, of) => (of === dimension ? 0 : this.#keyAt(slot)));
    this.#values[dimension] = 0;
    this.#labelBytes = this.#labels.reduce((sum, { length }) => sum + (length > 0 ? STRING_BYTES + 2 * length : 0), 0);
    return counter;
  }

  #restore(dimension: number, { values, other }: Breakdown): void {
    if (other.count > 0) {
      this.#crowded ??= DIMENSIONS.map(() => undefined);
      this.#crowded[dimension] = new BreakdownCounter({ values, other });
      return;
    }
    const dictionary = LabelDictionary.current();
    this.speak(dictionary);
    for (const [label, { count, amount }] of values) {
      const at = SLOT * this.#take(dimension, keyOf(dimension, dictionary.intern(label)), label);
      this.#slots[at + COUNT] = count;
      setSum(this.#slots, at + SUM, amount);
    }
  }

  /** The slot of a key, or the free one where it would go. */
  #find(key: number): number {
    const slots = this.#slots;
    const capacity = this.#labels.length;
    let slot = Math.imul(key, 0x9e3779b1) >>> (Math.clz32(capacity) + 1);
    while (slots[SLOT * slot] !== key && slots[SLOT * slot] !== 0) slot = (slot + 1) & (capacity - 1);
    return slot;
  }

  /** Puts every cell where the key belongs that it gets; 0 drops it. */
  #rehash(capacity: number, newKey: (slot: number, dimension: number) => number): void {
    const cells = [...this.#taken()].map((slot) => ({
      key: newKey(slot, dimensionOf(this.#keyAt(slot))),
      label: this.#labels[slot] as string,
      numbers: this.#slots.subarray(SLOT * slot, SLOT * (slot + 1)),
    }));
    this.#slots = new Float64Array(SLOT * capacity);
    this.#labels = new Array(capacity).fill("");
    this.#size = 0;
    for (const { key, label, numbers } of cells) {
      if (key === 0) continue;
      const slot = this.#find(key);
      this.#slots.set(numbers, SLOT * slot);
      this.#slots[SLOT * slot + KEY] = key;
      this.#labels[slot] = label;
      this.#size += 1;
    }
  }

  *#taken(): Generator<number> {
    for (let slot = 0; slot < this.#labels.length; slot++) if (this.#keyAt(slot) !== 0) yield slot;
  }

  #keyAt(slot: number): number {
    return this.#slots[SLOT * slot + KEY] as number;
  }

  #cellAt(slot: number): Cell {
    return { count: this.#slots[SLOT * slot + COUNT] as number, amount: sumAt(this.#slots, SLOT * slot + SUM) };
  }
}

const keyOf = (dimension: number, number: number) => number * DIMENSIONS.length + dimension + 1;
const dimensionOf = (key: number) => (key - 1) % DIMENSIONS.length;
