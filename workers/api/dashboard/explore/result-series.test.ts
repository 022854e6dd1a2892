import { expect, test } from "vitest";
import { pointsOf, type Row, rowValue, seriesOfRows, withoutGaps } from "./result-series.ts";

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

test.for([
  ["1d", "2026-11-01", "2026-11-04", "2026-11-01T00:00:00+09:00", "2026-11-04T00:00:00+09:00", 86_400_000],
  ["1w", "2026-10-05", "2026-10-26", "2026-10-05T00:00:00+09:00", "2026-10-26T00:00:00+09:00", 7 * 86_400_000],
  ["1mo", "2026-01", "2026-04", "2026-01-01T00:00:00+09:00", "2026-04-01T00:00:00+09:00", 31 * 86_400_000],
  [
    "1h",
    "2026-11-01T22:00+09:00",
    "2026-11-02T01:00+09:00",
    "2026-11-01T22:00:00+09:00",
    "2026-11-02T01:00:00+09:00",
    3_600_000,
  ],
] as const)(
  "of steps of %s in which nothing was, a line goes through nothing, each by its name",
  ([granularity, first, last, start, end, lengthMs]) => {
    const one = (label: string, start: string) =>
      row({
        label,
        start,
        end: `${new Date(Date.parse(start) + lengthMs + 9 * 3_600_000).toISOString().slice(0, 19)}+09:00`,
        net: 5,
        average: 5,
      });
    const rows = withoutGaps([one(last, end), one(first, start)], ["net", "average"], {
      zone: "Asia/Tokyo",
      granularity,
    });
    expect(rows.map(({ net, average }) => [net, average])).toEqual([
      [5, 5],
      [0, null],
      [0, null],
      [5, 5],
    ]);
    const names = {
      "1d": ["2026-11-02", "2026-11-03"],
      "1w": ["2026-10-12", "2026-10-19"],
      "1mo": ["2026-02", "2026-03"],
    };
    const hours = ["2026-11-01T23:00+09:00", "2026-11-02T00:00+09:00"];
    expect(rows.slice(1, 3).map(({ label }) => label)).toEqual(granularity === "1h" ? hours : names[granularity]);
    for (const [at, row] of rows.slice(1).entries())
      expect(Date.parse(row.start ?? "")).toBe(Date.parse(rows[at]?.end ?? ""));
  },
);
