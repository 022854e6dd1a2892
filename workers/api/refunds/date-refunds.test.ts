import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EMPTY_REPORT } from "../../../shared/report.ts";
import { HOUR_MS, WINDOW_MS } from "../../../shared/window.ts";
import { dateRefunds, disjoint, type Refund, unreadRefunds, withSaleRefunds } from "./date-refunds.ts";

const refund = (over: Partial<Refund>): Refund => ({
  ...{ currency: "JPY", amount: 100, refund_of: "sale", occurred_at: 5 * HOUR_MS, received_at: 5 * HOUR_MS + 1 },
  ...over,
});
const sale = (event_id: string, occurred_at: number, received_at = occurred_at) => ({
  ...{ event_id, occurred_at, received_at },
});
const reportWith = (refunds_count: number, refunds_amount: bigint) => ({
  ...EMPTY_REPORT,
  ...{ payments_count: 2, payments_amount: 700n, refunds_count, refunds_amount },
});

describe("dateRefunds", () => {
  test("each refund of a sale stands at its moment, several of one as well, in the refund's currency", () => {
    const { dated } = dateRefunds(
      [refund({ amount: 1 }), refund({ amount: 2 }), refund({ amount: 3, currency: "USD" })],
      [sale("sale", 7), sale("other", 8)],
    );
    expect(dated.map(({ currency, amount, saleMs }) => [currency, amount, saleMs])).toEqual([
      ["JPY", 1, 7],
      ["JPY", 2, 7],
      ["USD", 3, 7],
    ]);
  });

  test("of an id that was counted twice, the payment received first is the sale", () => {
    const { dated } = dateRefunds([refund({})], [sale("sale", 9, 20), sale("sale", 50, 10)]);
    expect(dated.map(({ saleMs }) => saleMs)).toEqual([50]);
  });

  test("whatever is read is dated, of another sale, or without one: nothing is dropped", () => {
    const refunds = fc.array(
      fc.record({
        currency: fc.constantFrom("JPY", "USD"),
        amount: fc.maxSafeNat(),
        refund_of: fc.constantFrom("", "a", "b", "c"),
        ...{ occurred_at: fc.nat(), received_at: fc.nat() },
      }),
    );
    fc.assert(
      fc.property(refunds, fc.subarray(["a", "b"]), (refunds, known) => {
        const { dated, undated, read } = dateRefunds(
          refunds,
          known.map((id) => sale(id, 1)),
        );
        for (const currency of ["JPY", "USD"]) {
          const own = refunds.filter((one) => one.currency === currency);
          const parts = [
            ...dated
              .filter((one) => one.currency === currency)
              .map(({ amount }) => ({ count: 1, amount: BigInt(amount) })),
            ...Object.values(undated.get(currency) ?? {}),
          ];
          const whole = {
            count: parts.reduce((sum, { count }) => sum + count, 0),
            amount: parts.reduce((sum, { amount }) => sum + amount, 0n),
          };
          expect(whole).toEqual(read.get(currency) ?? { count: 0, amount: 0n });
          expect(whole).toEqual({
            count: own.length,
            amount: own.reduce((sum, { amount }) => sum + BigInt(amount), 0n),
          });
        }
      }),
    );
  });
});

describe("withSaleRefunds", () => {
  const bounds = [0, HOUR_MS];
  const span = { fromMs: 0, toMs: 2 * HOUR_MS };
  const reports = new Map([
    ["JPY", new Map([[HOUR_MS, { report: reportWith(4, 900n), revision: HOUR_MS + WINDOW_MS }]])],
  ]);

  test("refunds made meanwhile give way to those of the sales, and nothing else changes", () => {
    const { dated } = dateRefunds([refund({}), refund({})], [sale("sale", HOUR_MS + 5)]);
    const bucket = withSaleRefunds(reports, bounds, span, dated).get("JPY")?.get(HOUR_MS);
    expect(bucket).toEqual({ report: reportWith(2, 200n), revision: 5 * HOUR_MS + 1 });
    expect(withSaleRefunds(reports, bounds, span, []).get("JPY")?.get(HOUR_MS)?.report).toEqual(reportWith(0, 0n));
  });

  test("a bucket, and a currency, that had nothing has the refund", () => {
    const { dated } = dateRefunds([refund({ currency: "USD" })], [sale("sale", 5)]);
    const bucket = withSaleRefunds(reports, bounds, span, dated).get("USD")?.get(0);
    expect(bucket?.report).toEqual({ ...EMPTY_REPORT, refunds_count: 1, refunds_amount: 100n });
  });

  test("sales before and after the span are in none of its buckets", () => {
    const { dated } = dateRefunds(
      [refund({ refund_of: "before" }), refund({ refund_of: "after" })],
      [sale("before", HOUR_MS - 1), sale("after", 2 * HOUR_MS)],
    );
    const within = withSaleRefunds(reports, [HOUR_MS], { fromMs: HOUR_MS, toMs: 2 * HOUR_MS }, dated);
    expect(within.get("JPY")?.get(HOUR_MS)?.report).toEqual(reportWith(0, 0n));
  });
});

test("what is counted and was not read is said by currency, and never less than nothing", () => {
  const counted = new Map([
    ["JPY", new Map([0, HOUR_MS].map((ms) => [ms, { report: reportWith(2, 300n), revision: 1 }]))],
    ["USD", new Map([[0, { report: reportWith(1, 5n), revision: 1 }]])],
  ]);
  const read = new Map([
    ["JPY", { count: 3, amount: 500n }],
    ["USD", { count: 2, amount: 7n }],
  ]);
  expect(unreadRefunds(counted, read)).toEqual(new Map([["JPY", { count: 1, amount: 100n }]]));
});

test("spans that overlap or meet are one", () => {
  const span = (fromMs: number, toMs: number) => ({ fromMs, toMs });
  expect(disjoint([span(5, 9), span(0, 2), span(2, 3), span(6, 7)])).toEqual([span(0, 3), span(5, 9)]);
});
