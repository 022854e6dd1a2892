/** A 128-bit key as four uint32: the key's 16 bytes read as two little-endian uint64, `k0` then `k1`, each in halves. */
export interface SipKey {
  readonly k0Lo: number;
  readonly k0Hi: number;
  readonly k1Lo: number;
  readonly k1Hi: number;
}

/** A 64-bit hash in two uint32 halves: `hi * 2^32 + lo`. Mutable, because callers own one and have it overwritten. */
export interface Hash64 {
  lo: number;
  hi: number;
}

/** The all-zero key: with it `sipHash(key, text)` equals ClickHouse's `sipHash64(text)`. */
export const SIP_KEY_ZERO: SipKey = { k0Lo: 0, k0Hi: 0, k1Lo: 0, k1Hi: 0 };

/** Never part of UTF-8, so that `(a, b)` and `(c, d)` give the same bytes only if a = c and b = d. */
const SEPARATOR = 0xff;

/** The padded message is built here and read back as words, so that a call allocates nothing. Grows to the longest message seen. */
let bytes = new Uint8Array(512);
let words = new DataView(bytes.buffer);

/**
 * SipHash-2-4 of the UTF-8 bytes of `text`, written to `out` (overwritten, and returned for convenience; keep one and reuse it).
 * Lone surrogates are hashed as U+FFFD, as `TextEncoder` does.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
 * The key `k0, k1` as uint64 gives what ClickHouse's `sipHash64Keyed((k0, k1), text)` gives.
 */
export function sipHash(key: SipKey, text: string, out: Hash64): Hash64 {
  reserve(3 * text.length);
  return hashMessage(key, writeUtf8(text, 0), out);
}

/**
 * SipHash-2-4 of two strings without joining them: the UTF-8 bytes of `first`, one byte 0xFF, the UTF-8 bytes of `second`.
 * No other pair of strings gives the same bytes. In ClickHouse: `sipHash64Keyed((k0, k1), concat(first, '\xFF', second))`.
 */
export function sipHashPair(key: SipKey, first: string, second: string, out: Hash64): Hash64 {
  reserve(3 * (first.length + second.length) + 1);
  const separatorAt = writeUtf8(first, 0);
  bytes[separatorAt] = SEPARATOR;
  return hashMessage(key, writeUtf8(second, separatorAt + 1), out);
}

/** SipHash-2-4 of bytes, written to `out` (overwritten and returned). */
export function sipHashBytes(key: SipKey, message: Uint8Array, out: Hash64): Hash64 {
  return sipHashRange(key, message, 0, message.length, out);
}

/** SipHash-2-4 of the bytes of `source` from `from` up to `to`, without a view of them. */
export function sipHashRange(key: SipKey, source: Uint8Array, from: number, to: number, out: Hash64): Hash64 {
  reserve(to - from);
  return hashMessage(key, writeBytes(source, from, to, 0), out);
}

/** What `sipHashPair` gives for two strings of which the UTF-8 stands in `source`, the first at `from1` up to `to1`. */
export function sipHashPairRange(
  key: SipKey,
  source: Uint8Array,
  from1: number,
  to1: number,
  from2: number,
  to2: number,
  out: Hash64,
): Hash64 {
  reserve(to1 - from1 + to2 - from2 + 1);
  const separatorAt = writeBytes(source, from1, to1, 0);
  bytes[separatorAt] = SEPARATOR;
  return hashMessage(key, writeBytes(source, from2, to2, separatorAt + 1), out);
}

/** Reads a key written as 32 hexadecimal digits, first byte first. Throws a `RangeError`, which does not repeat the key. */
export function sipKeyFromHex(hex32: string): SipKey {
  if (!/^[0-9a-fA-F]{32}$/.test(hex32)) throw new RangeError("a SipHash key is exactly 32 hexadecimal digits");
  const wordAt = (start: number): number => {
    const bigEndian = Number.parseInt(hex32.slice(start, start + 8), 16);
    return (
      ((bigEndian >>> 24) | ((bigEndian >>> 8) & 0xff00) | ((bigEndian << 8) & 0xff0000) | (bigEndian << 24)) >>> 0
    );
  };
  return { k0Lo: wordAt(0), k0Hi: wordAt(8), k1Lo: wordAt(16), k1Hi: wordAt(24) };
}

/** Makes room for a message of up to `length` bytes and its padding of up to 8. */
function reserve(length: number): void {
  if (length + 8 <= bytes.length) return;
  bytes = new Uint8Array(2 * (length + 8));
  words = new DataView(bytes.buffer);
}

/** Copies bytes to `start` of the reserved buffer; returns where they end. */
function writeBytes(source: Uint8Array, from: number, to: number, start: number): number {
  const into = bytes; // a local, as below
  let at = start;
  for (let i = from; i < to; i++) into[at++] = source[i] as number;
  return at;
}

