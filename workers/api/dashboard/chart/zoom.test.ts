import fc from "fast-check";
import { expect, test } from "vitest";
import { panned, zoomed } from "./zoom.ts";

const all = { min: 0, max: 100_000 };

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
      let seen = all;
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
