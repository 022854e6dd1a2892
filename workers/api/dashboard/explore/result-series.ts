import { DIMENSIONS } from "../../../../shared/breakdown.ts";
import { HOUR_MS, WINDOW_MS } from "../../../../shared/window.ts";
import { addDays, addMonths, daysBetween } from "../address/civil-date.ts";
import type { ChartPoint } from "../chart/plot.ts";
import type { Dimension, Granularity, QueryAnswer } from "../data/answers.ts";
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
export function withoutGaps(rows: readonly Row[], metrics: readonly Figure[], granularity: Granularity): Row[] {
  const nothing = Object.fromEntries(metrics.map((figure) => [figure, COUNTED.has(figure) ? 0 : null]));
  const ordered = [...rows].sort((a, b) => startMsOf(a) - startMsOf(b));
  return ordered.flatMap((row, at) => {
    const next = ordered[at + 1];
    const between = next === undefined ? [] : bucketsBetween(row, next, granularity);
    return [row, ...between.map((bucket): Row => ({ ...row, ...nothing, ...bucket, status: "final" }))];
  });
}

const startMsOf = ({ start }: Row) => Date.parse(start ?? "");

/** As long as each other, which days are but for an hour, and months nearly. */
function bucketsBetween({ end = "", label = "" }: Row, next: Row, granularity: Granularity) {
  const [fromMs, toMs] = [Date.parse(end), startMsOf(next)];
  const count = missingBetween(label, next.label ?? "", toMs - fromMs, granularity);
  return Array.from({ length: count }, (_, at) => {
    const edge = (of: number) => byClockOf(end, fromMs + ((toMs - fromMs) * of) / count);
    const [start, ends] = [edge(at), edge(at + 1)];
    return { start, end: ends, label: labelOf(label, start, at + 1, granularity) };
  });
}

const LENGTH_MS = { "10m": WINDOW_MS, "1h": HOUR_MS } as const;

function missingBetween(label: string, next: string, gapMs: number, granularity: Granularity): number {
  switch (granularity) {
    case "10m":
    case "1h":
      return Math.round(gapMs / LENGTH_MS[granularity]);
    case "1d":
      return daysBetween(label, next) - 1;
    case "1w":
      return Math.round(daysBetween(label, next) / 7) - 1;
    case "1mo":
      return Math.round(daysBetween(`${label}-01`, `${next}-01`) / MONTH_DAYS) - 1;
    default:
      return granularity satisfies never;
  }
}

const MONTH_DAYS = 30.44;

function labelOf(before: string, start: string, steps: number, granularity: Granularity): string {
  switch (granularity) {
    case "10m":
    case "1h":
      return start;
    case "1d":
      return addDays(before, steps);
    case "1w":
      return addDays(before, 7 * steps);
    case "1mo":
      return addMonths(`${before}-01`, steps).slice(0, 7);
    default:
      return granularity satisfies never;
  }
}

/** A moment by the clock that another is told by. */
function byClockOf(rfc3339: string, ms: number): string {
  const [clock, offset] = [rfc3339.slice(0, CLOCK_CHARACTERS), rfc3339.slice(CLOCK_CHARACTERS)];
  const clockMs = Date.parse(`${clock}Z`) + ms - Date.parse(rfc3339);
  return `${new Date(clockMs).toISOString().slice(0, CLOCK_CHARACTERS)}${offset}`;
}

const CLOCK_CHARACTERS = "2026-11-27T09:00:00".length;

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
