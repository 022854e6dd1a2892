import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BREAKDOWN_VALUES_MAX, DIMENSIONS } from "./breakdown.ts";
import { estimateCustomers } from "./customers.ts";
import { LabelDictionary } from "./label-dictionary.ts";
import { bytesOf, countedEvents, eventOf, reportOf, reports } from "./report.arbitrary.ts";
import { type CountedEvent, EMPTY_REPORT, mergeReports, ReportCounter } from "./report.ts";
import { SIP_KEY_ZERO, sipHash } from "./siphash.ts";

/**
 * Whole reports are compared as a yes or no, and a failure is told as it was drawn, with its seed: to shrink it tries thousands of smaller reports. It is
 * shrunk by that seed without `endOnFailure`.
 */
const many = { numRuns: 30, endOnFailure: true };
const payment: CountedEvent = {
  type: "payment",
  amount: Number.MAX_SAFE_INTEGER,
  points_used: Number.MAX_SAFE_INTEGER,
  points_earned: Number.MAX_SAFE_INTEGER,
  dimensions: ["qr"],
};

describe("merging reports", () => {
  test("in either order gives the same bytes", () => {
    fc.assert(
      fc.property(reports, reports, (a, b) => bytesOf(mergeReports(a, b)) === bytesOf(mergeReports(b, a))),
      many,
    );
  });

  test("in either grouping gives the same bytes", () => {
    fc.assert(
      fc.property(
        ...[reports, reports, reports],
        (a, b, c) => bytesOf(mergeReports(mergeReports(a, b), c)) === bytesOf(mergeReports(a, mergeReports(b, c))),
      ),
      many,
    );
  });

  test("with an empty one changes nothing, and neither argument is changed", () => {
    fc.assert(
      fc.property(reports, reports, (a, b) => {
        const [ofA, ofB] = [bytesOf(a), bytesOf(b)];
        const isIdentity = [mergeReports(a, EMPTY_REPORT), mergeReports(EMPTY_REPORT, a)].every(
          (r) => bytesOf(r) === ofA,
        );
        mergeReports(a, b);
        return isIdentity && bytesOf(a) === ofA && bytesOf(b) === ofB;
      }),
      many,
    );
    expect(bytesOf(EMPTY_REPORT)).toBe(bytesOf(reportOf([])));
  });
});

describe("counting", () => {
  test("events into any windows, merged in any order, gives what one counter over all gives", () => {
    const spread = countedEvents(800).chain((events) =>
      fc.record({
        events: fc.constant(events),
        windows: fc.array(fc.nat(9), { minLength: events.length, maxLength: events.length }),
        order: fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 10 }),
      }),
    );
    fc.assert(
      fc.property(spread, ({ events, windows, order }) => {
        const parts = order.map((window) => reportOf(events.filter((_, at) => windows[at] === window)));
        return bytesOf(parts.reduce(mergeReports, EMPTY_REPORT)) === bytesOf(reportOf(events));
      }),
      many,
    );
  });

  test("goes on from a report as if it had never stopped, as a shard does after an eviction", () => {
    fc.assert(
      fc.property(countedEvents(500), countedEvents(500), (first, second) => {
        const resumed = new ReportCounter(reportOf(first));
        for (const event of second) resumed.add(event);
        return bytesOf(resumed.report()) === bytesOf(reportOf([...first, ...second]));
      }),
      many,
    );
  });

  test("a report that was given out does not change when the counter goes on", () => {
    const counter = new ReportCounter();
    for (let n = 0; n < 300; n++) counter.add(eventOf(n));
    const report = counter.report();
    const before = bytesOf(report);
    for (let n = 300; n < 600; n++) counter.add(eventOf(n));
    expect(bytesOf(report)).toBe(before);
    expect(bytesOf(EMPTY_REPORT)).toBe(bytesOf(reportOf([])));
  });

  test("goes on when labels are given other numbers, because there were so many of them", () => {
    fc.assert(
      fc.property(countedEvents(300), countedEvents(300), (first, second) => {
        const counter = new ReportCounter(reportOf(first));
        const before = LabelDictionary.current();
        for (let n = 0; LabelDictionary.current() === before; n++) before.intern(`${before.id} ${n}`);
        for (const event of second) counter.add(event);
        return bytesOf(counter.report()) === bytesOf(reportOf([...first, ...second]));
      }),
      { ...many, numRuns: 10 },
    );
  });

  test("says what adding up the events one by one says", () => {
    const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + BigInt(n), 0n);
    fc.assert(
      fc.property(countedEvents(50), (events) => {
        const payments = events.filter(({ type }) => type === "payment").map(({ amount }) => amount);
        const refunds = events.filter(({ type }) => type === "refund").map(({ amount }) => amount);
        expect(reportOf(events)).toMatchObject({
          payments_count: payments.length,
          payments_amount: sum(payments),
          refunds_count: refunds.length,
          refunds_amount: sum(refunds),
          amount_min: payments.length === 0 ? 0 : Math.min(...payments),
          amount_max: Math.max(0, ...payments),
          points_used: sum(events.map((event) => event.points_used)),
          points_earned: sum(events.map((event) => event.points_earned)),
        });
      }),
    );
  });
});

