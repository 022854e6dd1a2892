import { bucketRange } from "../../shared/amounts.ts";
import { type Breakdown, type Cell, DIMENSIONS } from "../../shared/breakdown.ts";
import type { Report } from "../../shared/report.ts";
import type { Change } from "./change.ts";
import type { Figure, Figures, FigureValue } from "./figure-names.ts";
import { figuresOf } from "./figures.ts";
import { offsetAt } from "./zone.ts";

/** A `bigint` as the JSON number it is, with all its digits: past 2^53 only clients that read such numbers exactly get them exactly. */
export function exact(value: FigureValue): unknown {
  if (typeof value !== "bigint") return value;
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(value.toString());
}

/** A report as the API shows it: money in integer minor units; what has no value without payments is null, never 0. */
export function presentReport(report: Report) {
  return { ...presentFigures(figuresOf(report)), breakdowns: presentBreakdowns(report) };
}

export const presentFigures = (figures: Figures) => nested((figure) => exact(figures[figure]));

export const presentChange = ({ absolute, ratio }: Change) => ({ absolute: exact(absolute), ratio });

/** Something of each figure, in the shape that answers have. */
export function nested<T>(of: (figure: Figure) => T) {
  return {
    payments: { count: of("payments.count"), amount: of("payments.amount") },
    refunds: { count: of("refunds.count"), amount: of("refunds.amount") },
    net: of("net"),
    average: of("average"),
    min: of("min"),
    max: of("max"),
    p50: of("p50"),
    p90: of("p90"),
    p99: of("p99"),
    points: { used: of("points.used"), earned: of("points.earned") },
    customers: of("customers"),
  };
}

function presentBreakdowns(report: Report) {
  return Object.fromEntries(
    DIMENSIONS.map((dimension) => [dimension, presentBreakdown(report.breakdowns[dimension], report)]),
  );
}

/** How many payments are of which amounts: the sketch as it is counted, so that whoever adds up several has that of all of them. */
export function presentAmounts({ amounts }: Report) {
  return amounts.bucket.map((bucket, at) => {
    const { low, high } = bucketRange(bucket);
    return { from: low, to: high, count: amounts.count[at] ?? 0 };
  });
}

/** Largest amount first; `unspecified` is what payments without the dimension add up to, so that the parts make the whole. */
function presentBreakdown(breakdown: Breakdown, report: Report) {
  return {
    values: byAmount(breakdown).map(([value, cell]) => ({ value, ...presentCell(cell) })),
    other: presentCell(breakdown.other),
    unspecified: presentCell(unspecifiedOf(breakdown, report)),
  };
}

/** Largest amount first. */
export function byAmount({ values }: Breakdown): [value: string, cell: Cell][] {
  return [...values].sort(([a, cellA], [b, cellB]) =>
    cellA.amount === cellB.amount ? (a < b ? -1 : 1) : cellA.amount > cellB.amount ? -1 : 1,
  );
}

/** What payments without the dimension add up to. */
export function unspecifiedOf({ values, other }: Breakdown, { payments_count, payments_amount }: Report): Cell {
  let count = payments_count - other.count;
  let amount = payments_amount - other.amount;
  for (const cell of values.values()) {
    count -= cell.count;
    amount -= cell.amount;
  }
  return { count, amount };
}

export const presentCell = ({ count, amount }: Cell) => ({ count, amount: exact(amount) });

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

export function presentSpan({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }, zone: string) {
  return { from: presentTime(fromMs, zone), to: presentTime(toMs, zone) };
}
