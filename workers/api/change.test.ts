import fc from "fast-check";
import { expect, test } from "vitest";
import { eventOf, reportOf } from "../../shared/report.arbitrary.ts";
import { EMPTY_REPORT } from "../../shared/report.ts";
import { changeOf } from "./change.ts";
import { figuresOf, meanFigures, roundedQuotient } from "./figures.ts";

test("a change is absolute and by the size of the base", () => {
  expect(changeOf(125, 100)).toEqual({ absolute: 25n, ratio: 0.25 });
  expect(changeOf(0, 4)).toEqual({ absolute: -4n, ratio: -1 });
  expect(changeOf(1, 3)).toEqual({ absolute: -2n, ratio: -0.666667 });
  expect(changeOf(9_007_199_254_740_993_000n, 9_007_199_254_740_992_000n)).toMatchObject({ absolute: 1_000n });
});

test("a rise from below zero is a rise", () => {
  expect(changeOf(-50n, -100n)).toEqual({ absolute: 50n, ratio: 0.5 });
  expect(changeOf(50n, -100n)).toEqual({ absolute: 150n, ratio: 1.5 });
});

test("what had nothing before is new, and nothing after nothing is no change at all", () => {
  expect(changeOf(5, 0)).toEqual({ absolute: 5n, ratio: "new" });
  expect(changeOf(0n, 0)).toEqual({ absolute: 0n, ratio: null });
  expect(changeOf(550, null)).toEqual({ absolute: null, ratio: "new" });
  expect(changeOf(null, 550)).toEqual({ absolute: null, ratio: null });
  expect(changeOf(null, null)).toEqual({ absolute: null, ratio: null });
});

test("integers are rounded half up, below zero, too", () => {
  expect([-6n, -5n, -3n, -2n, -1n, 0n, 1n, 2n, 3n, 6n].map((n) => roundedQuotient(n, 4n))).toEqual([
    -1n,
    -1n,
    -1n,
    0n,
    0n,
    0n,
    0n,
    1n,
    1n,
    2n,
  ]);
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 1_000 }), (n, d) => {
      expect(roundedQuotient(BigInt(n), BigInt(d))).toBe(BigInt(Math.floor((2 * n + d) / (2 * d))));
    }),
  );
});

test("the mean of four weeks is of counts, sums and customers; what tells of payments is that of all of them", () => {
  const paid = (amounts: readonly number[], customer: number) =>
    reportOf(
      amounts.map((amount, at) => ({ ...eventOf(0), type: "payment", amount, user: { lo: customer + at, hi: at } })),
    );
  const weeks = [paid([100, 100, 100], 1), paid([200], 50), EMPTY_REPORT, paid([400, 400], 90)];
  expect(meanFigures(weeks)).toMatchObject({
    "payments.count": 2n, // 6 / 4
    "payments.amount": 325n,
    customers: 2n,
    average: 217n, // 1300 / 6
    min: 100,
    max: 400,
  });
  expect(meanFigures([weeks[0] ?? EMPTY_REPORT])).toMatchObject({
    average: 100n,
    "payments.amount": 300n,
    "payments.count": 3,
  });
});

test("the mean of one is itself", () => {
  const report = reportOf(Array.from({ length: 300 }, (_, n) => eventOf(n)));
  const plain = (figures: object) =>
    Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, value === null ? null : String(value)]));
  expect(plain(meanFigures([report]))).toEqual(plain(figuresOf(report)));
});
