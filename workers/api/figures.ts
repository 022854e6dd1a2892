import { amountQuantile } from "../../shared/amounts.ts";
import { estimateCustomers } from "../../shared/customers.ts";
import { mergeReports, type Report } from "../../shared/report.ts";
import { FIGURES, type Figure, type Figures, type FigureValue } from "./figure-names.ts";

const OF_REPORT: Readonly<Record<Figure, (report: Report) => FigureValue>> = {
  "payments.count": (report) => report.payments_count,
  "payments.amount": (report) => report.payments_amount,
  "refunds.count": (report) => report.refunds_count,
  "refunds.amount": (report) => report.refunds_amount,
  net: (report) => report.payments_amount - report.refunds_amount,
  average: ({ payments_count: count, payments_amount: amount }) =>
    count === 0 ? null : roundedQuotient(amount, BigInt(count)),
  min: (report) => (report.payments_count === 0 ? null : report.amount_min),
  max: (report) => (report.payments_count === 0 ? null : report.amount_max),
  p50: (report) => quantile(report, 0.5),
  p90: (report) => quantile(report, 0.9),
  p99: (report) => quantile(report, 0.99),
  "points.used": (report) => report.points_used,
  "points.earned": (report) => report.points_earned,
  customers: (report) => estimateCustomers(report.customers),
};

export const figureOf = (report: Report, figure: Figure): FigureValue => OF_REPORT[figure](report);

export function figuresOf(report: Report): Figures {
  return eachFigure((figure) => figureOf(report, figure));
}

/** What tells of the payments themselves: of several spans it is that of all their payments, since a mean of medians is no median. */
const OF_PAYMENTS: ReadonlySet<Figure> = new Set<Figure>(["average", "min", "max", "p50", "p90", "p99"]);

/** The mean of several spans, rounded half up: of counts, sums and customers; see `OF_PAYMENTS` for the others. */
export function meanFigures(reports: readonly Report[]): Figures {
  const all = figuresOf(reports.reduce(mergeReports));
  if (reports.length === 1) return all;
  const each = reports.map(figuresOf);
  return eachFigure((figure) =>
    OF_PAYMENTS.has(figure)
      ? all[figure]
      : roundedQuotient(
          each.reduce((sum, figures) => sum + BigInt(figures[figure] ?? 0), 0n),
          BigInt(reports.length),
        ),
  );
}

export function eachFigure<T>(of: (figure: Figure) => T): Readonly<Record<Figure, T>> {
  return Object.fromEntries(FIGURES.map((figure) => [figure, of(figure)])) as Record<Figure, T>;
}

/** Half up. The divisor is positive. */
export function roundedQuotient(dividend: bigint, divisor: bigint): bigint {
  const twice = 2n * dividend + divisor;
  const quotient = twice / (2n * divisor);
  // Division is towards zero, and half up is towards the larger.
  return twice < 0n && quotient * 2n * divisor !== twice ? quotient - 1n : quotient;
}

function quantile({ amounts, amount_min: min, amount_max: max }: Report, q: number): number | null {
  return amountQuantile(amounts, q, { min, max });
}
