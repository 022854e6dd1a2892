import { type AmountHistogram, addAmount, amountCounter, mergeAmounts } from "./amounts.ts";
import {
  type Breakdown,
  BreakdownCounter,
  DIMENSIONS,
  type Dimension,
  EMPTY_BREAKDOWN,
  mergeBreakdowns,
} from "./breakdown.ts";
import { CustomerCounter, type Customers, mergeCustomers } from "./customers.ts";
import type { EventBatch } from "./event-batch.ts";
import { Sum } from "./sum.ts";

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

export function byDimension<T>(of: (dimension: Dimension) => T): Record<Dimension, T> {
  return Object.fromEntries(DIMENSIONS.map((dimension) => [dimension, of(dimension)])) as Record<Dimension, T>;
}

/** The accumulating form: counts events one by one into what `report()` then says. */
export class ReportCounter {
  #paymentsCount: number;
  readonly #paymentsAmount: Sum;
  #refundsCount: number;
  readonly #refundsAmount: Sum;
  #amountMin: number;
  #amountMax: number;
  readonly #pointsUsed: Sum;
  readonly #pointsEarned: Sum;
  readonly #amounts;
  readonly #customers: CustomerCounter;
  readonly #breakdowns: readonly BreakdownCounter[];

  constructor(from: Report = EMPTY_REPORT) {
    this.#paymentsCount = from.payments_count;
    this.#paymentsAmount = new Sum(from.payments_amount);
    this.#refundsCount = from.refunds_count;
    this.#refundsAmount = new Sum(from.refunds_amount);
    this.#amountMin = from.amount_min;
    this.#amountMax = from.amount_max;
    this.#pointsUsed = new Sum(from.points_used);
    this.#pointsEarned = new Sum(from.points_earned);
    this.#amounts = amountCounter(from.amounts);
    this.#customers = new CustomerCounter(from.customers);
    this.#breakdowns = DIMENSIONS.map((dimension) => new BreakdownCounter(from.breakdowns[dimension]));
  }

  add({ type, amount, points_used, points_earned, user, dimensions }: CountedEvent): void {
    this.#addPoints(points_used, points_earned);
    if (user !== undefined) this.#customers.add(user.lo, user.hi);
    if (type === "refund") {
      this.#addRefund(amount);
      return;
    }
    this.#addPayment(amount);
    for (let at = 0; at < this.#breakdowns.length; at++) {
      const value = dimensions[at];
      if (value !== undefined) this.#breakdowns[at]?.add(value, amount);
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
    for (let at = 0; at < this.#breakdowns.length; at++) {
      const value = batch.labelText(batch.label(i, 1 + at));
      if (value !== undefined) this.#breakdowns[at]?.add(value, amount);
    }
  }

  report(): Report {
    return {
      payments_count: this.#paymentsCount,
      payments_amount: this.#paymentsAmount.total(),
      refunds_count: this.#refundsCount,
      refunds_amount: this.#refundsAmount.total(),
      amount_min: this.#amountMin,
      amount_max: this.#amountMax,
      points_used: this.#pointsUsed.total(),
      points_earned: this.#pointsEarned.total(),
      amounts: amountCounter(this.#amounts),
      customers: this.#customers.customers(),
      breakdowns: Object.fromEntries(
        this.#breakdowns.map((counter, at) => [DIMENSIONS[at], counter.breakdown()]),
      ) as Record<Dimension, Breakdown>,
    };
  }

  #addPoints(used: number, earned: number): void {
    this.#pointsUsed.add(used);
    this.#pointsEarned.add(earned);
  }

  #addRefund(amount: number): void {
    this.#refundsCount += 1;
    this.#refundsAmount.add(amount);
  }

  #addPayment(amount: number): void {
    this.#amountMin = this.#paymentsCount === 0 ? amount : Math.min(this.#amountMin, amount);
    this.#amountMax = Math.max(this.#amountMax, amount);
    this.#paymentsCount += 1;
    this.#paymentsAmount.add(amount);
    addAmount(this.#amounts, amount);
  }
}
