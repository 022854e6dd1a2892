import fc from "fast-check";
import { expect, test } from "vitest";
import { DIMENSIONS } from "../../shared/breakdown.ts";
import { bytesOf, countedEvents, reportOf } from "../../shared/report.arbitrary.ts";
import { EMPTY_REPORT, type Report } from "../../shared/report.ts";
import { toRow } from "../../shared/window-row.ts";
import { mergedRow } from "./merged-row.ts";

const COLUMNS = [
  ...["currency", "bucket", "revision", "version", "payments_count", "refunds_count", "amount_min", "amount_max"],
  ...[
    "payments_amount",
    "refunds_amount",
    "points_used",
    "points_earned",
    "amount_bucket",
    "amount_bucket_count",
    "customers",
  ],
  ...DIMENSIONS.map((dimension) => `by_${dimension}`),
];

/** As ClickHouse writes it: a list of the columns, integers of 128 bits as text, three lists a breakdown. */
function merged(report: Report, changed: Readonly<Record<string, unknown>> = {}): unknown[] {
  const stored = toRow({ merchantId: "shop", currency: "JPY", startMs: 0, revision: 7, report });
  const row: Readonly<Record<string, unknown>> = {
    ...stored,
    bucket: 600,
    version: "340282366920938463463",
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
    ["points_used", 2 ** 53],
    ["customers", "none"],
    ["by_gender", [["female"], [1], []]],
    ["by_gender", [["female"], [1], ["x"]]],
    ["by_gender", [["female"], [-1], ["1"]]],
    ["by_gender", [[1], [1], ["1"]]],
  ];
  for (const [column, value] of wrong) {
    expect(() => mergedRow(merged(EMPTY_REPORT, { [column]: value }))).toThrow(column);
  }
  const amounts: readonly [buckets: unknown, counts: unknown][] = [
    [[99_999], [1]],
    [[12], ["x"]],
    [[12], [2 ** 53]],
    [
      [12, 12],
      [1, 1],
    ],
    [[12], []],
  ];
  for (const [amount_bucket, amount_bucket_count] of amounts) {
    expect(() => mergedRow(merged(EMPTY_REPORT, { amount_bucket, amount_bucket_count }))).toThrow("amounts");
  }
  expect(() => mergedRow(merged(EMPTY_REPORT, { customers: [64] }))).toThrow(RangeError);
  expect(() => mergedRow(null)).toThrow(RangeError);
  expect(() => mergedRow([])).toThrow(RangeError);
});
