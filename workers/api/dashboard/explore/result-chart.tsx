import { useLayoutEffect, useMemo, useState } from "preact/hooks";
import { go, linkTo, type Own } from "../address/address.ts";
import type { ChartPoint } from "../chart/plot.ts";
import { TimeChart } from "../chart/time-chart.tsx";
import { type Extent, extentOf } from "../chart/zoom.ts";
import type { Granularity, QueryAnswer } from "../data/answers.ts";
import { Choice } from "../shell/choice.tsx";
import { Link } from "../shell/link.tsx";
import { bucketNameAmong } from "../text/format.ts";
import { t } from "../text/text.ts";
import type { Steps } from "./empty-buckets.ts";
import type { Exploration, Figure, ValueFilter } from "./exploration.ts";
import { exploreText as x } from "./explore-text.ts";
import { facetsOf } from "./facets.ts";
import { FacetsChart } from "./facets-chart.tsx";
import { ResultBars } from "./result-bars.tsx";
import { labelsOf, pointsOf, type ResultSeries, type Row, seriesOfRows, withoutGaps } from "./result-series.ts";
import { figureText, partText } from "./row-text.ts";

/** What of an answer is drawn. */
export interface Drawn {
  readonly rows: readonly Row[];
  /** Where each of the rows stands, of a line: it may be zoomed. */
  readonly line?: { readonly points: readonly ChartPoint[]; readonly all: Extent };
}

export interface ResultChartProps {
  readonly answer: QueryAnswer;
  readonly exploration: Exploration;
  readonly figure: Figure;
  readonly zone: string;
  readonly granularity: Granularity;
  /** Told before it is seen. */
  readonly onDrawn: (drawn: Drawn) => void;
}

/** What all lines together are chosen by. */
const ALL = "all";

/**
 * A line over time, if time is all that rows differ by; a small picture for each value, where they differ by more; bars otherwise. Of one currency at
 * a time. Over time one value can be chosen, whose line zooms.
 */
export function ResultChart({ answer, exploration, figure, zone, granularity, onDrawn }: ResultChartProps) {
  const { clock, breakdown } = exploration;
  const isLine = clock.length === 1 && clock[0] === "time";
  const currencies = useMemo(() => seriesOfRows(answer.rows, false), [answer]);
  const [wishedCurrency, setCurrency] = useState<string>();
  const all = currencies.find(({ currency }) => currency === wishedCurrency) ?? currencies[0];
  const lines = useMemo(() => (isLine && all !== undefined ? seriesOfRows(all.rows, true) : []), [all, isLine]);
  const [wishedLine, setLine] = useState<string>(ALL);
  // Of rows that were cut off it is not known where nothing was.
  const steps = useMemo(
    () => (answer.truncated ? undefined : { zone, granularity }),
    [answer.truncated, zone, granularity],
  );
  const facets = useMemo(
    () => all && facetsOf(all.rows, exploration, figure, steps),
    [all, clock, breakdown, figure, steps],
  );
  const line = lines.find(({ key }) => key === wishedLine) ?? (lines.length === 1 ? lines[0] : undefined);
  useLayoutEffect(() => {
    if (line === undefined && all !== undefined) onDrawn({ rows: all.rows });
  }, [line, all]);
  if (all === undefined) return null;
  return (
    <>
      <div class="controls">
        {currencies.length > 1 && (
          <Choice
            label={x("currency")}
            value={all.currency}
            options={currencies.map(({ currency }) => [currency, currency] as const)}
            onChange={setCurrency}
          />
        )}
        {lines.length > 1 && (
          <Choice
            label={x("series")}
            value={line?.key ?? ALL}
            options={[[ALL, x("series.all")], ...lines.map((one) => [one.key, lineName(one)] as const)]}
            onChange={setLine}
          />
        )}
      </div>
      {line !== undefined ? (
        <Line
          key={line.key}
          series={line}
          steps={steps}
          exploration={exploration}
          figure={figure}
          zone={zone}
          granularity={granularity}
          onDrawn={onDrawn}
        />
      ) : facets !== undefined ? (
        <FacetsChart facets={facets} figure={figure} currency={all.currency} granularity={granularity} />
      ) : (
        <ResultBars series={all} exploration={exploration} figure={figure} granularity={granularity} />
      )}
    </>
  );
}

const lineName = ({ currency, value }: ResultSeries) => (value === undefined ? currency : partText(value));

interface LineProps extends Pick<ResultChartProps, "figure" | "zone" | "granularity" | "onDrawn"> {
  readonly series: ResultSeries;
  readonly steps: Steps | undefined;
  readonly exploration: Exploration;
}

function Line({ series, steps, exploration, figure, zone, granularity, onDrawn }: LineProps) {
  const { filter } = exploration;
  const [pointed, setPointed] = useState<number | null>(null);
  const rows = useMemo(
    () => (steps === undefined ? [...series.rows].sort(byTime) : withoutGaps(series.rows, exploration.metrics, steps)),
    [series, exploration.metrics.join(), steps],
  );
  const points = useMemo(() => pointsOf({ ...series, rows }, figure), [series, rows, figure]);
  const all = useMemo(() => extentOf(points), [points]);
  useLayoutEffect(() => onDrawn({ rows, line: { points, all } }), [rows, points, all]);
  const labels = useMemo(() => labelsOf(rows), [rows]);
  const text = (at: number) =>
    `${bucketNameAmong(labels, at, granularity)}: ${figureText(figure, points[at]?.value, series.currency)}`;
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
        all={all}
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
