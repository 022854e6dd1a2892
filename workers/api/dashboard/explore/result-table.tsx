import type { Granularity, QueryAnswer } from "../data/answers.ts";
import { ScrollTable } from "../table/scroll-table.tsx";
import { t } from "../text/text.ts";
import type { Exploration } from "./exploration.ts";
import { exploreText as x } from "./explore-text.ts";
import { rowValue } from "./result-series.ts";
import { clockText, figureText, partText } from "./row-text.ts";

export interface ResultTableProps {
  readonly answer: QueryAnswer;
  readonly exploration: Exploration;
  readonly granularity: Granularity;
}

export function ResultTable({ answer: { rows }, exploration, granularity }: ResultTableProps) {
  const { clock, breakdown, metrics } = exploration;
  const currencies = new Set(rows.map(({ currency }) => currency));
  const hasCurrency = currencies.size > 1 || (clock.length === 0 && breakdown === undefined);
  const columns = [
    ...clock.map((dimension) => ({ title: x(dimension) })),
    ...(breakdown === undefined ? [] : [{ title: t(`dimension.${breakdown}`) }]),
    ...(hasCurrency ? [{ title: x("currency") }] : []),
    ...metrics.map((figure) => ({ title: x(figure), isNumber: true })),
  ];
  return (
    <div class="tall">
      <ScrollTable caption={x("title")} columns={columns}>
        {rows.map((row) => {
          const value = breakdown === undefined ? undefined : rowValue(row);
          const names = [
            ...clock.map((dimension) => clockText(row, dimension, granularity)),
            ...(value === undefined ? [] : [partText(value)]),
            ...(hasCurrency ? [row.currency] : []),
          ];
          return (
            <tr key={[row.currency, row.start, row.weekday, row.hour, value?.part, value?.value].join(" ")}>
              {names.map((name, at) => (
                <th key={columns[at]?.title} scope="row">
                  {name}
                </th>
              ))}
              {metrics.map((figure) => (
                <td key={figure} class="number">
                  {figureText(figure, row[figure], row.currency)}
                </td>
              ))}
            </tr>
          );
        })}
      </ScrollTable>
    </div>
  );
}