test("sums far beyond 2^53 and 2^64 are exact to the last unit", () => {
  const events = Array.from({ length: 5_000 }, () => payment);
  const expected = 5_000n * (2n ** 53n - 1n);
  expect(expected).toBeGreaterThan(2n ** 64n);
  const report = reportOf([...events, { ...payment, amount: 1, points_used: 1, points_earned: 1 }]);
  expect(report).toMatchObject({
    payments_amount: expected + 1n,
    points_used: expected + 1n,
    points_earned: expected + 1n,
  });
  expect(report.breakdowns.payment_method.values.get("qr")).toEqual({ count: 5_001, amount: expected + 1n });
  expect(mergeReports(report, report).payments_amount).toBe(2n * (expected + 1n));
});

test("a refund counts as a refund and its payer as a customer; amounts and breakdowns are of payments", () => {
  const refund = { ...payment, type: "refund", amount: 500, user: { lo: 1, hi: 2 } } as const;
  const report = reportOf([refund]);
  expect(report).toMatchObject({ payments_count: 0, refunds_count: 1, refunds_amount: 500n, amount_max: 0 });
  expect(estimateCustomers(report.customers)).toBe(1);
  expect(report.amounts.bucket).toEqual([]);
  expect(DIMENSIONS.every((dimension) => report.breakdowns[dimension].values.size === 0)).toBe(true);
});

test("the smallest payment of merged windows is not the zero of one that had none", () => {
  const one = reportOf([{ ...payment, amount: 700 }]);
  const refundOnly = reportOf([{ ...payment, type: "refund", amount: 1 }]);
  expect(mergeReports(one, refundOnly).amount_min).toBe(700);
  expect(mergeReports(refundOnly, one).amount_min).toBe(700);
  expect(mergeReports(one, reportOf([{ ...payment, amount: 0 }])).amount_min).toBe(0);
});

describe("a breakdown of more values than are kept", () => {
  const rank = (value: string) => {
    const { lo, hi } = sipHash(SIP_KEY_ZERO, value, { lo: 0, hi: 0 });
    return (BigInt(hi) << 32n) | BigInt(lo);
  };
  const byRank = (a: string, b: string) => (rank(a) < rank(b) ? -1 : 1);

  test("names the 128 of smallest hash and loses no payment of the others", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(5_000), { minLength: 129, maxLength: 400, size: "max" }), (numbers) => {
        const values = numbers.map((n) => `value-${n}`);
        const { values: kept, other } = reportOf(
          values.map((value, at) => ({ ...payment, amount: at, dimensions: [value] })),
        ).breakdowns.payment_method;
        const expected = [...values].sort(byRank).slice(0, BREAKDOWN_VALUES_MAX);
        const amount = [...kept.values()].reduce((sum, cell) => sum + cell.amount, other.amount);
        return (
          String([...kept.keys()].sort(byRank)) === String(expected) &&
          other.count === values.length - BREAKDOWN_VALUES_MAX &&
          amount === BigInt((values.length * (values.length - 1)) / 2)
        );
      }),
      many,
    );
  });

  test("a payment whose dimension is unknown is neither named nor other", () => {
    const { values, other } = reportOf([{ ...payment, dimensions: [undefined] }]).breakdowns.payment_method;
    expect([values.size, other.count]).toEqual([0, 0]);
  });
});
