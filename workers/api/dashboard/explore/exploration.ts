import { DIMENSIONS } from "../../../../shared/breakdown.ts";
import type { Dimension, Granularity } from "../data/answers.ts";

/** The figures of a query, and which of them are money; by name the API's own. */
export const FIGURES = {
  net: "money",
  "payments.count": "count",
  "payments.amount": "money",
  average: "money",
  customers: "count",
  "refunds.count": "count",
  "refunds.amount": "money",
  min: "money",
  p50: "money",
  p90: "money",
  p99: "money",
  max: "money",
  "points.used": "count",
  "points.earned": "count",
} as const;
export type Figure = keyof typeof FIGURES;
export const FIGURE_NAMES = Object.keys(FIGURES) as Figure[];

/** Those that are counted by value: of the others nothing is known but as a whole. */
export const FIGURES_BY_VALUE: ReadonlySet<Figure> = new Set<Figure>(["payments.count", "payments.amount", "average"]);

export const CLOCK_DIMENSIONS = ["time", "weekday", "hour"] as const;
export type ClockDimension = (typeof CLOCK_DIMENSIONS)[number];

/** Payments are counted by one of the breakdowns at a time: to tell rows apart by, or to choose by. */
export interface ValueFilter {
  readonly dimension: Dimension;
  readonly keeps: boolean;
  readonly values: readonly string[];
}

/** An ad-hoc query but for its span, as the address says it. */
export interface Exploration {
  readonly metrics: readonly Figure[];
  readonly clock: readonly ClockDimension[];
  readonly breakdown: Dimension | undefined;
  readonly filter: ValueFilter | undefined;
  /** Of a figure or a dimension; a minus before it for the most first. */
  readonly order: string | undefined;
  readonly limit: number;
  readonly as: "chart" | "table";
}

/** Whether a figure is known of what an exploration tells apart, or chooses, by value. */
export function isAskable(figure: Figure, { breakdown, filter }: Pick<Exploration, "breakdown" | "filter">): boolean {
  return (breakdown === undefined && filter === undefined) || FIGURES_BY_VALUE.has(figure);
}

export const LIMIT_ROWS_DEFAULT = 1_000;
export const LIMIT_ROWS_MAX = 10_000;

type Own = Readonly<Record<string, string>>;

/** Whatever an address has that is none of ours is left out. */
export function explorationOf(own: Own): Exploration {
  const limit = Number(own.limit);
  return {
    metrics: own.metrics === undefined ? ["net", "payments.count"] : listed(own.metrics, FIGURE_NAMES),
    clock: own.by === undefined ? ["time"] : listed(own.by, CLOCK_DIMENSIONS),
    breakdown: DIMENSIONS.find((dimension) => dimension === own.and_by),
    filter: filterOf(own.only),
    order: own.order === "" ? undefined : own.order,
    limit: Number.isSafeInteger(limit) && limit > 0 ? limit : LIMIT_ROWS_DEFAULT,
    as: own.as === "table" ? "table" : "chart",
  };
}

/** What an address says of it; what is as by default is not said. */
export function ownOf({ metrics, clock, breakdown, filter, order, limit, as }: Exploration) {
  return {
    metrics: metrics.join(","),
    by: clock.join(","),
    and_by: breakdown,
    only: filter && [filter.dimension, filter.keeps ? "in" : "not_in", filter.values.join(",")].join(":"),
    order,
    limit: limit === LIMIT_ROWS_DEFAULT ? undefined : String(limit),
    as: as === "table" ? as : undefined,
  };
}

export interface AskedBy {
  readonly from: string;
  readonly to: string;
  readonly zone: string;
  readonly granularity: Granularity;
  readonly currency: string | undefined;
}

/** The body of the query. */
export function bodyOf(exploration: Exploration, { from, to, zone, granularity, currency }: AskedBy) {
  const { metrics, clock, breakdown, filter, order, limit } = exploration;
  return {
    ...{ from, to, tz: zone, metrics, limit },
    dimensions: [...clock, ...(breakdown === undefined ? [] : [breakdown])],
    ...(clock.includes("time") ? { granularity } : {}),
    where: {
      ...(currency === undefined ? {} : { currency }),
      ...(filter === undefined ? {} : { [filter.dimension]: { [filter.keeps ? "in" : "not_in"]: filter.values } }),
    },
    ...(order === undefined ? {} : { order: [orderOf(order)] }),
  };
}

function orderOf(order: string) {
  return order.startsWith("-")
    ? { by: order.slice(1), direction: "desc" as const }
    : { by: order, direction: "asc" as const };
}

/** The parts of the form, by which of them an error of the API is about. */
export type Field = "span" | "metrics" | "dimensions" | "granularity" | "currency" | "filter" | "order" | "limit";

export function fieldOf(parameter: string | undefined): Field | undefined {
  const [first = "", second] = (parameter ?? "").split(".");
  if (first === "where") return second === "currency" ? "currency" : "filter";
  if (first === "from" || first === "to" || first === "tz") return "span";
  return (["metrics", "dimensions", "granularity", "order", "limit"] as const).find((field) => field === first);
}

function listed<T extends string>(text: string, known: readonly T[]): T[] {
  const named = new Set(text.split(","));
  return known.filter((name) => named.has(name));
}

function filterOf(text: string | undefined): ValueFilter | undefined {
  const [name, kind, ...values] = (text ?? "").split(":");
  const dimension = DIMENSIONS.find((known) => known === name);
  return dimension === undefined
    ? undefined
    : { dimension, keeps: kind !== "not_in", values: valuesOf(values.join(":")) };
}

/** As they are typed, with commas between. */
export function valuesOf(text: string): string[] {
  return text
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");
}
