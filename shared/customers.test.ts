import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CustomerCounter,
  type Customers,
  customerValue,
  estimateCustomers,
  mergeCustomers,
  normalizeCustomers,
  parseCustomers,
} from "./customers.ts";

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const hashes = fc.array(fc.tuple(uint32, uint32), { maxLength: 300 });
/** Few registers, so that merges collide, with any of the ranks. */
const values = fc
  .tuple(fc.oneof(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 2047 })), fc.integer({ min: 1, max: 31 }))
  .map(([register, rank]) => register * 32 + rank);
const bags = fc.array(values, { maxLength: 60 });
const sketches = bags.map(normalizeCustomers);
const nobody: Customers = new Uint16Array();

const counted = (all: readonly (readonly [number, number])[]): Customers => {
  const counter = new CustomerCounter();
  for (const [lo, hi] of all) counter.add(lo, hi);
  return counter.customers();
};

/** xoshiro128**: uint32 from a fixed seed. */
function generator(seed: number): () => number {
  let [a, b, c, d] = [seed, 0x9e3779b9, 0x243f6a88, 0xb7e15162];
  const next = (): number => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  };
  for (let i = 0; i < 20; i++) next();
  return next;
}

/** Relative errors of estimates of `n`, as root mean square and mean. */
function errors(n: number, estimates: readonly number[]): { rms: number; bias: number } {
  const relative = estimates.map((estimate) => estimate / n - 1);
  const mean = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  return { rms: Math.sqrt(mean(relative.map((x) => x * x))), bias: mean(relative) };
}

/** Estimates of streams of random hashes, at each of `sizes` (ascending), one list per size. */
function streamed(sizes: readonly number[], streams: number, seed: number): number[][] {
  const next = generator(seed);
  const estimates = sizes.map((): number[] => []);
  for (let stream = 0; stream < streams; stream++) {
    const counter = new CustomerCounter();
    let n = 0;
    sizes.forEach((size, at) => {
      for (; n < size; n++) counter.add(next(), next());
      estimates[at]?.push(estimateCustomers(counter.customers()));
    });
  }
  return estimates;
}

/** Estimates of a Poisson number of mean `n` of customers, n ≫ 2048: each register is then independent, P(rank ≤ k) = exp(-n / 2048 / 2^k). */
function sampled(n: number, sketchCount: number, seed: number): number[] {
  const next = generator(seed);
  return Array.from({ length: sketchCount }, () => {
    const packed: number[] = [];
    for (let register = 0; register < 2048; register++) {
      const rank = Math.ceil(Math.log2(n / 2048 / -Math.log((next() + 0.5) / 2 ** 32)));
      if (rank > 0) packed.push(register * 32 + Math.min(rank, 31));
    }
    return estimateCustomers(Uint16Array.from(packed));
  });
}

describe("the packed form", () => {
  test("a value has the register in the low hash bits and the rank from the high half's leading zeros", () => {
    expect(customerValue(0, 0xffffffff)).toBe(1);
    expect(customerValue(0xffffffff, 0x80000000)).toBe(2047 * 32 + 1);
    expect(customerValue(5 + 2048, 0x7fffffff)).toBe(5 * 32 + 2);
    expect([3, 2, 1, 0].map((hi) => customerValue(0, hi))).toEqual([31, 31, 31, 31]);
    expect(customerValue(0, 4)).toBe(30);
  });

  test("what a counter holds is canonical, whatever the order and however often each customer came", () => {
    fc.assert(
      fc.property(hashes, fc.infiniteStream(fc.nat()), (all, order) => {
        const customers = counted(all);
        expect(parseCustomers([...customers])).toEqual(customers);
        expect(customers).toEqual(normalizeCustomers(all.map(([lo, hi]) => customerValue(lo, hi))));
        const shuffled = [...all, ...all].map((hash) => ({ hash, key: order.next().value }));
        shuffled.sort((x, y) => x.key - y.key);
        expect(counted(shuffled.map(({ hash }) => hash))).toEqual(customers);
      }),
    );
  });

  test("a counter resumes from what it gave, and says of each customer whether that changed it", () => {
    fc.assert(
      fc.property(sketches, hashes, (start, all) => {
        const counter = new CustomerCounter(start);
        expect(counter.customers()).toEqual(start);
        let before = start;
        for (const [lo, hi] of all) {
          const changed = counter.add(lo, hi);
          const after = mergeCustomers(before, counted([[lo, hi]]));
          expect(counter.customers()).toEqual(after);
          expect(changed).toBe(String(before) !== String(after));
          before = after;
        }
      }),
      { numRuns: 20 },
    );
  });

  test("any bag of values has one canonical form, the highest rank of each register", () => {
    fc.assert(
      fc.property(bags, bags, (bag, other) => {
        const customers = normalizeCustomers(bag);
        expect(normalizeCustomers([...bag, ...bag].reverse())).toEqual(customers);
        expect(normalizeCustomers([...customers])).toEqual(customers);
        expect(normalizeCustomers([...bag, ...other])).toEqual(mergeCustomers(customers, normalizeCustomers(other)));
        for (const value of customers) {
          expect(Math.max(...bag.filter((each) => each >> 5 === value >> 5))).toBe(value);
        }
        expect(customers.length).toBe(new Set(bag.map((value) => value >> 5)).size);
      }),
    );
  });

  test("only canonical arrays of packed values are read from the wire", () => {
    expect(parseCustomers([])).toEqual(nobody);
    expect(parseCustomers([1, 33, 65535])).toEqual(Uint16Array.of(1, 33, 65535));
    const wrong = [
      null,
      {},
      "1",
      [0],
      [32],
      [65536],
      [-1],
      [1.5],
      ["1"],
      [null],
      [Number.NaN],
      [33, 1],
      [1, 1],
      [1, 2],
    ];
    for (const input of wrong) expect(parseCustomers(input)).toBeNull();
    for (const value of [0, 32, 65536 + 1, -1, 1.5]) expect(() => normalizeCustomers([1, value])).toThrow(RangeError);
  });
});

