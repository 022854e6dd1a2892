/**
 * Distinct customers as a HyperLogLog of 2^11 registers, kept sparse.
 *
 * One value is `index * 32 + rank`, 16 bits: register 0…2047 and rank 1…31. The canonical form, also on the wire, is a
 * `Uint16Array` of such values, ascending, at most one per register; empty registers are absent, so nobody is `[]`.
 */
export type Customers = Uint16Array;

const REGISTERS = 2048;
const RANK_BITS = 5;
const RANK_MAX = 31;
const VALUES_INITIAL = 4;
/** Stands for "past the last value": above every value, of no register. */
const NOT_A_VALUE = REGISTERS << RANK_BITS;

/**
 * The packed value of one customer, from a uniform 64-bit hash in uint32 halves: the register is the low 11 bits, the rank is one more
 * than the leading zeros of the high half, at most 31. The halves do not overlap, so register and rank are independent.
 */
export function customerValue(hashLo: number, hashHi: number): number {
  const rank = Math.min(Math.clz32(hashHi) + 1, RANK_MAX);
  return ((hashLo & (REGISTERS - 1)) << RANK_BITS) | rank;
}

/** The accumulating form: the canonical values with room to grow, 8 bytes for a few customers and 4 KB for any number of them. */
export class CustomerCounter {
  #values: Uint16Array;
  #size: number;

  /** Starts from `customers` (canonical, copied), or from nobody. */
  constructor(customers?: Customers) {
    this.#values = customers?.length ? customers.slice() : new Uint16Array(VALUES_INITIAL);
    this.#size = customers?.length ?? 0;
  }

  get byteLength(): number {
    return this.#values.byteLength;
  }

