import fc from "fast-check";
import { expect, test } from "vitest";
import { addToSum, SUM_WIDTH, setSum, sumAt } from "./sum.ts";

const amounts = fc.oneof(
  fc.maxSafeNat(),
  fc.constantFrom(0, 1, 2 ** 52 - 1, 2 ** 52, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER),
);
const sums = fc.bigInt({ min: 0n, max: 2n ** 105n - 2n ** 53n * 100n });

test("a sum goes on exactly from any other, to the last unit, and leaves its neighbours alone", () => {
  fc.assert(
    fc.property(sums, fc.array(amounts, { maxLength: 100 }), (from, added) => {
      const numbers = new Float64Array(3 * SUM_WIDTH).fill(7);
      setSum(numbers, SUM_WIDTH, from);
      expect(sumAt(numbers, SUM_WIDTH)).toBe(from);
      for (const amount of added) addToSum(numbers, SUM_WIDTH, amount);
      expect(sumAt(numbers, SUM_WIDTH)).toBe(added.reduce((sum, amount) => sum + BigInt(amount), from));
      expect([...numbers.subarray(0, 2), ...numbers.subarray(4)]).toEqual([7, 7, 7, 7]);
    }),
  );
});
