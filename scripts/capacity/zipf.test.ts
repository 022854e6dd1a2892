import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { activeMerchants, busyMerchants, largestShare, merchantLaw } from "./zipf.ts";

const MERCHANTS = 300_000;

/** The same, rank by rank. */
function summed(exponent: number, events: number): { norm: number; active: number } {
  let norm = 0;
  for (let rank = 1; rank <= MERCHANTS; rank++) norm += rank ** -exponent;
  let active = 0;
  for (let rank = 1; rank <= MERCHANTS; rank++) active += 1 - (1 - rank ** -exponent / norm) ** events;
  return { norm, active };
}

describe.each([0, 0.5, 1, 1.5])("with exponent %d", (exponent) => {
  test.each([1, 1_000, 1_000_000, 100_000_000])(
    "of %d events, as many merchants are active as summed one by one",
    (events) => {
      const law = merchantLaw(MERCHANTS, exponent);
      const { norm, active } = summed(exponent, events);
      expect(law.norm / norm).toBeCloseTo(1, 6);
      expect(activeMerchants(law, events) / active).toBeCloseTo(1, 5);
    },
  );
});

test("one event is of one merchant, one merchant has all events, none are of none", () => {
  expect(activeMerchants(merchantLaw(MERCHANTS, 1), 1)).toBeCloseTo(1, 6);
  expect(activeMerchants(merchantLaw(1, 1), 1_000)).toBe(1);
  expect(largestShare(merchantLaw(1, 1))).toBe(1);
  expect(activeMerchants(merchantLaw(MERCHANTS, 1), 0)).toBe(0);
});

test("more events reach more merchants, never more than there are of either", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e8 }),
      fc.double({ min: 0, max: 2, noNaN: true }),
      fc.nat(1e6),
      (size, s, events) => {
        const law = merchantLaw(size, s);
        const active = activeMerchants(law, events);
        expect(active).toBeLessThanOrEqual(Math.min(size, events) * (1 + 1e-6));
        expect(activeMerchants(law, events + 1)).toBeGreaterThanOrEqual(active * (1 - 1e-9));
      },
    ),
    { numRuns: 50 },
  );
});

test("merchants with more than some events: none short of the events for it, all alike by the Poisson law, more of more events", () => {
  expect(busyMerchants(merchantLaw(10, 0), 0, 16)).toBe(0);
  // P(more than one where two are expected) = 1 − 3 e^−2.
  expect(busyMerchants(merchantLaw(1_000, 0), 2_000, 1)).toBeCloseTo(1_000 * (1 - 3 * Math.exp(-2)), 6);
  // By the law of rank, as many as have 16 expected, give or take those near it.
  const law = merchantLaw(MERCHANTS, 1);
  expect(busyMerchants(law, 1e6, 16) / (1e6 / 16 / law.norm)).toBeCloseTo(1, 1);
  expect(busyMerchants(law, 1e9, 16)).toBeCloseTo(MERCHANTS, -1);
});
