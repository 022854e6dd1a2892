/**
 * Exact sums of non-negative integers that may pass 2^53, packed: two numbers of a `Float64Array` each, a part below 2^52 and how many times
 * 2^52 beside it. Adding costs what adding numbers costs, which `bigint` does not; up to 2^105 nothing is rounded.
 */
export const SUM_WIDTH = 2;
const LOW_BITS = 52n;
const LOW_END = 2 ** 52;

/** Adds an integer of 0…2^53−1 to the sum that stands at `at`. */
export function addToSum(numbers: Float64Array, at: number, amount: number): void {
  let low = numbers[at] as number;
  if (amount >= LOW_END) {
    // Both below 2^52 now, so that together they are exact.
    (numbers[at + 1] as number) += 1;
    low += amount - LOW_END;
  } else {
    low += amount;
  }
  if (low >= LOW_END) {
    (numbers[at + 1] as number) += 1;
    low -= LOW_END;
  }
  numbers[at] = low;
}

/** The sum that stands at `at`. */
export function sumAt(numbers: Float64Array, at: number): bigint {
  return (BigInt(numbers[at + 1] as number) << LOW_BITS) + BigInt(numbers[at] as number);
}

/** Puts a sum at `at`. */
export function setSum(numbers: Float64Array, at: number, sum: bigint): void {
  numbers[at] = Number(BigInt.asUintN(Number(LOW_BITS), sum));
  numbers[at + 1] = Number(sum >> LOW_BITS);
}
