import { amountQuantile } from "../../shared/amounts.ts";
import { type Breakdown, type Cell, DIMENSIONS } from "../../shared/breakdown.ts";
import { estimateCustomers } from "../../shared/customers.ts";
import type { Report } from "../../shared/report.ts";
import { offsetAt } from "./zone.ts";

/** A `bigint` as the JSON number it is, with all its digits: past 2^53 only clients that read such numbers exactly get them exactly. */
function exact(value: bigint): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(value.toString());
}

/** A report as the API shows it: money in integer minor units; what has no value without payments is null, never 0. */
export function presentReport(report: Report) {
  const { payments_count: count, amount_min: min, amount_max: max } = report;
  const quantile = (q: number) => amountQuantile(report.amounts, q, { min, max });
  return {
    payments: { count, amount: exact(report.payments_amount) },
    refunds: { count: report.refunds_count, amount: exact(report.refunds_amount) },
    net: exact(report.payments_amount - report.refunds_amount),
    average: count === 0 ? null : exact(roundedQuotient(report.payments_amount, BigInt(count))),
    min: count === 0 ? null : min,
    max: count === 0 ? null : max,
    p50: quantile(0.5),
    p90: quantile(0.9),
    p99: quantile(0.99),
    points: { used: exact(report.points_used), earned: exact(report.points_earned) },
    customers: estimateCustomers(report.customers),
    breakdowns: Object.fromEntries(
      DIMENSIONS.map((dimension) => [dimension, presentBreakdown(report.breakdowns[dimension], report)]),
    ),
  };
}

/** Largest amount first; `unspecified` is what payments without the dimension add up to, so that the parts make the whole. */
function presentBreakdown({ values, other }: Breakdown, { payments_count, payments_amount }: Report) {
  const cells = [...values].sort(([a, cellA], [b, cellB]) =>
    cellA.amount === cellB.amount ? (a < b ? -1 : 1) : cellA.amount > cellB.amount ? -1 : 1,
  );
  let count = payments_count - other.count;
  let amount = payments_amount - other.amount;
  for (const [, cell] of cells) {
    count -= cell.count;
    amount -= cell.amount;
  }
  return {
    values: cells.map(([value, cell]) => ({ value, ...presentCell(cell) })),
    other: presentCell(other),
    unspecified: presentCell({ count, amount }),
  };
}

const presentCell = ({ count, amount }: Cell) => ({ count, amount: exact(amount) });

/** Half up. Both are at least 0, the divisor is not 0. */
function roundedQuotient(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor);
}

/** RFC 3339 with the zone's offset, to the second where there are no milliseconds. */
export function presentTime(ms: number, zone: string): string {
  const offsetMs = offsetAt(zone, ms);
  const local = new Date(ms + offsetMs).toISOString();
  const date = local.endsWith(".000Z") ? local.slice(0, 19) : local.slice(0, 23);
  if (offsetMs === 0) return `${date}Z`;
  const minutes = Math.abs(Math.round(offsetMs / 60_000));
  const hh = String(Math.floor(minutes / 60)).padStart(2, "0");
  const mm = String(minutes % 60).padStart(2, "0");
  return `${date}${offsetMs < 0 ? "-" : "+"}${hh}:${mm}`;
}
