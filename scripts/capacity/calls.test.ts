import fc from "fast-check";
import { expect, test } from "vitest";
import { touched } from "./calls.ts";

test("balls on boxes hit as many as all ways to fall, counted, say", () => {
  for (const [balls, boxes] of [
    [1, 1],
    [2, 3],
    [3, 2],
    [4, 4],
  ] as const) {
    let hit = 0;
    const ways = boxes ** balls;
    for (let way = 0; way < ways; way++) {
      hit += new Set(Array.from({ length: balls }, (_, ball) => Math.floor(way / boxes ** ball) % boxes)).size;
    }
    expect(touched(balls, boxes)).toBeCloseTo(hit / ways);
  }
});

test("never more than there are of either, and all in the end", () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.integer({ min: 1, max: 1e5 }), (balls, boxes) => {
      expect(touched(balls, boxes)).toBeLessThanOrEqual(Math.min(balls, boxes) * (1 + 1e-9));
    }),
  );
  expect(touched(0, 1)).toBe(0);
  expect(touched(1e9, 1_000)).toBeCloseTo(1_000);
});
