import { type Breakdown, type Cell, type Dimension, EMPTY_CELL, mergeBreakdowns } from "../../shared/breakdown.ts";
import type { Report } from "../../shared/report.ts";
import { roundedQuotient } from "./figures.ts";
import { byAmount, unspecifiedOf } from "./present.ts";

/** Cells of an answer, parts by buckets, of all its currencies: some 3 MB of JSON. Seven values by day over five years are 16,000. */
export const GROUP_CELLS_MAX = 80_000;

/**
 * One of the parts that payments fall into: those of a value, all those beyond the values that are named (`other`), or those without
 * (`unspecified`). Together they are all payments, in the total and in each bucket.
 */
export interface Part {
  readonly part: "value" | "other" | "unspecified";
  readonly value: string | null;
  readonly total: Cell;
  readonly buckets: readonly Cell[];
  /** Where there is a base: what has elapsed, and the mean of the bases. */
  readonly compared: { readonly current: Cell; readonly base: Cell } | null;
}

export interface GroupedReports {
  readonly total: Report;
  readonly buckets: readonly Report[];
  readonly compared: { readonly current: Report; readonly bases: readonly Report[] } | null;
}

/**
 * The parts of a dimension, values of the largest amount first, then `other` and `unspecified`. Named are the values that are named in all reports merged: of these no report has
 * anything in `other`, so that each cell is exact.
 */
export function partsOf(dimension: Dimension, { total, buckets, compared }: GroupedReports): Part[] {
  const bases = compared?.bases ?? [];
  const merged = bases.reduce<Breakdown>(
    (sum, base) => mergeBreakdowns(sum, base.breakdowns[dimension]),
    total.breakdowns[dimension],
  );
  const part = (kind: Part["part"], value: string | null, cellOf: (report: Report) => Cell): Part => ({
    part: kind,
    value,
    total: cellOf(total),
    buckets: buckets.map(cellOf),
    compared:
      compared === null || bases.length === 0
        ? null
        : { current: cellOf(compared.current), base: meanCell(bases.map(cellOf)) },
  });
  const ofValue = (value: string) => (report: Report) => report.breakdowns[dimension].values.get(value) ?? EMPTY_CELL;
  const named = new Set(merged.values.keys());
  return [
    ...inOrder(merged, total.breakdowns[dimension]).map((value) => part("value", value, ofValue(value))),
    part("other", null, (report) => otherThan(named, report.breakdowns[dimension])),
    part("unspecified", null, (report) => unspecifiedOf(report.breakdowns[dimension], report)),
  ];
}

/** By what is shown: values that only a base has come last. */
function inOrder(merged: Breakdown, shown: Breakdown): string[] {
  const values = new Map([...merged.values.keys()].map((value) => [value, shown.values.get(value) ?? EMPTY_CELL]));
  return byAmount({ values, other: EMPTY_CELL }).map(([value]) => value);
}

function otherThan(named: ReadonlySet<string>, { values, other }: Breakdown): Cell {
  let { count, amount } = other;
  for (const [value, cell] of values) {
    if (named.has(value)) continue;
    count += cell.count;
    amount += cell.amount;
  }
  return { count, amount };
}

function meanCell(cells: readonly Cell[]): Cell {
  const mean = (sum: bigint) => roundedQuotient(sum, BigInt(cells.length));
  return {
    count: Number(mean(cells.reduce((sum, { count }) => sum + BigInt(count), 0n))),
    amount: mean(cells.reduce((sum, { amount }) => sum + amount, 0n)),
  };
}
