import { estimateCustomers } from "../../shared/customers.ts";
import type { Report } from "../../shared/report.ts";
import { keyOf, type Sent } from "./traffic.ts";

/** A merchant's window in one currency, as it was served or as history keeps it. */
export interface ReportedWindow {
  readonly merchantId: string;
  readonly currency: string;
  readonly startMs: number;
  readonly revision: number;
  readonly report: Report;
}

/**
 * The events a window's report counts: payments by their methods, refunds by the powers of two their sum is made of. Throws when it counts
 * one twice, counts what was not sent for it, or its numbers are not those of its events.
 */
export function eventsCounted(window: ReportedWindow, sentOf: (key: string) => readonly Sent[]): Sent[] {
  const { merchantId, currency, startMs, report } = window;
  const key = keyOf(merchantId, currency, startMs);
  const sent = sentOf(key);
  const counted: Sent[] = [];
  for (const [method, { count, amount }] of report.breakdowns.payment_method.values) {
    const event = sent.find(({ token }) => token === method);
    if (event === undefined) throw new Error(`${key} counts ${method}, which was not sent for it`);
    if (count !== 1) throw new Error(`${key} counts ${method} ${count} times`);
    if (amount !== BigInt(event.body.amount)) throw new Error(`${key} counts ${method} as ${amount}`);
    counted.push(event);
  }
  for (const event of sent) {
    const isIn = event.body.type === "refund" && (report.refunds_amount & BigInt(event.body.amount)) !== 0n;
    if (isIn) counted.push(event);
  }
  const [should, is] = [totalsOf(counted), totalsReported(report)];
  if (should !== is) throw new Error(`${key} should be ${should} for its events, is ${is}`);
  return counted;
}

/** What of a report can be told from the events without sketches; customers are few enough for the sketch to be exact. */
function totalsOf(events: readonly Sent[]): string {
  const bodies = events.map(({ body }) => body);
  const payments = bodies.filter(({ type }) => type === "payment");
  const refunds = bodies.filter(({ type }) => type === "refund");
  const amounts = payments.map(({ amount }) => amount);
  return [
    payments.length,
    sum(amounts),
    refunds.length,
    sum(refunds.map(({ amount }) => amount)),
    amounts.length === 0 ? 0 : Math.min(...amounts),
    amounts.length === 0 ? 0 : Math.max(...amounts),
    sum(bodies.map(({ points_used }) => points_used)),
    sum(bodies.map(({ points_earned }) => points_earned)),
    new Set(bodies.flatMap(({ user }) => (user === undefined ? [] : [user.id]))).size,
  ].join("/");
}

function totalsReported(report: Report): string {
  return [
    report.payments_count,
    report.payments_amount,
    report.refunds_count,
    report.refunds_amount,
    report.amount_min,
    report.amount_max,
    report.points_used,
    report.points_earned,
    estimateCustomers(report.customers),
  ].join("/");
}

function sum(numbers: readonly number[]): bigint {
  return numbers.reduce((total, number) => total + BigInt(number), 0n);
}
