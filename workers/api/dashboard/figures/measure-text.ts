import { MEASURE, type Measure } from "../data/answers.ts";
import { count, type MoneyOptions, money } from "../text/format.ts";

/** A value of a figure as it is written; of a mean, to the nearest. */
export function measureText(
  measure: Measure,
  value: number | null,
  currency: string,
  options: MoneyOptions = {},
): string {
  const rounded = value === null || options.compact ? value : Math.round(value);
  return MEASURE[measure].kind === "money" ? money(rounded, currency, options) : count(rounded, options);
}
