import { DIMENSIONS } from "../../../../shared/breakdown.ts";
import type { ChartPoint } from "../chart/plot.ts";
import type { Dimension, QueryAnswer } from "../data/answers.ts";
import { emptyBuckets, type Steps } from "./empty-buckets.ts";
import type { Figure } from "./exploration.ts";

export type Row = QueryAnswer["rows"][number];

/** What one line, or one set of bars, is of: rows that differ by the clock alone. */
export interface ResultSeries {
  readonly key: string;
  readonly currency: string;
  /** With a breakdown. */
  readonly value: RowValue | undefined;
  readonly rows: readonly Row[];
}

export interface RowValue {
  readonly dimension: Dimension;
  readonly part: "value" | "other" | "unspecified";
  readonly value: string;
}

export function rowValue(row: Row): RowValue | undefined {
  const dimension = DIMENSIONS.find((name) => row[name] !== undefined);
  if (dimension === undefined) return undefined;
  return { dimension, part: row.part ?? "value", value: row[dimension] ?? "" };
}

/** In the order of the rows. */
export function seriesOfRows(rows: readonly Row[], isByValue: boolean): ResultSeries[] {
  const found = new Map<string, { readonly currency: string; readonly value: RowValue | undefined; rows: Row[] }>();
  for (const row of rows) {
    const value = isByValue ? rowValue(row) : undefined;
    const key = [row.currency, value?.part ?? "", value?.value ?? ""].join(" ");
    const known = found.get(key);
    if (known === undefined) found.set(key, { currency: row.currency, value, rows: [row] });
    else known.rows.push(row);
  }
  return [...found].map(([key, { currency, value, rows }]) => ({ key, currency, value, rows }));
}

/** What is nothing where there was nothing; of others, such as an average, there is none. */
const COUNTED: ReadonlySet<Figure> = new Set([
  ...(["net", "payments.count", "payments.amount", "refunds.count", "refunds.amount"] as const),
  ...(["points.used", "points.earned", "customers"] as const),
]);

/** Rows of a line in the order of time, with one for each bucket between them in which nothing was: a query has none for it, and a line would lead across. */
export function withoutGaps(rows: readonly Row[], metrics: readonly Figure[], steps: Steps): Row[] {
  const nothing = Object.fromEntries(metrics.map((figure) => [figure, COUNTED.has(figure) ? 0 : null]));
  const ordered = [...rows].sort((a, b) => startMsOf(a) - startMsOf(b));
  return ordered.flatMap((row, at) => {
    const next = ordered[at + 1];
    const between = next === undefined ? [] : emptyBuckets(steps, Date.parse(row.end ?? ""), startMsOf(next));
    return [row, ...between.map((bucket): Row => ({ ...row, ...nothing, ...bucket, status: "final" }))];
  });
}

const startMsOf = ({ start }: Row) => Date.parse(start ?? "");

/** What rows of a line are named by, as the query does: a start is no name (`bucketName`). */
export const labelsOf = (rows: readonly Row[]): string[] => rows.map(({ label, start = "" }) => label ?? start);

/** Over time; rows may be in another order. */
export function pointsOf({ rows }: ResultSeries, figure: Figure): ChartPoint[] {
  return rows
    .flatMap((row) =>
      row.start === undefined
        ? []
        : [
            {
              atMs: Date.parse(row.start),
              value: row[figure] ?? null,
              base: null,
              isOpen: row.status === "open",
              isRevised: false,
            },
          ],
    )
    .sort((a, b) => a.atMs - b.atMs);
}