/** Writes `text` as UTF-8 at `start` of the reserved buffer; returns where it ends. */
function writeUtf8(text: string, start: number): number {
  const into = bytes; // a local, because a module variable is read anew at every byte
  let at = start;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      into[at++] = unit;
    } else if (unit < 0x800) {
      into[at++] = 0xc0 | (unit >>> 6);
      into[at++] = 0x80 | (unit & 0x3f);
    } else if ((unit & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      const point = 0x10000 + ((unit & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff);
      into[at++] = 0xf0 | (point >>> 18);
      into[at++] = 0x80 | ((point >>> 12) & 0x3f);
      into[at++] = 0x80 | ((point >>> 6) & 0x3f);
      into[at++] = 0x80 | (point & 0x3f);
    } else {
      const point = (unit & 0xf800) === 0xd800 ? 0xfffd : unit;
      into[at++] = 0xe0 | (point >>> 12);
      into[at++] = 0x80 | ((point >>> 6) & 0x3f);
      into[at++] = 0x80 | (point & 0x3f);
    }
  }
  return at;
}

/**
 * Hashes the first `length` bytes of the reserved buffer. 64-bit words are pairs of int32 in local variables; a sum carries
 * when its low half, unsigned, is below what was added, and `Number` of that keeps the carry, which is random, free of branches.
 * Finalisation is run as one more block, of zero and with four rounds, so that the round is written once.
 */
function hashMessage(key: SipKey, length: number, out: Hash64): Hash64 {
  const view = words;
  const end = (length | 7) + 1;
  for (let at = length; at < end; at++) bytes[at] = 0;
  bytes[end - 1] = length & 0xff;

  let v0Lo = key.k0Lo ^ 0x70736575;
  let v0Hi = key.k0Hi ^ 0x736f6d65;
  let v1Lo = key.k1Lo ^ 0x6e646f6d;
  let v1Hi = key.k1Hi ^ 0x646f7261;
  let v2Lo = key.k0Lo ^ 0x6e657261;
  let v2Hi = key.k0Hi ^ 0x6c796765;
  let v3Lo = key.k1Lo ^ 0x79746573;
  let v3Hi = key.k1Hi ^ 0x74656462;
  let swap = 0;

  for (let at = 0; at <= end; at += 8) {
    const isFinal = at === end;
    const blockLo = isFinal ? 0 : view.getInt32(at, true);
    const blockHi = isFinal ? 0 : view.getInt32(at + 4, true);
    if (isFinal) v2Lo ^= 0xff;
    v3Lo ^= blockLo;
    v3Hi ^= blockHi;

    for (let round = isFinal ? 4 : 2; round > 0; round--) {
      // v0 += v1; v1 = (v1 <<< 13) ^ v0; v0 <<<= 32
      v0Lo = (v0Lo + v1Lo) | 0;
      v0Hi = (v0Hi + v1Hi + Number(v0Lo >>> 0 < v1Lo >>> 0)) | 0;
      swap = v1Lo;
      v1Lo = ((v1Lo << 13) | (v1Hi >>> 19)) ^ v0Lo;
      v1Hi = ((v1Hi << 13) | (swap >>> 19)) ^ v0Hi;
      swap = v0Lo;
      v0Lo = v0Hi;
      v0Hi = swap;
      // v2 += v3; v3 = (v3 <<< 16) ^ v2
      v2Lo = (v2Lo + v3Lo) | 0;
      v2Hi = (v2Hi + v3Hi + Number(v2Lo >>> 0 < v3Lo >>> 0)) | 0;
      swap = v3Lo;
      v3Lo = ((v3Lo << 16) | (v3Hi >>> 16)) ^ v2Lo;
      v3Hi = ((v3Hi << 16) | (swap >>> 16)) ^ v2Hi;
      // v0 += v3; v3 = (v3 <<< 21) ^ v0
      v0Lo = (v0Lo + v3Lo) | 0;
      v0Hi = (v0Hi + v3Hi + Number(v0Lo >>> 0 < v3Lo >>> 0)) | 0;
      swap = v3Lo;
      v3Lo = ((v3Lo << 21) | (v3Hi >>> 11)) ^ v0Lo;
      v3Hi = ((v3Hi << 21) | (swap >>> 11)) ^ v0Hi;
      // v2 += v1; v1 = (v1 <<< 17) ^ v2; v2 <<<= 32
      v2Lo = (v2Lo + v1Lo) | 0;
      v2Hi = (v2Hi + v1Hi + Number(v2Lo >>> 0 < v1Lo >>> 0)) | 0;
      swap = v1Lo;
      v1Lo = ((v1Lo << 17) | (v1Hi >>> 15)) ^ v2Lo;
      v1Hi = ((v1Hi << 17) | (swap >>> 15)) ^ v2Hi;
      swap = v2Lo;
      v2Lo = v2Hi;
      v2Hi = swap;
    }
    v0Lo ^= blockLo;
    v0Hi ^= blockHi;
  }

  out.lo = (v0Lo ^ v1Lo ^ v2Lo ^ v3Lo) >>> 0;
  out.hi = (v0Hi ^ v1Hi ^ v2Hi ^ v3Hi) >>> 0;
  return out;
}
