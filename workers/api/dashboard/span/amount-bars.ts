import type { Total } from "../data/answers.ts";

type AmountStep = NonNullable<Total["amounts"]>[number];

/** Payments of an amount in `[from, to)`, in minor units; the last may be of all there are beyond. */
export interface AmountBar {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

export interface AmountBars {
  /** Of equal, round steps, to beyond the 99th percentile. */
  readonly bars: readonly AmountBar[];
  /** What is larger: a hundredth at most. `undefined` where nothing is. */
  readonly beyond: AmountBar | undefined;
}

/** So many show a shape, and on a phone each can still be pointed at. */
const BARS_WANTED = 20;

/**
 * Gathers the answer's steps, which are narrow and uneven, into bars of round amounts. A step that reaches over a boundary is counted above it: where prices
 * cluster is at round amounts, and there they are right.
 */
export function amountBars({ amounts = [], min, max, p99 }: Total): AmountBars {
  if (min === null || max === null || p99 === null) return { bars: [], beyond: undefined };
  const last = amounts.findLast(({ from }) => from <= p99) ?? { from: p99, to: p99 + 1 };
  const step = roundStep(Math.max((p99 - min) / BARS_WANTED, last.to - last.from));
  const startAt = Math.floor(min / step);
  const length = barOf(last, step) - startAt + 1;
  const bars = Array.from({ length }, (_, at) => ({
    from: (startAt + at) * step,
    to: (startAt + at + 1) * step,
    count: 0,
  }));
  const beyond = { from: (startAt + length) * step, to: max + 1, count: 0 };
  for (const { count, ...range } of amounts) (bars[barOf(range, step) - startAt] ?? beyond).count += count;
  return { bars, beyond: beyond.count === 0 ? undefined : beyond };
}

const barOf = ({ to }: Pick<AmountStep, "to">, step: number): number => Math.floor((to - 1) / step);

/** 1, 2 or 5 times a power of ten, the next that is not smaller. */
function roundStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(wanted, 1)));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= wanted) ?? power;
}