  /** Counts the customer with this hash (uniform, uint32 halves); returns whether that changed anything. */
  add(hashLo: number, hashHi: number): boolean {
    const value = customerValue(hashLo, hashHi);
    const at = this.#placeOf(value);
    const present = at < this.#size ? this.#valueAt(at) : NOT_A_VALUE;
    if (present >= value && registerOf(present) === registerOf(value)) return false;
    if (registerOf(present) === registerOf(value)) {
      this.#values[at] = value;
      return true;
    }
    if (this.#size === this.#values.length) this.#grow();
    this.#values.copyWithin(at + 1, at, this.#size);
    this.#values[at] = value;
    this.#size++;
    return true;
  }

  /** A copy in canonical form. */
  customers(): Customers {
    return this.#values.slice(0, this.#size);
  }

  /**
   * Position of the first value whose register is not below that of `value`. At most the registers that are absent can be missing
   * before it, so the search narrows as the counter fills and ends at once when it is full.
   */
  #placeOf(value: number): number {
    const lowest = value & ~RANK_MAX;
    let from = Math.max(0, registerOf(value) - (REGISTERS - this.#size));
    let to = Math.min(registerOf(value), this.#size);
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#valueAt(middle) < lowest) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #valueAt(at: number): number {
    return this.#values[at] as number;
  }

  #grow(): void {
    const larger = new Uint16Array(Math.min(2 * this.#values.length, REGISTERS));
    larger.set(this.#values);
    this.#values = larger;
  }
}

/**
 * The customers of both: the higher rank of each register. Commutative, associative and idempotent, with `[]` as identity,
 * and the same bytes in whatever order and grouping. Both arguments canonical; neither is changed.
 */
export function mergeCustomers(a: Customers, b: Customers): Customers {
  const merged = new Uint16Array(Math.min(a.length + b.length, REGISTERS));
  let size = 0;
  let atA = 0;
  let atB = 0;
  while (atA < a.length || atB < b.length) {
    const valueA = a[atA] ?? NOT_A_VALUE;
    const valueB = b[atB] ?? NOT_A_VALUE;
    const order = registerOf(valueA) - registerOf(valueB);
    merged[size++] = order === 0 ? Math.max(valueA, valueB) : Math.min(valueA, valueB);
    if (order <= 0) atA++;
    if (order >= 0) atB++;
  }
  return merged.slice(0, size);
}

/**
 * Canonical form of a bag of packed values in any order, with repeats and several ranks of one register: what ClickHouse's
 * `groupUniqArrayArray` returns. Throws a `RangeError` if one is not a packed value.
 */
export function normalizeCustomers(values: readonly number[]): Customers {
  const sorted = new Uint16Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (!isCustomerValue(value)) throw new RangeError(`not a packed customer value: ${value}`);
    sorted[at] = value;
  }
  sorted.sort();
  let size = 0;
  for (let at = 0; at < sorted.length; at++) {
    const value = sorted[at] as number;
    if (registerOf(value) !== registerOf(sorted[at + 1] ?? NOT_A_VALUE)) sorted[size++] = value;
  }
  return size === sorted.length ? sorted : sorted.slice(0, size);
}

/** Reads the wire form, an array of numbers; `null` unless it is canonical (packed values, ascending, one per register). */
export function parseCustomers(input: unknown): Customers | null {
  if (!Array.isArray(input)) return null;
  let previousRegister = -1;
  for (const value of input) {
    if (!isCustomerValue(value) || registerOf(value) <= previousRegister) return null;
    previousRegister = registerOf(value);
  }
  return Uint16Array.from(input);
}

/**
 * How many customers, as an integer: standard error 2.3 % (1.04 / √2048) at any size to 10^8 and beyond, much less when few; no bias
 * at the change from few to many, because there is no such change. Only exact IEEE operations: the same on every engine.
 * Source: Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", arXiv:1702.01284, 2017, algorithm 6
 * (improved raw estimator) with m = 2048 and q = 30.
 */
export function estimateCustomers(customers: Customers): number {
  if (customers.length === 0) return 0;
  const registersByRank = new Uint16Array(RANK_MAX + 1);
  registersByRank[0] = REGISTERS - customers.length;
  for (const value of customers) {
    const rank = value & RANK_MAX;
    registersByRank[rank] = countAt(registersByRank, rank) + 1;
  }
  let z = REGISTERS * tau(1 - countAt(registersByRank, RANK_MAX) / REGISTERS);
  for (let rank = RANK_MAX - 1; rank >= 1; rank--) z = 0.5 * (z + countAt(registersByRank, rank));
  z += REGISTERS * sigma(countAt(registersByRank, 0) / REGISTERS);
  // With every register at the cap z is 0: beyond 2^41 customers, more than there are people.
  return Math.min(Math.round((REGISTERS * REGISTERS) / (2 * Math.LN2 * z)), Number.MAX_SAFE_INTEGER);
}

/** x + Σ x^(2^k) 2^(k-1), k ≥ 1: corrects for empty registers. For 0 ≤ x < 1. */
function sigma(x: number): number {
  let power = x;
  let weight = 1;
  let sum = x;
  for (let previous = -1; sum !== previous; ) {
    previous = sum;
    power *= power;
    sum += power * weight;
    weight += weight;
  }
  return sum;
}

/** (1 - x - Σ (1 - x^(2^-k))^2 2^-k) / 3, k ≥ 1: corrects for registers at the cap. For 0 ≤ x ≤ 1. */
function tau(x: number): number {
  if (x === 0 || x === 1) return 0;
  let root = x;
  let weight = 1;
  let sum = 1 - x;
  for (let previous = -1; sum !== previous; ) {
    previous = sum;
    root = Math.sqrt(root);
    weight *= 0.5;
    sum -= (1 - root) * (1 - root) * weight;
  }
  return sum / 3;
}

/** A register with a rank: what a set of customers is made of. */
export function isCustomerValue(value: unknown): value is number {
  return (
    typeof value === "number" && Number.isInteger(value) && value >= 0 && value < NOT_A_VALUE && (value & RANK_MAX) > 0
  );
}

function registerOf(value: number): number {
  return value >>> RANK_BITS;
}

function countAt(counts: Uint16Array, rank: number): number {
  return counts[rank] as number;
}
