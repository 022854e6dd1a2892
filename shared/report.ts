import { type AmountHistogram, addAmount, amountCounter, mergeAmounts } from "./amounts.ts";
import { type Breakdown, DIMENSIONS, type Dimension, EMPTY_BREAKDOWN, mergeBreakdowns } from "./breakdown.ts";
import { BreakdownCells } from "./breakdown-cells.ts";
import { CustomerCounter, type Customers, mergeCustomers } from "./customers.ts";
import type { EventBatch } from "./event-batch.ts";
import { LabelDictionary } from "./label-dictionary.ts";
import { addToSum, SUM_WIDTH, setSum, sumAt } from "./sum.ts";

/**
 * What is known of one merchant's payments in one currency, in a window or in any span of windows merged. Amounts are in
 * minor units; sums are `bigint`, because they may pass 2^53. `amount_min` and `amount_max` are of payments, 0 without any.
 */
export interface Report {
  readonly payments_count: number;
  readonly payments_amount: bigint;
  readonly refunds_count: number;
  readonly refunds_amount: bigint;
  readonly amount_min: number;
  readonly amount_max: number;
  readonly points_used: bigint;
  readonly points_earned: bigint;
  /** Amounts of payments. */
  readonly amounts: AmountHistogram;
  /** Payers, refunds included: somebody who only returned something was here too. */
  readonly customers: Customers;
  /** Payments by dimension. */
  readonly breakdowns: Readonly<Record<Dimension, Breakdown>>;
}

/** One event as it is counted: the time is the window's, the identity is settled. */
export interface CountedEvent {
  readonly type: "payment" | "refund";
  readonly amount: number;
  readonly points_used: number;
  readonly points_earned: number;
  /** Keyed 64-bit hash of the payer in two halves, when there is one. */
  readonly user?: { readonly lo: number; readonly hi: number } | undefined;
  /** The value of each dimension that is known, in the order of `DIMENSIONS`. */
  readonly dimensions: readonly (string | undefined)[];
}

export const EMPTY_REPORT: Report = {
  payments_count: 0,
  payments_amount: 0n,
  refunds_count: 0,
  refunds_amount: 0n,
  amount_min: 0,
  amount_max: 0,
  points_used: 0n,
  points_earned: 0n,
  amounts: { bucket: [], count: [] },
  customers: new Uint16Array(),
  breakdowns: byDimension(() => EMPTY_BREAKDOWN),
};

/** Commutative, associative, `EMPTY_REPORT` as identity: any order and grouping gives the same report. */
export function mergeReports(a: Report, b: Report): Report {
  return {
    payments_count: a.payments_count + b.payments_count,
    payments_amount: a.payments_amount + b.payments_amount,
    refunds_count: a.refunds_count + b.refunds_count,
    refunds_amount: a.refunds_amount + b.refunds_amount,
    amount_min:
      a.payments_count === 0 || b.payments_count === 0
        ? a.amount_min + b.amount_min
        : Math.min(a.amount_min, b.amount_min),
    amount_max: Math.max(a.amount_max, b.amount_max),
    points_used: a.points_used + b.points_used,
    points_earned: a.points_earned + b.points_earned,
    amounts: mergeAmounts(a.amounts, b.amounts),
    customers: mergeCustomers(a.customers, b.customers),
    breakdowns: byDimension((dimension) => mergeBreakdowns(a.breakdowns[dimension], b.breakdowns[dimension])),
  };
}

export function byDimension<T>(of: (dimension: Dimension, at: number) => T): Record<Dimension, T> {
  return Object.fromEntries(DIMENSIONS.map((dimension, at) => [dimension, of(dimension, at)])) as Record<Dimension, T>;
}

/** Where the numbers of a counter stand. */
const PAYMENTS = 0;
const REFUNDS = 1;
const SMALLEST = 2;
const LARGEST = 3;
const PAID = 4;
const REFUNDED = PAID + SUM_WIDTH;
const POINTS_USED = REFUNDED + SUM_WIDTH;
const POINTS_EARNED = POINTS_USED + SUM_WIDTH;
const NUMBERS = POINTS_EARNED + SUM_WIDTH;
/** As measured in V8: an entry of a growing array of numbers, and the objects of a counter without their contents. */
const ENTRY_BYTES = 12;
const OBJECTS_BYTES = 1_500;

