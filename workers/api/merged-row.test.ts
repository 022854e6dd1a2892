import fc from "fast-check";
import { expect, test } from "vitest";
import { DIMENSIONS } from "../../shared/breakdown.ts";
import { bytesOf, countedEvents, reportOf } from "../../shared/report.arbitrary.ts";
import type { Report } from "../../shared/report.ts";
import { toRow } from "../../shared/window-row.ts";
import { mergedRow } from "./merged-row.ts";

/** As ClickHouse writes it: a map, three lists a breakdown, integers of 64 bits and more as text. */
function merged(report: Report): Record<string, unknown> {
  const row = toRow({ merchantId: "shop", currency: "JPY", startMs: 0, revision: 7, report });
  const texts = (column: string) => (row[column] as readonly unknown[]).map(String);
  return {
    ...Object.fromEntries(Object.entries(row).map(([column, value]) => [column, String(value)])),
    bucket: 600,
    version: "340282366920938463463",
    amounts: Object.fromEntries(report.amounts.bucket.map((bucket, at) => [bucket, String(report.amounts.count[at])])),
    customers: [...report.customers].reverse(),
    ...Object.fromEntries(
      DIMENSIONS.map((d) => [`by_${d}`, [texts(`by_${d}_value`), texts(`by_${d}_count`), texts(`by_${d}_amount`)]]),
    ),
  };
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
  const row = merged(reportOf([]));
  const wrong: readonly [column: string, value: unknown][] = [
    ["currency", 392],
    ["version", "-1"],
    ["payments_count", "1.5"],
    ["points_used", undefined],
    ["amounts", { "99999": "1" }],
    ["amounts", { "12": "x" }],
    ["customers", "none"],
    ["by_gender", [["female"], ["1"], []]],
    ["by_gender", [["female"], ["1"], ["x"]]],
    ["by_gender", [[1], ["1"], ["1"]]],
  ];
  for (const [column, value] of wrong) expect(() => mergedRow({ ...row, [column]: value })).toThrow(column);
  expect(() => mergedRow({ ...row, customers: [64] })).toThrow(RangeError);
  expect(() => mergedRow(null)).toThrow(RangeError);
});
