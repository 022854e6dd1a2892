import { type TextList, TextTable } from "./text-table.ts";

/** Strings kept at a time; when there are more, all are let go. Each is a label, of 256 bytes at most. */
export const RECENT_TEXTS_MAX = 4_096;

/**
 * Strings made of packed ones, each once for all batches: the same labels come batch after batch, making a string of bytes is a call
 * into the runtime, and a `Map` finds the very string it has without hashing or comparing it.
 */
export class RecentTexts {
  #table = new TextTable();
  #texts: string[] = [];

  /** The string of this number in the list. */
  get(list: TextList, number: number): string {
    if (this.#texts.length === RECENT_TEXTS_MAX) {
      this.#table = new TextTable();
      this.#texts = [];
    }
    const known = this.#table.internBytes(list.arena, list.begin(number), list.end(number));
    const text = this.#texts[known] ?? list.get(number);
    this.#texts[known] = text;
    return text;
  }
}
