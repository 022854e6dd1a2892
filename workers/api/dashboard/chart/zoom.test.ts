import fc from "fast-check";
import { expect, test } from "vitest";
import { extentOf, panned, parseZoom, partOf, pointsIn, type Stretch, zoomed, zoomText } from "./zoom.ts";

const all = { min: 0, max: 100_000, narrowest: 1_200 };

test("what is zoomed about keeps its place, and a zoom back shows the same", () => {
  const near = zoomed({ min: 20_000, max: 60_000 }, 0.5, 30_000, all);
  expect(near).toEqual({ min: 25_000, max: 45_000 });
  expect(zoomed(near, 2, 30_000, all)).toEqual({ min: 20_000, max: 60_000 });
});

test("no zoom and no move leaves what there is, or turns it round", () => {
  const steps = fc.array(
    fc.tuple(fc.boolean(), fc.double({ min: -3, max: 3, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
  );
  fc.assert(
    fc.property(steps, (moves) => {
      let seen: Stretch = all;
      for (const [zooms, by, share] of moves) {
        const around = seen.min + (seen.max - seen.min) * share;
        seen = zooms ? zoomed(seen, 2 ** by, around, all) : panned(seen, by, all);
        expect(seen.min).toBeGreaterThanOrEqual(all.min - 1e-6);
        expect(seen.max).toBeLessThanOrEqual(all.max + 1e-6);
        expect(seen.max - seen.min).toBeGreaterThan(1_000);
      }
    }),
  );
});

test("an address says what is zoomed to, as far as there is a line, and nothing that is no part of it", () => {
  const all = { min: 1_700_000_000, max: 1_700_086_400, narrowest: 1_200 };
  const seen = { min: 1_700_010_000, max: 1_700_020_000 };
  expect(parseZoom(zoomText(seen), all)).toEqual(seen);
  expect(parseZoom("1600000000-1700020000", all)).toEqual({ min: all.min, max: 1_700_020_000 });
  for (const text of [
    undefined,
    "",
    "1-2",
    "1700020000-1700010000",
    "1600000000-1800000000",
    "1700010000-1700010001",
    "a-b",
  ])
    expect(parseZoom(text, all)).toBeUndefined();
});

const HOUR_S = 3_600;
const days = Array.from({ length: 40 }, (_, day) => ({ atMs: day * 24 * HOUR_S * 1000 }));

test("however close a line is looked at, there is a point to see, also where a day has 25 hours", () => {
  const changed = days.map(({ atMs }, day) => ({ atMs: atMs + (day > 20 ? HOUR_S * 1000 : 0) }));
  for (const points of [days, changed, days.slice(0, 3), days.slice(0, 1)]) {
    const all = extentOf(points);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (share) => {
        const around = all.min + (all.max - all.min) * share;
        const part = partOf(zoomed(all, 1e-6, around, all), all);
        const { from, to } = pointsIn(points, part);
        expect(to).toBeGreaterThan(from);
        if (part !== undefined) expect(parseZoom(zoomText(part), all)).toBeDefined();
      }),
    );
  }
});

test("what is seen are the points between the edges; without a zoom all of them, beyond the line none", () => {
  const [, second, third] = days.map(({ atMs }) => atMs / 1000);
  expect(pointsIn(days, { min: second ?? 0, max: third ?? 0 })).toEqual({ from: 1, to: 3 });
  expect(pointsIn(days, undefined)).toEqual({ from: 0, to: 40 });
  expect(pointsIn(days, { min: 1e9, max: 2e9 })).toEqual({ from: 0, to: 0 });
});
