import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IdSet } from "./id-set.ts";

const word = fc.oneof(fc.constantFrom(0, 1, 2, 0x8000_0000, 0xffff_ffff), fc.nat(0xffff_ffff));
/** Halves from few values, so that fingerprints share a half, a slot or both. */
const fingerprint = fc.tuple(fc.oneof(fc.nat(3), word), fc.oneof(fc.nat(3), word));
const fingerprints = fc.array(fc.tuple(fingerprint, word), { maxLength: 300 });

/** Adds what is not there yet, to a set and to a plain map. */
function fill(entries: readonly (readonly [readonly [number, number], number])[]) {
  const set = new IdSet();
  const map = new Map<string, number>();
  for (const [[lo, hi], check] of entries) {
    const key = `${lo}/${hi}`;
    expect(set.get(lo, hi)).toBe(map.get(key));
    if (map.has(key)) continue;
    set.add(lo, hi, check);
    map.set(key, check);
  }
  return { set, map };
}

function expectSame(set: IdSet, map: ReadonlyMap<string, number>) {
  expect(set.size).toBe(map.size);
  for (const [key, check] of map) {
    const [lo = 0, hi = 0] = key.split("/").map(Number);
    expect(set.get(lo, hi)).toBe(check);
  }
}

/** The set moves (0, 0) to (0, 1): of 2^64 fingerprints those two are one, and may not both be asked for. */
const isAmbiguous = ([lo, hi]: readonly [number, number]) => lo === 0 && hi === 1;

describe("a set of fingerprints", () => {
  test("knows what a map knows, at every step of its growth", () => {
    fc.assert(
      fc.property(fingerprints, (entries) => {
        const { set, map } = fill(entries.filter(([key]) => !isAmbiguous(key)));
        expectSame(set, map);
      }),
      { numRuns: 300 },
    );
  });

  test("comes back whole from its words, and can then be added to", () => {
    fc.assert(
      fc.property(fingerprints, fingerprints, (before, after) => {
        const { set, map } = fill(before.filter(([key]) => !isAmbiguous(key)));
        const restored = IdSet.fromWords(set.words());
        expectSame(restored, map);
        for (const [[lo, hi], check] of after) {
          if (isAmbiguous([lo, hi]) || map.has(`${lo}/${hi}`)) continue;
          restored.add(lo, hi, check);
          map.set(`${lo}/${hi}`, check);
        }
        expectSame(restored, map);
      }),
      { numRuns: 200 },
    );
  });

  test("holds the fingerprint that looks like a free slot", () => {
    const set = new IdSet();
    expect(set.get(0, 0)).toBeUndefined();
    set.add(0, 0, 7);
    expect(set.get(0, 0)).toBe(7);
    expect(IdSet.fromWords(set.words()).get(0, 0)).toBe(7);
  });

  test("keeps a check of 0 apart from absence", () => {
    const set = new IdSet();
    set.add(5, 6, 0);
    expect(set.get(5, 6)).toBe(0);
    expect(set.get(6, 5)).toBeUndefined();
  });

  test("finds each of 100,000 fingerprints", () => {
    const set = new IdSet();
    for (let i = 0; i < 100_000; i++) set.add(Math.imul(i, 0x9e3779b1) >>> 0, i, i);
    for (let i = 0; i < 100_000; i++) expect(set.get(Math.imul(i, 0x9e3779b1) >>> 0, i)).toBe(i);
    expect(set.size).toBe(100_000);
  });
});
