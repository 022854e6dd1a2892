import { useMemo, useState } from "preact/hooks";
import { go, linkTo, type Own } from "../address/address.ts";
import { TimeChart } from "../chart/time-chart.tsx";
import type { Granularity, QueryAnswer } from "../data/answers.ts";
import { Choice } from "../shell/choice.tsx";
import { Link } from "../shell/link.tsx";
import { bucketName } from "../text/format.ts";
import { t } from "../text/text.ts";
import type { Exploration, Figure, ValueFilter } from "./exploration.ts";
import { exploreText as x } from "./explore-text.ts";
import { pointsOf, type ResultSeries, type Row, rowValue, seriesOfRows } from "./result-series.ts";
import { clockText, figureText, partText } from "./row-text.ts";

export interface ResultChartProps {
  readonly answer: QueryAnswer;
  readonly exploration: Exploration;
  readonly figure: Figure;
  readonly zone: string;
  readonly granularity: Granularity;
}

/** A line over time, if time is all that a series' rows differ by; bars otherwise, of one currency at a time. */
export function ResultChart({ answer, exploration, figure, zone, granularity }: ResultChartProps) {
  const { clock, breakdown } = exploration;
  const isLine = clock.length === 1 && clock[0] === "time";
  const series = useMemo(
    () => seriesOfRows(answer.rows, isLine && breakdown !== undefined),
    [answer, isLine, breakdown],
  );
  const [wished, setWished] = useState<string>();
  const shown = series.find(({ key }) => key === wished) ?? series[0];
  if (shown === undefined) return null;
  return (
    <>
      {series.length > 1 && (
        <Choice
          label={x("series")}
          value={shown.key}
          options={series.map((one) => [one.key, seriesName(one)] as const)}
          onChange={setWished}
        />
      )}
      {isLine ? (
        <Line
          key={shown.key}
          series={shown}
          filter={exploration.filter}
          figure={figure}
          zone={zone}
          granularity={granularity}
        />
      ) : (
        <Bars series={shown} exploration={exploration} figure={figure} granularity={granularity} />
      )}
    </>
  );
}

function seriesName({ currency, value }: ResultSeries): string {
  return value === undefined ? currency : x("part_of", { part: partText(value), currency });
}

interface LineProps extends Pick<ResultChartProps, "figure" | "zone" | "granularity"> {
  readonly series: ResultSeries;
  readonly filter: ValueFilter | undefined;
}

function Line({ series, filter, figure, zone, granularity }: LineProps) {
  const [pointed, setPointed] = useState<number | null>(null);
  const points = useMemo(() => pointsOf(series, figure), [series, figure]);
  const rows = useMemo(() => [...series.rows].sort(byTime), [series]);
  const text = (at: number) =>
    `${bucketName(rows[at]?.start ?? "1970-01-01T00:00", granularity)}: ${figureText(figure, points[at]?.value, series.currency)}`;
  const linkOf = (at: number) =>
    linkTo(
      "payments",
      { currency: series.currency },
      { ...paymentsOf(series, filter), since: rows[at]?.start, until: rows[at]?.end },
    );
  const shown = pointed ?? points.length - 1;
  return (
    <>
      <p class="readout">
        <span>{text(shown)}</span>
        <Link class="no-print" to={linkOf(shown)}>
          {t("chart.payments")}
        </Link>
      </p>
      <TimeChart
        label={x(figure)}
        zone={zone}
        points={points}
        axisValue={(value) => figureText(figure, value, series.currency, true)}
        valueText={text}
        onPoint={setPointed}
        onOpen={(at) => go(linkOf(at))}
      />
    </>
  );
}

const byTime = (a: Row, b: Row) => Date.parse(a.start ?? "") - Date.parse(b.start ?? "");

/** Which payments a line is made of, as far as a list of them can be asked for. */
function paymentsOf({ value }: ResultSeries, filter: ValueFilter | undefined): Own {
  const [only] = filter?.keeps && filter.values.length === 1 ? filter.values : [];
  return {
    ...(filter === undefined || only === undefined ? {} : { [filter.dimension]: only }),
    ...(value === undefined || value.part === "other" ? {} : { [value.dimension]: value.value }),
  };
}

type BarsProps = Pick<ResultChartProps, "exploration" | "figure" | "granularity"> & {
  readonly series: ResultSeries;
};

/** More would be no picture any more; the table has all of them. */
const BARS_MAX = 200;

function Bars({ series: { rows, currency }, exploration: { clock, breakdown }, figure, granularity }: BarsProps) {
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
