/** Amounts up to here are added as numbers, since two of them still make an exact one. */
const LOW_MAX = 2 ** 52;

/**
 * An exact sum of non-negative integers that may pass 2^53: a number for as long as it is exact, the rest as `bigint`. Adding a number
 * costs what adding a number costs, which `bigint` alone does not.
 */
export class Sum {
  #low = 0;
  #high: bigint;

  constructor(from = 0n) {
    this.#high = from;
  }

  /** Adds an integer of 0…2^53−1. */
  add(amount: number): void {
    if (amount > LOW_MAX) {
      this.#high += BigInt(amount);
      return;
    }
    this.#low += amount;
    if (this.#low > LOW_MAX) {
      this.#high += BigInt(this.#low);
      this.#low = 0;
    }
  }

  addAll(amount: bigint): void {
    this.#high += amount;
  }

  total(): bigint {
    return this.#high + BigInt(this.#low);
  }
}
