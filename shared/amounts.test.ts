import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AMOUNT_BUCKETS,
  type AmountHistogram,
  addAmount,
  amountBucket,
  amountCounter,
  amountQuantile,
  bucketRange,
  mergeAmounts,
} from "./amounts.ts";

const AMOUNT_MAX = Number.MAX_SAFE_INTEGER;
const nothing: AmountHistogram = { bucket: [], count: [] };

/** Every magnitude as likely as another, and the borders of powers of two. */
const amounts = fc.oneof(
  fc.constantFrom(0, 1, 63, 64, 127, 128, AMOUNT_MAX - 1, AMOUNT_MAX),
  fc
    .tuple(fc.integer({ min: 0, max: 53 }), fc.nat({ max: AMOUNT_MAX }))
    .map(([bits, any]) => Math.floor(any / 2 ** (53 - bits))),
  fc
    .tuple(fc.integer({ min: 6, max: 52 }), fc.integer({ min: -2, max: 2 }))
    .map(([exponent, offset]) => 2 ** exponent + offset),
);
const amountLists = fc.array(amounts, { maxLength: 200 });
const histogramOf = (list: readonly number[]): AmountHistogram => {
  const counter = amountCounter();
  for (const amount of list) addAmount(counter, amount);
  return counter;
};
const histograms = amountLists.map(histogramOf);

describe("buckets", () => {
  test("follow each other without gap or overlap from 0 to 2^53, and each holds its first and last amount", () => {
    let expectedLow = 0;
    for (let index = 0; index < AMOUNT_BUCKETS; index++) {
      const { low, high } = bucketRange(index);
      expect(low).toBe(expectedLow);
      expect(high).toBeGreaterThan(low);
      expect(amountBucket(low)).toBe(index);
      expect(amountBucket(high - 1)).toBe(index);
      expectedLow = high;
    }
    expect(expectedLow).toBe(2 ** 53);
    expect(AMOUNT_BUCKETS).toBeLessThanOrEqual(2 ** 12);
  });

  test("are those of the formula in exact integer arithmetic, and ascend with the amount", () => {
    fc.assert(
      fc.property(amounts, amounts, (a, b) => {
        const shift = Math.max(0, a.toString(2).length - 7);
        expect(BigInt(amountBucket(a))).toBe(64n * BigInt(shift) + (BigInt(a) >> BigInt(shift)));
        expect(Math.sign(amountBucket(a) - amountBucket(b)) * Math.sign(a - b)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 1000 },
    );
  });

  test("of anything but an amount, and ranges of anything but a bucket, are refused", () => {
    for (const wrong of [-1, 0.5, AMOUNT_MAX + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => amountBucket(wrong)).toThrow(RangeError);
    }
    for (const wrong of [-1, 0.5, AMOUNT_BUCKETS, Number.NaN]) expect(() => bucketRange(wrong)).toThrow(RangeError);
  });
});

test("a histogram is canonical, and the same whatever the order of its amounts", () => {
  fc.assert(
    fc.property(amountLists, (list) => {
      const histogram = histogramOf(list);
      const expected = new Map<number, number>();
      for (const amount of list) expected.set(amountBucket(amount), (expected.get(amountBucket(amount)) ?? 0) + 1);
      const entries = [...expected].sort(([a], [b]) => a - b);
      expect(histogram).toEqual({
        bucket: entries.map(([bucket]) => bucket),
        count: entries.map(([, count]) => count),
      });
      expect(histogramOf(list.toReversed())).toEqual(histogram);
    }),
  );
});

test("merge is commutative and associative, with nothing as identity", () => {
  fc.assert(
    fc.property(histograms, histograms, histograms, (a, b, c) => {
      const copies = structuredClone([a, b]);
      expect(mergeAmounts(a, b)).toEqual(mergeAmounts(b, a));
      expect(mergeAmounts(mergeAmounts(a, b), c)).toEqual(mergeAmounts(a, mergeAmounts(b, c)));
      expect(mergeAmounts(a, nothing)).toEqual(a);
      expect(mergeAmounts(nothing, a)).toEqual(a);
      expect([a, b]).toEqual(copies);
    }),
  );
});

test("counting apart and merging, or counting on from a copy, is counting together", () => {
  fc.assert(
    fc.property(amountLists, amountLists, (first, second) => {
      const together = histogramOf([...first, ...second]);
      const start = histogramOf(first);
      expect(mergeAmounts(start, histogramOf(second))).toEqual(together);
      const resumed = amountCounter(start);
      for (const amount of second) addAmount(resumed, amount);
      expect(resumed).toEqual(together);
      expect(start).toEqual(histogramOf(first));
    }),
  );
});

describe("quantiles", () => {
  test("are within 1 % of the exact nearest-rank ones, integers, and exact below 128", () => {
    fc.assert(
      fc.property(fc.array(amounts, { minLength: 1, maxLength: 200 }), fc.nat({ max: 1000 }), (list, permille) => {
        const sorted = list.toSorted((a, b) => a - b);
        const rank = Math.max(1, Number((BigInt(permille) * BigInt(list.length) + 999n) / 1000n));
        const exact = sorted[rank - 1] ?? Number.NaN;
        const known = { min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
        const estimate = amountQuantile(histogramOf(list), permille / 1000, known) ?? Number.NaN;
        expect(Number.isSafeInteger(estimate)).toBe(true);
        expect(estimate).toBeGreaterThanOrEqual(known.min);
        expect(estimate).toBeLessThanOrEqual(known.max);
        expect(Math.abs(estimate - exact)).toBeLessThanOrEqual(exact < 128 ? 0 : exact / 128);
      }),
      { numRuns: 1000 },
    );
  });

  test("never fall as q grows", () => {
    fc.assert(
      fc.property(
        fc.array(amounts, { minLength: 1, maxLength: 100 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (list, q) => {
          const known = { min: Math.min(...list), max: Math.max(...list) };
          const at = (quantile: number): number => amountQuantile(histogramOf(list), quantile, known) ?? Number.NaN;
          expect(at(q / 2)).toBeLessThanOrEqual(at(q));
        },
      ),
    );
  });

  test("of one amount, however large, are that amount", () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        const histogram = histogramOf([amount, amount]);
        for (const q of [0, 0.5, 1]) expect(amountQuantile(histogram, q, { min: amount, max: amount })).toBe(amount);
      }),
    );
  });

  test("take the rank of the decimal meant, where q·n in binary passes the integer", () => {
    const histogram = histogramOf(Array.from({ length: 100 }, (_, amount) => amount));
    for (let percent = 1; percent <= 100; percent++) {
      expect(amountQuantile(histogram, percent / 100, { min: 0, max: 99 })).toBe(percent - 1);
    }
  });

  test("of counts no list could hold are still found", () => {
    const histogram = { bucket: [1, 2, 3], count: [4e15, 4e15, 1e15] };
    const known = { min: 1, max: 3 };
    expect([0.4, 0.5, 0.9].map((q) => amountQuantile(histogram, q, known))).toEqual([1, 2, 3]);
  });

  test("of nothing are null, and of an impossible q refused", () => {
    expect(amountQuantile(nothing, 0.5, { min: 0, max: 0 })).toBeNull();
    for (const q of [-0.1, 1.1, Number.NaN]) {
      expect(() => amountQuantile(nothing, q, { min: 0, max: 0 })).toThrow(RangeError);
    }
  });
});
