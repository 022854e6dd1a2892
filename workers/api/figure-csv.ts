import { type CsvCell, csvMoney } from "./csv.ts";
import { type Figure, type FigureValue, MONEY_FIGURES } from "./figure-names.ts";

/** The name of a figure's column. */
export const csvFigureName = (figure: Figure) => figure.replace(".", "_");

/** Money is decimal. */
export function csvFigure(value: FigureValue, figure: Figure, currency: string): CsvCell {
  return value !== null && MONEY_FIGURES.has(figure) ? csvMoney(value, currency) : value;
}
