import type { Cell } from "../../shared/breakdown.ts";
import type { Bucket } from "./calendar.ts";
import type { Change } from "./change.ts";
import { type CsvCell, type CsvColumn, type CsvTable, csvFileName, csvMoney, csvTable } from "./csv.ts";
import { csvFigure, csvFigureName } from "./figure-csv.ts";
import { FIGURES } from "./figure-names.ts";
import { figuresOf } from "./figures.ts";
import type { Part } from "./group-by.ts";
import { bucketsOf, type CurrencySeries, type MetricsReading, statusIn } from "./metrics.ts";
import { presentTime } from "./present.ts";

/** The same answer as a table: a row a bucket and currency, or, by group, a bucket, currency and value (docs/decisions/0043). */
export function metricsCsv(reading: MetricsReading, byteOrderMark: boolean): CsvTable {
  const { zone, series, groupBy } = reading.parameters;
  const [from, to] = [presentTime(series.fromMs, zone), presentTime(series.toMs, zone)];
  const name = csvFileName("metrics", reading.merchantId, from, to);
  const options = { byteOrderMark, notices: reading.notices.map(({ code }) => code) };
  return groupBy === undefined
    ? csvTable(name, [...bucketColumns(reading), ...figureColumns(reading)], () => figureRows(reading), options)
    : csvTable(name, [...bucketColumns(reading), ...partColumns(groupBy)], () => partRows(reading), options);
}

interface InBucket {
  readonly currency: string;
  readonly bucket: Bucket;
}

function bucketColumns(reading: MetricsReading): CsvColumn<InBucket>[] {
  const { zone } = reading.parameters;
  return [
    { name: "start", value: ({ bucket }) => presentTime(bucket.startMs, zone) },
    { name: "end", value: ({ bucket }) => presentTime(bucket.endMs, zone) },
    { name: "label", value: ({ bucket }) => bucket.label },
    { name: "status", value: ({ bucket }) => statusIn(reading, bucket.endMs) },
    { name: "currency", value: ({ currency }) => currency },
  ];
}

type FigureRow = ReturnType<typeof figureRows> extends Generator<infer Row> ? Row : never;

function* figureRows(reading: MetricsReading) {
  for (const series of reading.series) {
    for (const { bucket, reading: one, compared } of bucketsOf(reading, series)) {
      yield { currency: series.currency, bucket, figures: figuresOf(one.report), compared };
    }
  }
}

function figureColumns({ spans, parameters: { zone } }: MetricsReading): CsvColumn<FigureRow>[] {
  const figures = FIGURES.map((figure) => ({
    name: csvFigureName(figure),
    value: ({ figures, currency }: FigureRow) => csvFigure(figures[figure], figure, currency),
  }));
  if (spans === undefined) return figures;
  return [
    ...figures,
    {
      name: "base_spans",
      value: ({ compared }) =>
        compared?.spans.map(({ fromMs, toMs }) => `${presentTime(fromMs, zone)}/${presentTime(toMs, zone)}`).join(" "),
    },
    ...FIGURES.map((figure) => ({
      name: `base_${csvFigureName(figure)}`,
      value: ({ compared, currency }: FigureRow) => compared && csvFigure(compared.base[figure], figure, currency),
    })),
    ...FIGURES.map((figure) => ({
      name: `change_${csvFigureName(figure)}`,
      value: ({ compared }: FigureRow) => compared && csvRatio(compared.change[figure]),
    })),
  ];
}

interface PartRow extends InBucket {
  readonly part: Part;
  readonly cell: Cell;
}

function* partRows(reading: MetricsReading): Generator<PartRow> {
  for (const series of reading.series) yield* partsOfSeries(reading, series);
}

function* partsOfSeries(reading: MetricsReading, series: CurrencySeries): Generator<PartRow> {
  for (const { at, bucket } of bucketsOf(reading, series)) {
    for (const part of series.parts ?? []) {
      const cell = part.buckets[at];
      if (cell !== undefined) yield { currency: series.currency, bucket, part, cell };
    }
  }
}

function partColumns(dimension: string): CsvColumn<PartRow>[] {
  return [
    { name: "part", value: ({ part }) => part.part },
    { name: dimension, value: ({ part }) => part.value },
    { name: "payments_count", value: ({ cell }) => cell.count },
    { name: "payments_amount", value: ({ cell, currency }) => csvMoney(cell.amount, currency) },
  ];
}

function csvRatio({ ratio }: Change): CsvCell {
  return typeof ratio === "number" ? { number: String(ratio) } : ratio;
}
