import { expect, test } from "vitest";
import { addAmount, amountCounter, amountQuantile, bucketRange } from "../../../../shared/amounts.ts";
import type { Total } from "../data/answers.ts";
import { amountBars } from "./amount-bars.ts";

function totalOf(amounts: readonly number[]): Total {
  const counter = amountCounter();
  for (const amount of amounts) addAmount(counter, amount);
  const [min, max] = [Math.min(...amounts), Math.max(...amounts)];
  return {
    ...{ min, max, p99: amountQuantile(counter, 0.99, { min, max }) },
    amounts: counter.bucket.map((bucket, at) => {
      const { low, high } = bucketRange(bucket);
      return { from: low, to: high, count: counter.count[at] ?? 0 };
    }),
  } as Total;
}

test("bars are of equal round steps, and every payment is in one", () => {
  const amounts = Array.from({ length: 500 }, (_, at) => 130 + ((at * 37) % 1_400));
  const { bars, beyond } = amountBars(totalOf([...amounts, 9_000]));
  expect(new Set(bars.map(({ from, to }) => to - from))).toEqual(new Set([100]));
  expect(bars[0]?.from).toBe(100);
  expect(beyond).toMatchObject({ count: 1, to: 9_001 });
  expect(bars.reduce((sum, { count }) => sum + count, 0)).toBe(500);
});

test("round prices stand in the bar that begins with them, however coarse the steps they come in", () => {
  const prices = [10_000, 20_000, 30_000, 100_000];
  const { bars } = amountBars(totalOf(prices.flatMap((price) => Array.from({ length: 50 }, () => price))));
  for (const price of prices) expect(bars.find(({ from }) => from === price)?.count).toBe(50);
});

test("a single amount is a single bar, and nothing is none", () => {
  expect(amountBars(totalOf([550, 550])).bars).toEqual([{ from: 550, to: 560, count: 2 }]);
  expect(amountBars({ min: null, max: null, p99: null } as Total)).toEqual({ bars: [], beyond: undefined });
});
