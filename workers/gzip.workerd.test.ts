import { expect, test } from "vitest";
import { gunzip, gzip } from "./gzip.ts";

/** The runtime's own zlib: that it does what Node's does is what bodies, the log and the archive rely on. */

const concat = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const unpacked = (bytes: Uint8Array) => new TextDecoder().decode(gunzip(bytes, 1_000));

test("members one after another are one text, as the archive has them", () => {
  expect(unpacked(concat(gzip("a\n"), gzip("漢\n"), gzip("")))).toBe("a\n漢\n");
});

test("more than the limit is a RangeError, over all members together; the limit itself is not", () => {
  expect(gunzip(concat(gzip("12345"), gzip("67890")), 10).length).toBe(10);
  expect(() => gunzip(concat(gzip("12345"), gzip("67890")), 9)).toThrow(RangeError);
});

test("a bomb is stopped: of 200 MB no more than the limit is unpacked", () => {
  const member = gzip(new Uint8Array(10_000_000));
  const bomb = concat(...Array.from({ length: 20 }, () => member));
  expect(() => gunzip(bomb, 10_000_000)).toThrow(RangeError);
});

test("what is damaged, cut off or no gzip is an error, but no RangeError", () => {
  const packed = gzip("some text");
  const damaged = packed.slice();
  damaged[packed.length - 6] = (damaged[packed.length - 6] ?? 0) ^ 1;
  for (const bytes of [
    new Uint8Array(),
    packed.subarray(0, -1),
    damaged,
    concat(packed, packed.subarray(0, -1)),
    concat(packed, damaged),
  ]) {
    expect(() => gunzip(bytes, 1_000)).toThrow(Error);
    expect(() => gunzip(bytes, 1_000)).not.toThrow(RangeError);
  }
});
