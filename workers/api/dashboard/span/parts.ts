import type { Breakdown, Cell, Change, Dimension, MetricsAnswer } from "../data/answers.ts";
import { seriesOf } from "../figures/series-of.ts";

/** What payments of one value add up to, beside all of them and beside the base's. */
export interface Part {
  readonly part: "value" | "other" | "unspecified";
  readonly value: string;
  readonly count: number;
  readonly amount: number;
  readonly share: number;
  /** Both `undefined` without a base. */
  readonly base: number | undefined;
  readonly change: Change | undefined;
}

/** A dimension's parts, largest first, what is not named last; those of nothing are left out. The base is the mean of its spans. */
export function partsOf(
  dimension: Dimension,
  currency: string,
  whole: MetricsAnswer | undefined,
  bases: readonly MetricsAnswer[],
): Part[] {
  const breakdown = breakdownOf(whole, dimension, currency);
  if (breakdown === undefined) return [];
  const earlier = bases.flatMap((base) => breakdownOf(base, dimension, currency) ?? []);
  const cells = cellsOf(breakdown);
  const all = cells.reduce((sum, { amount }) => sum + amount, 0);
  return cells
    .filter(({ amount, count }) => amount !== 0 || count !== 0)
    .map(({ part, value, count, amount }) => {
      const base = bases.length === 0 ? undefined : meanOf(earlier, bases.length, part, value);
      return {
        ...{ part, value, count, amount, base },
        share: all === 0 ? 0 : amount / all,
        change: base === undefined ? undefined : changeOf(amount, base),
      };
    });
}

type NamedCell = Cell & Pick<Part, "part" | "value">;

function cellsOf({ values, other, unspecified }: Breakdown): NamedCell[] {
  return [
    ...values.map((cell) => ({ part: "value" as const, ...cell })),
    { part: "other", value: "", ...other },
    { part: "unspecified", value: "", ...unspecified },
  ];
}

function breakdownOf(answer: MetricsAnswer | undefined, dimension: Dimension, currency: string): Breakdown | undefined {
  return seriesOf(answer, currency)?.total.breakdowns?.[dimension];
}

function meanOf(bases: readonly Breakdown[], spans: number, part: Part["part"], value: string): number {
  const cells = bases.flatMap((base) => cellsOf(base).filter((cell) => cell.part === part && cell.value === value));
  return Math.round(cells.reduce((sum, { amount }) => sum + amount, 0) / spans);
}

function changeOf(amount: number, base: number): Change {
  const absolute = amount - base;
  if (base === 0) return { absolute, ratio: amount === 0 ? null : "new" };
  return { absolute, ratio: absolute / base };
}
