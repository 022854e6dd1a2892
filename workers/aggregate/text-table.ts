import { grownCapacity, roomFor } from "./growing.ts";

const LOAD_MAX = 0.75;
const ABSENT = -1;

/**
 * Distinct strings by number, packed: UTF-8 in one arena, an offset a string, and an open-addressing index over them. A merchant id
 * of 12 characters takes some 23 bytes, where a string in a `Map` takes a hundred. Strings are only ever added.
 */
export class TextTable {
  #bytes: Uint8Array;
  /** Where each string ends; it begins where the one before ends. */
  #ends: Uint32Array;
  #size: number;
  /** Number of a string plus one, at a slot by its hash; 0 is free. */
  #slots: Uint32Array;

  constructor() {
    this.#bytes = new Uint8Array(0);
    this.#ends = new Uint32Array(0);
    this.#size = 0;
    this.#slots = new Uint32Array(grownCapacity(0));
  }

  get size(): number {
    return this.#size;
  }

  get byteLength(): number {
    return this.#bytes.byteLength + this.#ends.byteLength + this.#slots.byteLength;
  }

  /** The number of a string, which it gets now if it has none. */
  intern(text: string): number {
    const utf8 = encode(text);
    const slot = this.#find(utf8);
    const known = this.#slots[slot] ?? 0;
    return known > 0 ? known - 1 : this.#add(utf8, slot);
  }

  /** The number of a string, -1 when it has none. */
  find(text: string): number {
    return (this.#slots[this.#find(encode(text))] ?? 0) + ABSENT;
  }

  get(index: number): string {
    return decoder.decode(this.#bytes.subarray(this.#begin(index), this.#ends[index]));
  }

  /** All strings, joined by line feeds, which none of them contains. */
  toBytes(): Uint8Array {
    const texts: string[] = [];
    for (let index = 0; index < this.#size; index++) texts.push(this.get(index));
    return encoder.encode(texts.join("\n"));
  }

  /** Reads back `size` strings in their order. */
  static fromBytes(bytes: Uint8Array, size: number): TextTable {
    const table = new TextTable();
    const texts = size === 0 ? [] : decoder.decode(bytes).split("\n");
    if (texts.length !== size) throw new Error(`${texts.length} strings where ${size} belong`);
    for (const text of texts) table.intern(text);
    if (table.size !== size) throw new Error("a string stands twice");
    return table;
  }

  #begin(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? 0);
  }

  #add(utf8: Uint8Array, slot: number): number {
    const index = this.#size;
    const begin = this.#begin(index);
    this.#bytes = roomFor(this.#bytes, begin + utf8.length);
    this.#bytes.set(utf8, begin);
    this.#ends = roomFor(this.#ends, index + 1);
    this.#ends[index] = begin + utf8.length;
    this.#size = index + 1;
    this.#slots[slot] = index + 1;
    if (this.#size > LOAD_MAX * this.#slots.length) this.#rehash();
    return index;
  }

  #rehash(): void {
    this.#slots = new Uint32Array(grownCapacity(this.#slots.length));
    for (let index = 0; index < this.#size; index++) {
      const utf8 = this.#bytes.subarray(this.#begin(index), this.#ends[index]);
      this.#slots[this.#find(utf8)] = index + 1;
    }
  }

  /** The slot that holds the string, or the free one where it would go. */
  #find(utf8: Uint8Array): number {
    const capacity = this.#slots.length;
    let slot = slotOf(hash(utf8), capacity);
    for (;;) {
      const known = this.#slots[slot] ?? 0;
      if (known === 0 || this.#equals(known - 1, utf8)) return slot;
      slot = slot + 1 === capacity ? 0 : slot + 1;
    }
  }

  #equals(index: number, utf8: Uint8Array): boolean {
    const begin = this.#begin(index);
    if ((this.#ends[index] ?? 0) - begin !== utf8.length) return false;
    for (let i = 0; i < utf8.length; i++) if (this.#bytes[begin + i] !== utf8[i]) return false;
    return true;
  }
}

/** A hash of 32 bits spread over any number of slots, not only a power of two. */
export function slotOf(hash32: number, capacity: number): number {
  return Math.floor((hash32 / 4_294_967_296) * capacity);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Of the strings here none is longer than 64 characters of up to 4 bytes; a longer one would be encoded aside. */
const scratch = new Uint8Array(256);

/** The UTF-8 of a string; of a short ASCII one, as nearly all are, without allocating. Valid until the next call. */
function encode(text: string): Uint8Array {
  if (text.length > scratch.length) return encoder.encode(text);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return encoder.encode(text);
    scratch[i] = unit;
  }
  return scratch.subarray(0, text.length);
}

/** FNV-1a, finished so that the high bits, which choose the slot, depend on every byte. */
function hash(utf8: Uint8Array): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < utf8.length; i++) h = Math.imul(h ^ (utf8[i] ?? 0), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
