import type { Granularity } from "../data/answers.ts";
import type { Exploration, Figure } from "./exploration.ts";
import { exploreText as x } from "./explore-text.ts";
import { type ResultSeries, rowValue } from "./result-series.ts";
import { clockText, figureText, partText } from "./row-text.ts";

export interface ResultBarsProps {
  readonly series: ResultSeries;
  readonly exploration: Exploration;
  readonly figure: Figure;
  readonly granularity: Granularity;
}

/** More would be no picture any more; the table has all of them. */
const BARS_MAX = 200;

/** A bar for each row. */
export function ResultBars({ series, exploration: { clock, breakdown }, figure, granularity }: ResultBarsProps) {
  const { rows, currency } = series;
  const shown = rows.slice(0, BARS_MAX);
  const largest = Math.max(1, ...shown.map((row) => Math.abs(row[figure] ?? 0)));
  return (
    <div class="bars wide">
      <table>
        <caption class="visually-hidden">{x(figure)}</caption>
        <tbody>
          {shown.map((row) => {
            const value = breakdown === undefined ? undefined : rowValue(row);
            const name = [
              ...clock.map((dimension) => clockText(row, dimension, granularity)),
              ...(value === undefined ? [] : [partText(value)]),
            ].join(" · ");
            return (
              <tr key={name}>
                <th scope="row">
                  <div class="bar">
                    <i style={{ width: `${Math.max((Math.abs(row[figure] ?? 0) / largest) * 100, 0.5)}%` }} />
                    <span>{name || currency}</span>
                  </div>
                </th>
                <td>{figureText(figure, row[figure], row.currency)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {rows.length > BARS_MAX && <p class="quiet-note">{x("rows_of", { count: BARS_MAX, all: rows.length })}</p>}
    </div>
  );
}
