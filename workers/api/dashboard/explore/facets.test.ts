import { expect, test } from "vitest";
import type { Steps } from "./empty-buckets.ts";
import { columnsPath, facetsOf } from "./facets.ts";
import type { Row } from "./result-series.ts";

const row = (fields: Partial<Row>): Row => ({ currency: "JPY", ...fields });
const shown = (facets: ReturnType<typeof facetsOf>) =>
  facets?.facets.map(({ row, value, values, sum }) => [value?.value ?? row.weekday, values, sum]);

test("rows by weekday and hour are a picture a weekday, over the hours that any of them has", () => {
  const rows = [
    row({ weekday: 7, hour: 9, net: 5 }),
    row({ weekday: 1, hour: 20, net: 30 }),
    row({ weekday: 1, hour: 9, net: -10 }),
  ];
  const facets = facetsOf(rows, { clock: ["weekday", "hour"], breakdown: undefined }, "net");
  expect(facets?.steps.map(({ hour }) => hour)).toEqual([9, 20]);
  expect(shown(facets)).toEqual([
    [1, [-10, 30], 20],
    [7, [5, undefined], 5],
  ]);
  expect([facets?.lowest, facets?.highest]).toEqual([-10, 30]);
});

test("days on which nothing was have their place, unless rows were cut off", () => {
  const day = (date: number) => {
    const [from, to] = [date, date + 1].map((of) => `2026-11-0${of}T00:00:00+09:00`);
    return row({ start: from, end: to, label: `2026-11-0${date}`, device: "ios", part: "value", net: 5 });
  };
  const by = { clock: ["time"], breakdown: "device" } as const;
  const valuesOf = (stepsOf?: Steps) =>
    shown(facetsOf([day(4), day(1)], by, "net", stepsOf))?.map(([, values]) => values);
  expect(valuesOf({ zone: "Asia/Tokyo", granularity: "1d" })).toEqual([[5, undefined, undefined, 5]]);
  expect(valuesOf()).toEqual([[5, 5]]);
});

test("values come with the most first and what is not named last, and what does not add up has no sum", () => {
  const rows = [
    row({ hour: 9, device: null, part: "unspecified", net: 90, average: 9 }),
    row({ hour: 9, device: "ios", part: "value", net: 1, average: 1 }),
    row({ hour: 9, device: "web", part: "value", net: 2, average: 2 }),
  ];
  const by = { clock: ["hour"], breakdown: "device" } as const;
  expect(shown(facetsOf(rows, by, "net"))?.map(([name]) => name)).toEqual(["web", "ios", ""]);
  expect(shown(facetsOf(rows, by, "average"))?.map(([, , sum]) => sum)).toEqual([undefined, undefined, undefined]);
});

test("rows that differ by one thing, or by values alone, are no pictures", () => {
  expect(facetsOf([row({ hour: 9, net: 1 })], { clock: ["hour"], breakdown: undefined }, "net")).toBeUndefined();
  expect(facetsOf([row({ device: "ios", net: 1 })], { clock: [], breakdown: "device" }, "net")).toBeUndefined();
});

test("a column reaches from nothing to its value, below it where more was paid back, and is none where there is nothing", () => {
  expect(columnsPath([30, undefined, -10, 0], { lowest: -10, highest: 30 })).toBe(
    "M0.08 75V0H0.92V75zM2.08 75V100H2.92V75z",
  );
});
