import { expect, test } from "vitest";
import { pointsOf, type Row, rowValue, seriesOfRows } from "./result-series.ts";

const row = (fields: Partial<Row>): Row => ({ currency: "JPY", ...fields });

test("rows that differ by the clock alone are one line, in the order of time", () => {
  const rows = [
    row({ start: "2026-11-02T00:00:00+09:00", status: "open", device: "ios", part: "value", net: 20 }),
    row({ start: "2026-11-02T00:00:00+09:00", status: "open", device: null, part: "unspecified", net: 5 }),
    row({ start: "2026-11-01T00:00:00+09:00", status: "final", device: "ios", part: "value", net: 10 }),
  ];
  const [ios, none, ...more] = seriesOfRows(rows, true);
  expect(more).toEqual([]);
  expect(none?.value).toEqual({ dimension: "device", part: "unspecified", value: "" });
  expect(ios && pointsOf(ios, "net").map(({ value, isOpen }) => [value, isOpen])).toEqual([
    [10, false],
    [20, true],
  ]);
});

test("money of two currencies is never one line", () => {
  const rows = [row({ hour: 9, net: 1 }), row({ currency: "USD", hour: 9, net: 1 })];
  expect(seriesOfRows(rows, false).map(({ currency }) => currency)).toEqual(["JPY", "USD"]);
});

test("a row that is told apart by no value has none", () => {
  expect(rowValue(row({ weekday: 1 }))).toBeUndefined();
});
