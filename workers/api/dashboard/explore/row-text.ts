import type { Granularity } from "../data/answers.ts";
import { valueName } from "../figures/value-name.ts";
import { bucketName, count, money, weekdayName } from "../text/format.ts";
import { t } from "../text/text.ts";
import { type ClockDimension, FIGURES, type Figure } from "./exploration.ts";
import type { Row, RowValue } from "./result-series.ts";

/** The parts of a row in words. */

export function figureText(
  figure: Figure,
  value: number | null | undefined,
  currency: string,
  compact = false,
): string {
  if (value === null || value === undefined) return money(null, currency);
  return FIGURES[figure] === "money" ? money(value, currency, { compact }) : count(value, { compact });
}

export function clockText(row: Row, dimension: ClockDimension, granularity: Granularity): string {
  switch (dimension) {
    case "time":
      return row.label === undefined ? "" : bucketName(row.label, granularity);
    case "weekday":
      return weekdayName(row.weekday ?? 1, "long");
    case "hour":
      return `${String(row.hour ?? 0).padStart(2, "0")}:00`;
    default:
      return dimension satisfies never;
  }
}

export function partText({ dimension, part, value }: RowValue): string {
  return part === "value" ? valueName(dimension, value) : t(`value.${part}`);
}
