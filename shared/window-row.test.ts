import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ZodError } from "zod";
import { AMOUNT_BUCKETS } from "./amounts.ts";
import { DIMENSIONS } from "./breakdown.ts";
import { bytesOf, eventOf, reportOf, reports, windowOf } from "./report.arbitrary.ts";
import { mergeReports, type Report } from "./report.ts";
import {
  fromRow,
  reportColumnsSchema,
  reportFromColumns,
  toRow,
  type WindowRow,
  windowRowSchema,
} from "./window-row.ts";

/** As it was drawn: to shrink whole reports takes minutes (shared/report.test.ts). */
const many = { numRuns: 40, endOnFailure: true };
const fewEvents = Array.from({ length: 40 }, (_, n) => eventOf(n));
const row = toRow(windowOf(reportOf(fewEvents)));
const list = (column: string) => row[column] as readonly (string | number)[];
const swapped = ([a, b, ...rest]: readonly (string | number)[]) => [b ?? 0, a ?? 0, ...rest];

describe("a row", () => {
  test("gives back the window it was made of, and the same bytes again", () => {
    fc.assert(
      fc.property(reports, fc.maxSafeNat(), (report, revision) => {
        const window = { ...windowOf(report), revision };
        const text = JSON.stringify(toRow(window));
        const read = fromRow(JSON.parse(text));
        expect(read).toEqual(window);
        return JSON.stringify(toRow(read)) === text;
      }),
      many,
    );
  });

  test("may have its counts and times as decimal strings, as ClickHouse writes 64 bits", () => {
    const quoted = Object.fromEntries(
      Object.entries(row).map(([key, value]) => [key, typeof value === "number" ? String(value) : value]),
    );
    expect(fromRow(quoted)).toEqual(fromRow(row));
  });

  test.each<[string, WindowRow]>([
    [
      "counts of amounts for fewer buckets than there are",
      { amount_bucket_count: list("amount_bucket_count").slice(1) },
    ],
    ["a bucket that no amount has", { amount_bucket: [...list("amount_bucket").slice(0, -1), AMOUNT_BUCKETS] }],
    ["buckets out of order", { amount_bucket: swapped(list("amount_bucket")) }],
    [
      "a bucket twice",
      { amount_bucket: list("amount_bucket").map((n, at) => (at === 1 ? (list("amount_bucket")[0] ?? n) : n)) },
    ],
    [
      "an empty bucket",
      {
        amount_bucket: [...list("amount_bucket"), AMOUNT_BUCKETS - 1],
        amount_bucket_count: [...list("amount_bucket_count"), 0],
      },
    ],
    ["amounts of fewer payments than there are", { payments_count: Number(row.payments_count) + 1 }],
    ["a customer of rank 0", { customers: [32, ...list("customers").filter((value) => Number(value) > 64)] }],
    ["customers out of order", { customers: swapped(list("customers")) }],
    ["two ranks of one register", { customers: [33, 34] }],
    ["a customer beyond 16 bits", { customers: [65_537] }],
    ["values without counts", { by_payment_method_count: [] }],
    ["values without amounts", { by_payment_method_amount: list("by_payment_method_amount").slice(1) }],
    ["a value without payments", { by_gender_value: ["x"], by_gender_count: [0], by_gender_amount: ["0"] }],
    ["values out of order", { by_payment_method_value: swapped(list("by_payment_method_value")) }],
    [
      "more of a value than there are payments",
      { by_gender_value: ["x"], by_gender_count: [41], by_gender_amount: ["0"] },
    ],
    ["a negative sum", { payments_amount: "-1" }],
    ["a sum that is no integer", { payments_amount: "1e3" }],
    ["a count beyond 2^53", { revision: "9999999999999999" }],
    ["a start that is no window's", { window_start: Number(row.window_start) + 1 }],
    ["a number in place of a text", { currency: 7 }],
  ])("with %s is refused", (_, wrong) => {
    expect(windowRowSchema.safeParse(row).success).toBe(true);
    expect(windowRowSchema.safeParse({ ...row, ...wrong }).success).toBe(false);
  });

  test("with more values than are kept is refused, with as many and `other` it is not", () => {
    const values = Array.from({ length: 130 }, (_, n) => String(1_000 + n));
    const of = (names: string[]) => ({
      ...row,
      ...{ payments_count: 200, amount_bucket: [1], amount_bucket_count: [200] },
      ...{ by_gender_value: names, by_gender_count: names.map(() => 1), by_gender_amount: names.map(() => "1") },
    });
    expect(windowRowSchema.safeParse(of(["", ...values.slice(0, 128)])).success).toBe(true);
    expect(windowRowSchema.safeParse(of(values.slice(0, 129))).success).toBe(false);
  });

  test("without any one of its columns, or with a null in it, is refused and never throws", () => {
    for (const column of Object.keys(row)) {
      const { [column]: _, ...rest } = row;
      expect(windowRowSchema.safeParse(rest).success).toBe(false);
      expect(windowRowSchema.safeParse({ ...row, [column]: null }).success).toBe(false);
    }
  });

  test("with anything in any column is read or refused, never a crash", () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(row)), fc.anything(), (column, value) => {
        const wrong = { ...row, [column]: value };
        if (windowRowSchema.safeParse(wrong).success) expect(() => fromRow(wrong)).not.toThrow();
        else expect(() => fromRow(wrong)).toThrow(ZodError);
      }),
      { numRuns: 500 },
    );
  });
});

