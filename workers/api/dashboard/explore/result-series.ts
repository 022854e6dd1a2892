import { DIMENSIONS } from "../../../../shared/breakdown.ts";
import type { ChartPoint } from "../chart/plot.ts";
import type { Dimension, QueryAnswer } from "../data/answers.ts";
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
