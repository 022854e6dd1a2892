import { type TextList, TextTable } from "./text-table.ts";

/** A dictionary with so many labels, or of so many bytes, takes no further batch: a new one is begun, and windows look their labels up anew. */
export const DICTIONARY_LABELS_MAX = 65_536;
export const DICTIONARY_BYTES_MAX = 4_000_000;

/**
 * Numbers for labels, the same for all batches and windows of this isolate: the same few labels come batch after batch, and a number finds a
 * counter without hashing or comparing a string. A batch keeps the dictionary it began with; numbers of two dictionaries have nothing to do
 * with each other.
 */
export class LabelDictionary {
  static #count = 0;
  static #current = new LabelDictionary();

  /** Of no other dictionary; from 1 on. */
  readonly id = ++LabelDictionary.#count;
  readonly #table = new TextTable();
  readonly #texts: string[] = [];

  /** The dictionary to begin with now. */
  static current(): LabelDictionary {
    const dictionary = LabelDictionary.#current;
    if (!dictionary.isFull) return dictionary;
    LabelDictionary.#current = new LabelDictionary();
    return LabelDictionary.#current;
  }

  get size(): number {
    return this.#texts.length;
  }

  get isFull(): boolean {
    return this.size >= DICTIONARY_LABELS_MAX || this.#table.byteLength >= DICTIONARY_BYTES_MAX;
  }

  /** The number of the label that stands at `index` of a list, without making it a string again. */
  numberOf(list: TextList, index: number): number {
    const number = this.#table.internBytes(list.arena, list.begin(index), list.end(index));
    this.#texts[number] ??= list.get(index);
    return number;
  }

  intern(text: string): number {
    const number = this.#table.intern(text);
    this.#texts[number] ??= text;
    return number;
  }

  text(number: number): string {
    return this.#texts[number] as string;
  }
}