/** As ClickHouse does it: sums as strings, keys in order, the packed customers of both without order. */
function mergedBySql(a: Report, b: Report): Record<string, unknown> {
  const [x, y] = [toRow(windowOf(a)), toRow(windowOf(b))];
  const both = (column: string) => [...(x[column] as (string | number)[]), ...(y[column] as (string | number)[])];
  const sumMap = (key: string, column: string) => {
    const sums = new Map<string | number, bigint>();
    const addends = both(column);
    both(key).forEach((k, at) => {
      sums.set(k, (sums.get(k) ?? 0n) + BigInt(addends[at] ?? 0));
    });
    return [...sums].sort(([k], [l]) => (k < l ? -1 : 1)).map(([k, sum]) => [k, String(sum)] as const);
  };
  const map = (key: string, ...columns: string[]) =>
    Object.fromEntries([
      [key, sumMap(key, columns[0] ?? "").map(([k]) => k)],
      ...columns.map((column) => [column, sumMap(key, column).map(([, sum]) => sum)]),
    ]);
  const sums = ["payments_count", "payments_amount", "refunds_count", "refunds_amount", "points_used", "points_earned"];
  const minima = [a, b].filter((report) => report.payments_count > 0).map((report) => report.amount_min);
  return {
    ...Object.fromEntries(
      sums.map((column) => [column, String(BigInt(x[column] as string) + BigInt(y[column] as string))]),
    ),
    amount_min: String(minima.length === 0 ? 0 : Math.min(...minima)),
    amount_max: String(Math.max(a.amount_max, b.amount_max)),
    ...map("amount_bucket", "amount_bucket_count"),
    customers: [...new Set(both("customers"))].reverse(),
    ...Object.assign({}, ...DIMENSIONS.map((d) => map(`by_${d}_value`, `by_${d}_count`, `by_${d}_amount`))),
  };
}

describe("columns that SQL merged", () => {
  test("are the report that merging gives, though their customers come in any order and their values are more than are kept", () => {
    fc.assert(
      fc.property(reports, reports, (a, b) => {
        const report = reportFromColumns(reportColumnsSchema.parse(mergedBySql(a, b)));
        return bytesOf(report) === bytesOf(mergeReports(a, b));
      }),
      many,
    );
  });

  test("are refused with a customer of rank 0 or a bucket that no amount has", () => {
    const columns = mergedBySql(reportOf(fewEvents), reportOf([]));
    expect(reportColumnsSchema.safeParse(columns).success).toBe(true);
    expect(reportColumnsSchema.safeParse({ ...columns, customers: [64] }).success).toBe(false);
    expect(reportColumnsSchema.safeParse({ ...columns, amount_bucket: [AMOUNT_BUCKETS] }).success).toBe(false);
  });
});
