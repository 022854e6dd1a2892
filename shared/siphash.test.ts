import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Hash64,
  SIP_KEY_ZERO,
  type SipKey,
  sipHash,
  sipHashBytes,
  sipHashPair,
  sipKeyFromHex,
} from "./siphash.ts";

/** Appendix A of the SipHash paper and `vectors.h` of its reference code: key 00…0f, messages of 0…7 bytes 00, 01, …. */
const REFERENCE_KEY = sipKeyFromHex("000102030405060708090a0b0c0d0e0f");
const REFERENCE_OUTPUTS = [
  "310e0edd47db6f72",
  "fd67dc93c539f874",
  "5a4fa9d909806c0d",
  "2d7efbd796666785",
  "b7877127e09427cf",
  "8da699cd64557618",
  "cee3fe586e46c9cb",
  "37d1018bf50002ab",
];

const out: Hash64 = { lo: 0, hi: 0 };
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const asBigInt = ({ lo, hi }: Hash64): bigint => (BigInt(hi) << 32n) | BigInt(lo);

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const keys: fc.Arbitrary<SipKey> = fc.record({ k0Lo: uint32, k0Hi: uint32, k1Lo: uint32, k1Hi: uint32 });
/** Any sequence of UTF-16 units, lone surrogates included, mixed with well-formed text. */
const texts = fc.oneof(
  fc.string({ unit: "binary", maxLength: 100 }),
  fc.string({ unit: "binary-ascii", maxLength: 100 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
  fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
);

/** SipHash-2-4 as the paper writes it, on BigInt. */
function referenceHash(key: SipKey, message: Uint8Array): bigint {
  const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
  const rotate = (value: bigint, by: bigint): bigint => u64((value << by) | (value >> (64n - by)));
  const k0 = asBigInt({ lo: key.k0Lo, hi: key.k0Hi });
  const k1 = asBigInt({ lo: key.k1Lo, hi: key.k1Hi });
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;
  const rounds = (count: number): void => {
    for (let round = 0; round < count; round++) {
      v0 = u64(v0 + v1);
      v2 = u64(v2 + v3);
      v1 = rotate(v1, 13n) ^ v0;
      v3 = rotate(v3, 16n) ^ v2;
      v0 = rotate(v0, 32n);
      v2 = u64(v2 + v1);
      v0 = u64(v0 + v3);
      v1 = rotate(v1, 17n) ^ v2;
      v3 = rotate(v3, 21n) ^ v0;
      v2 = rotate(v2, 32n);
    }
  };
  const padded = new Uint8Array((message.length | 7) + 1);
  padded.set(message);
  padded[padded.length - 1] = message.length & 0xff;
  const view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 8) {
    const block = view.getBigUint64(at, true);
    v3 ^= block;
    rounds(2);
    v0 ^= block;
  }
  v2 ^= 0xffn;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

test("the official vectors come out, byte for byte", () => {
  const outputs = REFERENCE_OUTPUTS.map((_, length) => {
    const hash = asBigInt(
      sipHashBytes(
        REFERENCE_KEY,
        Uint8Array.from({ length }, (_, i) => i),
        out,
      ),
    );
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, hash, true);
    return Buffer.from(bytes).toString("hex");
  });
  expect(outputs).toEqual(REFERENCE_OUTPUTS);
});

test("bytes of every length up to several blocks hash as in the reference", () => {
  for (let length = 0; length <= 600; length++) {
    const message = Uint8Array.from({ length }, (_, i) => i * 31 + length);
    expect(asBigInt(sipHashBytes(REFERENCE_KEY, message, out))).toBe(referenceHash(REFERENCE_KEY, message));
  }
});

test("a string hashes as its UTF-8 bytes, lone surrogates as U+FFFD", () => {
  fc.assert(
    fc.property(keys, texts, (key, text) => {
      expect(asBigInt(sipHash(key, text, out))).toBe(referenceHash(key, utf8(text)));
    }),
    { numRuns: 500 },
  );
  expect({ ...sipHash(SIP_KEY_ZERO, "a\ud800", out) }).toEqual(sipHash(SIP_KEY_ZERO, "a\ufffd", { lo: 0, hi: 0 }));
});

test("a pair hashes as its two strings with 0xFF between them", () => {
  fc.assert(
    fc.property(keys, texts, texts, (key, first, second) => {
      const joined = Uint8Array.from([...utf8(first), 0xff, ...utf8(second)]);
      expect(asBigInt(sipHashPair(key, first, second, out))).toBe(referenceHash(key, joined));
    }),
  );
});

test("moving the border between the two strings of a pair changes the hash", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), (text) => {
      const hashes = Array.from({ length: text.length + 1 }, (_, at) => text.slice(0, at))
        .filter((first) => first.isWellFormed())
        .map((first) => asBigInt(sipHashPair(REFERENCE_KEY, first, text.slice(first.length), out)));
      expect(new Set(hashes).size).toBe(hashes.length);
    }),
  );
});

test("a long message leaves nothing behind in a shorter one after it", () => {
  const before = asBigInt(sipHash(REFERENCE_KEY, "merchant", out));
  sipHash(REFERENCE_KEY, "\u20ac".repeat(5000), out);
  expect(asBigInt(sipHash(REFERENCE_KEY, "merchant", out))).toBe(before);
});

test("a key is read from exactly 32 hexadecimal digits, and a bad one is not repeated in the error", () => {
  expect(REFERENCE_KEY).toEqual({ k0Lo: 0x03020100, k0Hi: 0x07060504, k1Lo: 0x0b0a0908, k1Hi: 0x0f0e0d0c });
  expect(sipKeyFromHex("FF".repeat(16))).toEqual({
    k0Lo: 0xffffffff,
    k0Hi: 0xffffffff,
    k1Lo: 0xffffffff,
    k1Hi: 0xffffffff,
  });
  for (const bad of ["", "00".repeat(15), "00".repeat(17), "0g".repeat(16), `${"00".repeat(16)}\n`]) {
    expect(() => sipKeyFromHex(bad)).toThrow(/^a SipHash key is exactly 32 hexadecimal digits$/);
  }
});
