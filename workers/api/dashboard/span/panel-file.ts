import { type CsvCell, type CsvColumn, csvFileName, csvMoney } from "../../csv.ts";
import type { Dimension, Total } from "../data/answers.ts";
import { csvFile, type SavedFile } from "../data/csv-file.ts";
import { type AmountBar, amountBars } from "./amount-bars.ts";
import { type Heat, HOURS, WEEKDAYS } from "./heat.ts";
import type { Part } from "./parts.ts";

/** What a panel's file says of all its rows. */
export interface PanelSpan {
  readonly merchantId: string;
  /** RFC 3339 by the zone's clock, `[from, to)`. */
  readonly from: string;
  readonly to: string;
  readonly currency: string;
}

/** All values of a dimension, those that the panel has folded away too; with the base and the change where the panel has them. */
export function partsFile(span: PanelSpan, dimension: Dimension, parts: readonly Part[]): SavedFile {
  const hasBase = parts.some(({ base }) => base !== undefined);
  return file(span, dimension, parts, [
    { name: "part", value: ({ part }) => part },
    { name: dimension, value: ({ part, value }) => (part === "value" ? value : null) },
    { name: "payments_count", value: ({ count }) => count },
    { name: "payments_amount", value: ({ amount }) => csvMoney(amount, span.currency) },
    { name: "payments_amount_share", value: ({ share }) => csvRatio(share) },
    ...(hasBase
      ? ([
          { name: "base_payments_amount", value: ({ base }) => money(base, span.currency) },
          { name: "change_payments_amount", value: ({ change }) => csvRatio(change?.ratio) },
        ] satisfies CsvColumn<Part>[])
      : []),
  ]);
}

interface HeatRow {
  readonly weekday: number;
  readonly hour: number;
  readonly mean: number | null;
}

/** The hours of a week, a row each: what a pivot table makes the map of again. */
export function heatFile(span: PanelSpan, heat: Heat): SavedFile {
  const rows = WEEKDAYS.flatMap((weekday) =>
    HOURS.map((hour): HeatRow => ({ weekday, hour, mean: heat[weekday - 1]?.[hour] ?? null })),
  );
  return file(span, "weekday-hour", rows, [
    { name: "weekday", value: ({ weekday }) => weekday },
    { name: "hour", value: ({ hour }) => hour },
    { name: "net_mean", value: ({ mean }) => money(mean === null ? null : Math.round(mean), span.currency) },
  ]);
}

const QUANTILES = ["min", "p50", "p90", "p99", "max"] as const;

/** The bars, `[from, to)`; what is known of all payments together stands in each row, as the span does. */
export function amountsFile(span: PanelSpan, total: Total): SavedFile {
  const { bars, beyond } = amountBars(total);
  const rows = beyond === undefined ? bars : [...bars, beyond];
  const payments = rows.reduce((sum, { count }) => sum + count, 0);
  return file(span, "amounts", rows, [
    { name: "from", value: ({ from }) => csvMoney(from, span.currency) },
    { name: "to", value: ({ to }) => csvMoney(to, span.currency) },
    { name: "payments_count", value: ({ count }) => count },
    { name: "payments_count_share", value: ({ count }) => csvRatio(count / payments) },
    ...QUANTILES.map((name) => ({ name, value: (_: AmountBar) => money(total[name], span.currency) })),
  ]);
}

function file<Row>(span: PanelSpan, what: string, rows: readonly Row[], columns: readonly CsvColumn<Row>[]): SavedFile {
  const name = csvFileName(what, span.merchantId, span.from, span.to);
  const all: CsvColumn<Row>[] = [
    { name: "start", value: () => span.from },
    { name: "end", value: () => span.to },
    { name: "currency", value: () => span.currency },
    ...columns,
  ];
  return csvFile(name, all, rows);
}

const money = (minorUnits: number | null | undefined, currency: string): CsvCell =>
  minorUnits == null ? null : csvMoney(minorUnits, currency);

/** A ten-thousandth of a per cent, as the API tells ratios. */
const RATIO_DIGITS = 6;

const csvRatio = (ratio: number | "new" | null | undefined): CsvCell =>
  typeof ratio === "number" ? { number: String(Number(ratio.toFixed(RATIO_DIGITS))) } : ratio;
