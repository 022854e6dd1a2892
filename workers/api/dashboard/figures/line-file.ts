import { changeOf } from "../../change.ts";
import { type CsvCell, type CsvColumn, csvFileName } from "../../csv.ts";
import { csvFigure, csvFigureName } from "../../figure-csv.ts";
import { FIGURES, type Figure } from "../../figure-names.ts";
import type { Bucket, Figures } from "../data/answers.ts";
import { csvFile, type SavedFile } from "../data/csv-file.ts";

export interface LineSpan {
  readonly merchantId: string;
  readonly currency: string;
  /** RFC 3339 by the zone's clock, `[from, to)`: what the file is named by when it has no line. */
  readonly from: string;
  readonly to: string;
  /** Whether the line has a base beside it. */
  readonly isCompared: boolean;
}

/** What a line shows, and all other figures of the same buckets, in the columns that the API's own CSV of metrics has (metrics-csv.ts). */
export function lineFile(
  { merchantId, currency, from, to, isCompared }: LineSpan,
  buckets: readonly Bucket[],
): SavedFile {
  const name = csvFileName("metrics", merchantId, buckets[0]?.start ?? from, buckets.at(-1)?.end ?? to);
  const figuresIn = (prefix: string, of: (bucket: Bucket) => Figures | undefined): CsvColumn<Bucket>[] =>
    FIGURES.map((figure) => ({
      name: `${prefix}${csvFigureName(figure)}`,
      value: (bucket) => {
        const figures = of(bucket);
        return figures && csvFigure(ofFigure(figures, figure), figure, currency);
      },
    }));
  const columns: CsvColumn<Bucket>[] = [
    { name: "start", value: ({ start }) => start },
    { name: "end", value: ({ end }) => end },
    { name: "label", value: ({ label }) => label },
    { name: "status", value: ({ status }) => status },
    { name: "currency", value: () => currency },
    ...figuresIn("", (bucket) => bucket),
  ];
  if (isCompared) columns.push(basesColumn, ...figuresIn("base_", (bucket) => bucket.comparison?.base), ...changes);
  return csvFile(name, columns, buckets);
}

const basesColumn: CsvColumn<Bucket> = {
  name: "base_spans",
  value: ({ comparison }) => comparison?.bases.map(({ from, to }) => `${from}/${to}`).join(" "),
};

/** Of the value in the same row, which the stream may have told of since its change was read; of a bucket that goes on, of what is compared of it. */
const changes: readonly CsvColumn<Bucket>[] = FIGURES.map((figure) => ({
  name: `change_${csvFigureName(figure)}`,
  value: (bucket) => {
    const { comparison } = bucket;
    if (comparison == null) return comparison;
    const value = ofFigure<number | null>(comparison.current ?? bucket, figure);
    return ratioCell(changeOf(value, ofFigure<number | null>(comparison.base, figure)).ratio);
  },
}));

const ratioCell = (ratio: number | "new" | null): CsvCell =>
  typeof ratio === "number" ? { number: String(ratio) } : ratio;

/** Of what has something of each figure, in the shape of answers. */
interface OfFigures<T> {
  readonly payments: { readonly count: T; readonly amount: T };
  readonly refunds: { readonly count: T; readonly amount: T };
  readonly points: { readonly used: T; readonly earned: T };
  readonly net: T;
  readonly average: T;
  readonly min: T;
  readonly max: T;
  readonly p50: T;
  readonly p90: T;
  readonly p99: T;
  readonly customers: T;
}

function ofFigure<T>(figures: OfFigures<T>, figure: Figure): T {
  switch (figure) {
    case "payments.count":
      return figures.payments.count;
    case "payments.amount":
      return figures.payments.amount;
    case "refunds.count":
      return figures.refunds.count;
    case "refunds.amount":
      return figures.refunds.amount;
    case "points.used":
      return figures.points.used;
    case "points.earned":
      return figures.points.earned;
    default:
      return figures[figure];
  }
}
