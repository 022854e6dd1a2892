import { LRUCache } from "lru-cache";
import type { KeptAnswer } from "./kept-answer.ts";

/** Of an isolate's 128 MB (Cloudflare Workers, "Limits"), which requests and their answers share. */
const BYTES_MAX = 32 * 2 ** 20;
const ENTRIES_MAX = 5_000;
/** A larger one would push out too many others. */
const ANSWER_BYTES_MAX = 2 ** 20;
/** An object with its key and numbers. */
const ENTRY_BYTES = 1_024;

/** What an isolate keeps of answers, the least recently used leaving first: bounded by their number and their bytes. */
export class IsolateAnswers {
  readonly #answers = new LRUCache<string, KeptAnswer>({
    max: ENTRIES_MAX,
    maxSize: BYTES_MAX,
    maxEntrySize: ANSWER_BYTES_MAX,
    sizeCalculation: ({ body }, key) => body.byteLength + 2 * key.length + ENTRY_BYTES,
  });

  get(key: string): KeptAnswer | undefined {
    return this.#answers.get(key);
  }

  set(key: string, answer: KeptAnswer): void {
    this.#answers.set(key, answer);
  }
}
