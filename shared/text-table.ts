import { grownCapacity, roomFor } from "./growing.ts";
import { keepCompiled } from "./keep-compiled.ts";

const LOAD_MAX = 0.75;
const ABSENT = -1;
const RECENT = 32;
const LINE_FEED = 10;
/** A merchant's id, or a label. */
export const TEXT_BYTES_TYPICAL = 16;

/** Strings by number, packed: UTF-8 one after another, and where each ends. None of them contains a line feed. */
export class TextList {
  protected bytes = new Uint8Array(0);
  /** Where each string ends; it begins where the one before ends. */
  protected ends = new Uint32Array(0);
  protected count = 0;

  get size(): number {
    return this.count;
  }

  get byteLength(): number {
    return this.bytes.byteLength + this.ends.byteLength;
  }

  get(index: number): string {
    return decoder.decode(this.bytes.subarray(this.begin(index), this.ends[index]));
  }

  begin(index: number): number {
    return index === 0 ? 0 : (this.ends[index - 1] ?? 0);
  }

  end(index: number): number {
    return this.ends[index] ?? 0;
  }

  /** Where the strings stand, by `begin` and `end`; not to be changed, and valid until a string is added. */
  get arena(): Uint8Array {
    return this.bytes;
  }

  /** All strings, each followed by a line feed. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const joined = new Uint8Array(this.end(this.count - 1) + this.count);
    let at = 0;
    for (let index = 0; index < this.count; index++) {
      for (let from = this.begin(index); from < this.end(index); from++) joined[at++] = this.bytes[from] ?? 0;
      joined[at++] = LINE_FEED;
    }
    return joined;
  }

  /** Reads back `size` strings in their order. Throws when there are more or fewer, or one is not UTF-8. */
  static fromBytes(joined: Uint8Array, size: number): TextList {
    const list = new TextList();
    list.read(joined, size);
    return list;
  }

  protected read(joined: Uint8Array, size: number): void {
    decoder.decode(joined);
    this.bytes = new Uint8Array(joined.length);
    this.ends = new Uint32Array(size);
    let to = 0;
    for (let at = 0; at < joined.length; at++) {
      const byte = joined[at] as number;
      if (byte === LINE_FEED) this.ends[this.count++] = to;
      else this.bytes[to++] = byte;
    }
    if (this.count !== size || to !== this.end(size - 1)) throw new Error(`not ${size} strings`);
  }

  /** So many strings of so many bytes in all take no growing. */
  makeRoom(strings: number, bytes: number): void {
    this.bytes = roomFor(this.bytes, bytes);
    this.ends = roomFor(this.ends, strings);
  }

  /** Adds the string whose UTF-8 stands at `from` to `to` of some bytes, whether there is one like it or not; answers its number. */
  append(utf8: Uint8Array, from: number, to: number): number {
    const index = this.count;
    const begin = this.begin(index);
    const end = begin + to - from;
    this.bytes = roomFor(this.bytes, end);
    const into = this.bytes; // a local, because a field is read anew at every byte
    for (let at = 0; at < to - from; at++) into[begin + at] = utf8[from + at] as number;
    this.ends = roomFor(this.ends, index + 1);
    this.ends[index] = end;
    this.count = index + 1;
    return index;
  }
}

/**
 * Distinct strings that are found by what they are: a list with an open-addressing index over it. A merchant id of 12 characters takes
 * some 23 bytes, where a string in a `Map` takes a hundred. Strings are only ever added.
 */
export class TextTable extends TextList {
  /** Number of a string plus one, at a slot by its hash; 0 is free. */
  #slots = new Uint32Array(grownCapacity(0));
  /** Number plus one of the string looked up last, at a place by its length and ends: labels come again and again, and need no hash then. */
  readonly #recent = new Uint32Array(RECENT);

  /** With room for so many strings, as guessed. */
  constructor(strings = 0) {
    super();
    if (strings > 0) this.makeRoom(strings, TEXT_BYTES_TYPICAL * strings);
  }

  override get byteLength(): number {
    return super.byteLength + this.#slots.byteLength + this.#recent.byteLength;
  }

  /** The index is doubled, not grown by a third: who makes room beforehand does not keep the table for long. */
  override makeRoom(strings: number, bytes: number): void {
    super.makeRoom(strings, bytes);
    if (strings <= LOAD_MAX * this.#slots.length) return;
    this.#rehash(Math.ceil(Math.max(strings / LOAD_MAX, 2 * this.#slots.length)));
  }

  /** The number of a string, which it gets now if it has none. */
  intern(text: string): number {
    const utf8 = encode(text);
    return this.internBytes(utf8, 0, utf8.length);
  }

  /** The same for the string whose UTF-8 stands at `from` to `to` of some bytes, without making it a string. */
  internBytes(utf8: Uint8Array, from: number, to: number): number {
    const at = (5 * (to - from) + 3 * (utf8[from] ?? 0) + (utf8[to - 1] ?? 0)) & (RECENT - 1);
    const recent = (this.#recent[at] as number) - 1;
    if (recent >= 0 && this.#equals(recent, utf8, from, to)) return recent;
    const index = this.#intern(utf8, from, to);
    this.#recent[at] = index + 1;
    return index;
  }

  #intern(utf8: Uint8Array, from: number, to: number): number {
    const slot = this.#find(utf8, from, to);
    const known = this.#slots[slot] ?? 0;
    if (known > 0) return known - 1;
    const index = this.append(utf8, from, to);
    this.#slots[slot] = index + 1;
    if (this.count > LOAD_MAX * this.#slots.length) this.#rehash(grownCapacity(this.#slots.length));
    return index;
  }

  /** The number of a string, -1 when it has none. */
  find(text: string): number {
    const utf8 = encode(text);
    return (this.#slots[this.#find(utf8, 0, utf8.length)] ?? 0) + ABSENT;
  }

  /** Reads back `size` strings in their order; the index is made anew. Throws as `TextList` does, and when a string stands twice. */
  static override fromBytes(joined: Uint8Array, size: number): TextTable {
    const table = new TextTable();
    table.read(joined, size);
    table.#rehash(grownCapacity(size / LOAD_MAX));
    return table;
  }

  #rehash(capacity: number): void {
    this.#slots = new Uint32Array(capacity);
    for (let index = 0; index < this.count; index++) {
      const slot = this.#find(this.bytes, this.begin(index), this.end(index));
      if (this.#slots[slot] !== 0) throw new Error("a string stands twice");
      this.#slots[slot] = index + 1;
    }
  }

  /** The slot that holds the string, or the free one where it would go. */
  #find(utf8: Uint8Array, from: number, to: number): number {
    const capacity = this.#slots.length;
    let slot = slotOf(hash(utf8, from, to), capacity);
    for (;;) {
      const known = this.#slots[slot] ?? 0;
      if (known === 0 || this.#equals(known - 1, utf8, from, to)) return slot;
      slot = slot + 1 === capacity ? 0 : slot + 1;
    }
  }

  #equals(index: number, utf8: Uint8Array, from: number, to: number): boolean {
    const begin = this.begin(index);
    if (this.end(index) - begin !== to - from) return false;
    const own = this.bytes;
    for (let at = 0; at < to - from; at++) if (own[begin + at] !== utf8[from + at]) return false;
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

/** The UTF-8 of a string; of a short ASCII one, as nearly all are, without allocating more than a view. Valid until the next call. */
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
function hash(utf8: Uint8Array, from: number, to: number): number {
  let h = 0x811c9dc5;
  for (let at = from; at < to; at++) h = Math.imul(h ^ (utf8[at] as number), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

keepCompiled(new TextList(), new TextTable());
