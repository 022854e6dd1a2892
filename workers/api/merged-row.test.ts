import fc from "fast-check";
import { expect, test } from "vitest";
import { DIMENSIONS } from "../../shared/breakdown.ts";
import { bytesOf, countedEvents, reportOf } from "../../shared/report.arbitrary.ts";
import { EMPTY_REPORT, type Report } from "../../shared/report.ts";
import { toRow } from "../../shared/window-row.ts";
import { BeyondNumbers, mergedRow } from "./merged-row.ts";

const COLUMNS = [
  ...[
    "currency",
    "bucket",
    "revision",
    "version",
    "payments_count",
    "payments_amount",
    "refunds_count",
    "refunds_amount",
  ],
  ...["points_used", "points_earned", "amount_min", "amount_max", "amounts", "customers"],
  ...DIMENSIONS.map((dimension) => `by_${dimension}`),
];

/** As ClickHouse writes it: a list of the columns, a map, three lists a breakdown; sums as numbers or as text. */
function merged(report: Report, changed: Readonly<Record<string, unknown>> = {}): unknown[] {
  const stored = toRow({ merchantId: "shop", currency: "JPY", startMs: 0, revision: 7, report });
  const row: Readonly<Record<string, unknown>> = {
    ...stored,
    bucket: 600,
    version: "340282366920938463463",
    amounts: Object.fromEntries(report.amounts.bucket.map((bucket, at) => [bucket, report.amounts.count[at]])),
    customers: [...report.customers].reverse(),
    ...Object.fromEntries(
      DIMENSIONS.map((d) => [`by_${d}`, ["value", "count", "amount"].map((list) => stored[`by_${d}_${list}`])]),
    ),
    ...changed,
  };
  return COLUMNS.map((column) => row[column]);
}

test("a row that was merged by ClickHouse is the report it stands for", () => {
  fc.assert(
    fc.property(countedEvents(300), (events) => {
      const report = reportOf(events);
      const { report: read, ...rest } = mergedRow(merged(report));
      expect(rest).toEqual({ currency: "JPY", bucket: 600, revision: 7, version: 340282366920938463463n });
      expect(bytesOf(read)).toEqual(bytesOf(report));
    }),
  );
});

test("what is no such row is refused by the name of its column", () => {
  const wrong: readonly [column: string, value: unknown][] = [
    ["currency", 392],
    ["version", "-1"],
    ["payments_count", "1.5"],
    ["payments_count", 2 ** 53],
    ["points_used", undefined],
    ["amounts", { "99999": 1 }],
    ["amounts", { "12": "x" }],
    ["amounts", { "12": 2 ** 53 }],
    ["customers", "none"],
    ["by_gender", [["female"], [1], []]],
    ["by_gender", [["female"], [1], ["x"]]],
    ["by_gender", [["female"], [-1], ["1"]]],
    ["by_gender", [[1], [1], ["1"]]],
  ];
  for (const [column, value] of wrong) {
    expect(() => mergedRow(merged(EMPTY_REPORT, { [column]: value }))).toThrow(column);
  }
  expect(() => mergedRow(merged(EMPTY_REPORT, { customers: [64] }))).toThrow(RangeError);
  expect(() => mergedRow(null)).toThrow(RangeError);
  expect(() => mergedRow([])).toThrow(RangeError);
});

test("a sum that has lost digits on its way is not taken for one", () => {
  const sums = [["payments_amount", 2 ** 53] as const, ["by_gender", [["female"], [1], [2 ** 53]]] as const];
  for (const [column, value] of sums) {
    expect(() => mergedRow(merged(EMPTY_REPORT, { [column]: value }))).toThrow(BeyondNumbers);
  }
  const { report } = mergedRow(merged(EMPTY_REPORT, { payments_amount: "9007199254740993" }));
  expect(report.payments_amount).toBe(9_007_199_254_740_993n);
});