/** The accumulating form: counts events one by one into what `report()` then says. Packed: a shard has thousands, and each is touched at random. */
export class ReportCounter {
  readonly #numbers = new Float64Array(NUMBERS);
  readonly #amounts;
  readonly #customers: CustomerCounter;
  readonly #breakdowns: BreakdownCells;

  constructor(from: Report = EMPTY_REPORT) {
    this.#numbers.set([from.payments_count, from.refunds_count, from.amount_min, from.amount_max]);
    setSum(this.#numbers, PAID, from.payments_amount);
    setSum(this.#numbers, REFUNDED, from.refunds_amount);
    setSum(this.#numbers, POINTS_USED, from.points_used);
    setSum(this.#numbers, POINTS_EARNED, from.points_earned);
    this.#amounts = amountCounter(from.amounts);
    this.#customers = new CustomerCounter(from.customers);
    this.#breakdowns = new BreakdownCells(DIMENSIONS.map((dimension) => from.breakdowns[dimension]));
  }

  /** In memory, more or less: what is packed, and what goes around it. */
  get byteLength(): number {
    const buckets = 2 * ENTRY_BYTES * this.#amounts.bucket.length;
    return OBJECTS_BYTES + buckets + this.#customers.byteLength + this.#breakdowns.byteLength;
  }

  add({ type, amount, points_used, points_earned, user, dimensions }: CountedEvent): void {
    this.#addPoints(points_used, points_earned);
    if (user !== undefined) this.#customers.add(user.lo, user.hi);
    if (type === "refund") {
      this.#addRefund(amount);
      return;
    }
    this.#addPayment(amount);
    const dictionary = LabelDictionary.current();
    this.#breakdowns.speak(dictionary);
    for (const [dimension, label] of dimensions.entries()) {
      if (label !== undefined) this.#breakdowns.add(dimension, dictionary.intern(label), amount, dictionary);
    }
  }

  /** The same of the `i`-th event of a batch, which need not be made an object for it. */
  addFrom(batch: EventBatch, i: number): void {
    const amount = batch.amount(i);
    this.#addPoints(batch.pointsUsed(i), batch.pointsEarned(i));
    if (batch.hasUser(i)) this.#customers.add(batch.userLo(i), batch.userHi(i));
    if (batch.isRefund(i)) {
      this.#addRefund(amount);
      return;
    }
    this.#addPayment(amount);
    const { dictionary } = batch;
    this.#breakdowns.speak(dictionary);
    for (let dimension = 0; dimension < DIMENSIONS.length; dimension++) {
      const label = batch.label(i, 1 + dimension);
      if (label > 0) this.#breakdowns.add(dimension, batch.numberOf(label), amount, dictionary);
    }
  }

  report(): Report {
    const numbers = this.#numbers;
    const breakdowns = this.#breakdowns.breakdowns();
    return {
      payments_count: numbers[PAYMENTS] as number,
      payments_amount: sumAt(numbers, PAID),
      refunds_count: numbers[REFUNDS] as number,
      refunds_amount: sumAt(numbers, REFUNDED),
      amount_min: numbers[SMALLEST] as number,
      amount_max: numbers[LARGEST] as number,
      points_used: sumAt(numbers, POINTS_USED),
      points_earned: sumAt(numbers, POINTS_EARNED),
      amounts: amountCounter(this.#amounts),
      customers: this.#customers.customers(),
      breakdowns: Object.fromEntries(breakdowns.map((breakdown, at) => [DIMENSIONS[at], breakdown])) as Record<
        Dimension,
        Breakdown
      >,
    };
  }

  #addPoints(used: number, earned: number): void {
    addToSum(this.#numbers, POINTS_USED, used);
    addToSum(this.#numbers, POINTS_EARNED, earned);
  }

  #addRefund(amount: number): void {
    (this.#numbers[REFUNDS] as number) += 1;
    addToSum(this.#numbers, REFUNDED, amount);
  }

  #addPayment(amount: number): void {
    const numbers = this.#numbers;
    const payments = numbers[PAYMENTS] as number;
    numbers[SMALLEST] = payments === 0 ? amount : Math.min(numbers[SMALLEST] as number, amount);
    numbers[LARGEST] = Math.max(numbers[LARGEST] as number, amount);
    numbers[PAYMENTS] = payments + 1;
    addToSum(numbers, PAID, amount);
    addAmount(this.#amounts, amount);
  }
}
