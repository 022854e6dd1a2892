import { expect, test } from "vitest";
import { heatOf, heatPaths } from "./heat.ts";

const rows = [
  { currency: "JPY", weekday: 1, hour: 9, net: 300 },
  { currency: "JPY", weekday: 2, hour: 9, net: 300 },
  { currency: "JPY", weekday: 7, hour: 23, net: -50 },
];

test("an hour's value is the mean over as many of its weekday as the span has", () => {
  // Monday 2 March to Monday 16 March: three Mondays, two of any other day.
  const heat = heatOf(
    { rows, timezone: "Asia/Tokyo", as_of: "2026-03-17T00:00:00+09:00" },
    { from: "2026-03-02", last: "2026-03-16" },
  );
  expect([heat[0]?.[9], heat[1]?.[9], heat[6]?.[23], heat[3]?.[9]]).toEqual([100, 150, -25, 0]);
});

const today = { timezone: "Asia/Tokyo", as_of: "2026-03-16T09:30:00+09:00" };

test("an hour that is still to come is in no mean, however far beyond it the span reaches", () => {
  // Monday 16 March at 9:30: Mondays have been three at nine, two at ten.
  for (const last of ["2026-03-16", "2026-12-31"]) {
    const heat = heatOf(
      { ...today, rows: [...rows, { currency: "JPY", weekday: 1, hour: 10, net: 300 }] },
      { from: "2026-03-02", last },
    );
    expect([heat[0]?.[9], heat[0]?.[10], heat[1]?.[9]]).toEqual([100, 150, 150]);
  }
  const day = heatOf({ ...today, rows }, { from: "2026-03-16", last: "2026-03-16" });
  expect([day[0]?.[9], day[0]?.[10], day[1]?.[9]]).toEqual([300, null, null]);
});

test("where a clock is set back, the hour that it shows twice is no larger for it", () => {
  const twice = { currency: "JPY", weekday: 7, hour: 2, net: 300 };
  const berlin = { timezone: "Europe/Berlin", as_of: "2026-11-20T00:00:00+01:00", rows: [twice] };
  expect(heatOf(berlin, { from: "2026-10-25", last: "2026-10-25" })[6]?.[2]).toBe(150);
  expect(heatOf(berlin, { from: "2026-10-19", last: "2026-11-01" })[6]?.[2]).toBe(100);
});

test("every hour is in one path, that of its share of the largest; a loss by its own, one that there has not been in none", () => {
  const heat = Array.from({ length: 7 }, (_, day) =>
    Array.from({ length: 24 }, (_, hour) => (day === 0 ? null : hour - 1)),
  );
  const paths = heatPaths(heat);
  const cells = paths.flatMap(({ path }) => path.split("M").slice(1));
  expect([cells.length, new Set(cells).size]).toEqual([144, 144]);
  const shadeOf = (cell: string) => paths.find(({ path }) => path.includes(`M${cell}h`))?.percent;
  expect(["23 6", "12 6", "0 6", "1 6", "23 0"].map(shadeOf)).toEqual([100, 50, -5, 0, undefined]);
});