test("merge is commutative, associative and idempotent, with nobody as identity", () => {
  fc.assert(
    fc.property(sketches, sketches, sketches, (a, b, c) => {
      const copies = [a.slice(), b.slice()];
      expect(mergeCustomers(a, b)).toEqual(mergeCustomers(b, a));
      expect(mergeCustomers(mergeCustomers(a, b), c)).toEqual(mergeCustomers(a, mergeCustomers(b, c)));
      expect(mergeCustomers(a, a)).toEqual(a);
      expect(mergeCustomers(a, nobody)).toEqual(a);
      expect(mergeCustomers(nobody, a)).toEqual(a);
      expect([a, b]).toEqual(copies);
    }),
  );
});

test("counting apart and merging is counting together", () => {
  fc.assert(
    fc.property(hashes, hashes, (a, b) => {
      expect(mergeCustomers(counted(a), counted(b))).toEqual(counted([...a, ...b]));
    }),
  );
});

describe("the estimate", () => {
  test("nobody is 0, and more customers never look fewer", () => {
    expect(estimateCustomers(nobody)).toBe(0);
    fc.assert(
      fc.property(sketches, sketches, (a, b) => {
        const estimate = estimateCustomers(mergeCustomers(a, b));
        expect(Number.isSafeInteger(estimate)).toBe(true);
        expect(estimate).toBeGreaterThanOrEqual(estimateCustomers(a));
      }),
    );
    const full = Uint16Array.from({ length: 2048 }, (_, register) => register * 32 + 31);
    expect(estimateCustomers(full)).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("up to 20 customers it is off by at most one in 99 of 100 cases", () => {
    const sizes = Array.from({ length: 20 }, (_, at) => at + 1);
    streamed(sizes, 1000, 1).forEach((estimates, at) => {
      const n = at + 1;
      expect(estimates.filter((estimate) => Math.abs(estimate - n) <= 1).length).toBeGreaterThanOrEqual(990);
    });
  });

  test("of streams of a thousand to a million customers is within 2.5 %", () => {
    const sizes = [1_000, 10_000, 100_000, 1_000_000];
    streamed(sizes, 40, 2).forEach((estimates, at) => {
      expect(errors(sizes[at] ?? 0, estimates).rms).toBeLessThanOrEqual(0.025);
    });
  });

  test("has no bias where few become many", () => {
    const sizes = [100, 200, 500, 1e3, 2e3, 3e3, 4e3, 5e3, 6e3, 7e3, 8e3, 1e4, 1.5e4, 2e4];
    streamed(sizes, 400, 3).forEach((estimates, at) => {
      const { rms, bias } = errors(sizes[at] ?? 0, estimates);
      expect(rms).toBeLessThanOrEqual(0.025);
      expect(Math.abs(bias)).toBeLessThanOrEqual(0.004);
    });
  });

  test("has no bias, and an error within 2.5 %, far beyond all the customers there are", () => {
    for (const n of [1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11]) {
      const { rms, bias } = errors(n, sampled(n, 500, n));
      expect(rms).toBeLessThanOrEqual(0.025);
      expect(Math.abs(bias)).toBeLessThanOrEqual(0.004);
    }
  });
});
