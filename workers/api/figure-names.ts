/** The numbers of a report, by the names that a query asks for them by; where an answer nests them, a point is a step. */
export const FIGURES = [
  "payments.count",
  "payments.amount",
  "refunds.count",
  "refunds.amount",
  "net",
  "average",
  "min",
  "max",
  "p50",
  "p90",
  "p99",
  "points.used",
  "points.earned",
  "customers",
] as const;
export type Figure = (typeof FIGURES)[number];

/** In minor units of the report's currency: those of two currencies do not compare. */
export const MONEY_FIGURES: ReadonlySet<Figure> = new Set<Figure>([
  "payments.amount",
  "refunds.amount",
  "net",
  "average",
  "min",
  "max",
  "p50",
  "p90",
  "p99",
]);

/** An integer, or `null` for what has no value without payments. */
export type FigureValue = number | bigint | null;
export type Figures = Readonly<Record<Figure, FigureValue>>;
