import type { Steps } from "./empty-buckets.ts";
import type { ClockDimension, Exploration, Figure } from "./exploration.ts";
import { type Row, type RowValue, rowValue, withoutGaps } from "./result-series.ts";

/** Rows of two dimensions or three: one picture for each value of all but one, over that one, all in one scale. */
export interface Facets {
  /** What each picture is over, in its order; a row of it, to be named by. */
  readonly across: ClockDimension;
  readonly steps: readonly Row[];
  /** No more than can be taken in; the table has all of them. */
  readonly facets: readonly Facet[];
  readonly left: number;
  /** Of all pictures: at most 0, at least 0. */
  readonly lowest: number;
  readonly highest: number;
}

export interface Facet {
  readonly key: string;
  /** One of its rows, to be named by. */
  readonly row: Row;
  readonly named: readonly ClockDimension[];
  readonly value: RowValue | undefined;
  /** By the steps; `undefined` where there is no row. */
  readonly values: readonly (number | null | undefined)[];
  /** `undefined` for what does not add up, such as an average. */
  readonly sum: number | undefined;
}

/** What of several rows is as much as what there is of all. Customers may come on several days. */
const ADDED: ReadonlySet<Figure> = new Set([
  ...(["net", "payments.count", "payments.amount", "refunds.count", "refunds.amount"] as const),
  ...(["points.used", "points.earned"] as const),
]);

const FACETS_MAX = 24;

/**
 * `undefined` where rows differ by one thing at most, or by values alone. `stepsOf`: how long those of time are, to have those, too, in which nothing was; `undefined` where
 * that is not known.
 */
export function facetsOf(
  rows: readonly Row[],
  { clock, breakdown }: Pick<Exploration, "clock" | "breakdown">,
  figure: Figure,
  stepsOf?: Steps,
): Facets | undefined {
  // Over the finest: days over hours would be twenty-four pictures of seven columns.
  const across = (["time", "hour", "weekday"] as const).find((dimension) => clock.includes(dimension));
  if (across === undefined || clock.length + (breakdown === undefined ? 0 : 1) < 2) return undefined;
  const answered = [...new Map(rows.map((row) => [orderOf(row, across), row])).values()];
  const steps =
    across === "time" && stepsOf !== undefined
      ? withoutGaps(answered, [], stepsOf)
      : answered.sort((a, b) => orderOf(a, across) - orderOf(b, across));
  const at = new Map(steps.map((row, index) => [orderOf(row, across), index]));
  const named = clock.filter((dimension) => dimension !== across);
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const value = rowValue(row);
    const key = [...named.map((dimension) => orderOf(row, dimension)), value?.part, value?.value].join(" ");
    const known = found.get(key);
    if (known === undefined) found.set(key, [row]);
    else known.push(row);
  }
  const facets = [...found].flatMap(([key, [row, ...more]]) => {
    if (row === undefined) return [];
    const values = new Array<number | null | undefined>(steps.length).fill(undefined);
    for (const one of [row, ...more]) values[at.get(orderOf(one, across)) ?? 0] = one[figure];
    const sum = ADDED.has(figure) ? values.reduce<number>((all, value) => all + (value ?? 0), 0) : undefined;
    return [{ key, row, named, value: breakdown && rowValue(row), values, sum }];
  });
  facets.sort((a, b) => byClock(a, b) || byPart(a, b) || (b.sum ?? 0) - (a.sum ?? 0));
  const shown = facets.slice(0, FACETS_MAX);
  const values = shown.flatMap((facet) => facet.values.map((value) => value ?? 0));
  return {
    across,
    steps,
    facets: shown,
    left: facets.length - shown.length,
    lowest: Math.min(0, ...values),
    highest: Math.max(0, ...values),
  };
}

function orderOf(row: Row, dimension: ClockDimension): number {
  switch (dimension) {
    case "time":
      return Date.parse(row.start ?? "");
    case "weekday":
      return row.weekday ?? 0;
    case "hour":
      return row.hour ?? 0;
    default:
      return dimension satisfies never;
  }
}

function byClock(a: Facet, b: Facet): number {
  for (const dimension of a.named) {
    const order = orderOf(a.row, dimension) - orderOf(b.row, dimension);
    if (order !== 0) return order;
  }
  return 0;
}

const PARTS = ["value", "other", "unspecified"] as const;

/** What has no name comes last. */
const byPart = (a: Facet, b: Facet) =>
  PARTS.indexOf(a.value?.part ?? "value") - PARTS.indexOf(b.value?.part ?? "value");

/** Columns of 1 in width, from nothing to their value, over a height of 100, as one path. */
export function columnsPath(values: Facet["values"], { lowest, highest }: Pick<Facets, "lowest" | "highest">): string {
  const height = highest - lowest || 1;
  const yOf = (value: number) => Math.round(((highest - value) / height) * 10_000) / 100;
  return values
    .map((value, x) => (value ? `M${x + GAP} ${yOf(0)}V${yOf(value)}H${x + 1 - GAP}V${yOf(0)}z` : ""))
    .join("");
}

/** On each side of a column. */
const GAP = 0.08;
