import { AMOUNT_BUCKETS } from "../../shared/amounts.ts";
import { type Breakdown, type Cell, capped, type Dimension, EMPTY_CELL } from "../../shared/breakdown.ts";
import { normalizeCustomers } from "../../shared/customers.ts";
import { byDimension, EMPTY_REPORT, type Report } from "../../shared/report.ts";
import { countOf, OTHER, sumOf } from "../../shared/window-row.ts";
import type { MergedColumn } from "../merged-columns.ts";

/** A row of `reportsSql` (history-sql.ts). */
export interface MergedRow {
  readonly currency: string;
  readonly bucket: number;
  readonly revision: number;
  readonly version: bigint;
  readonly report: Report;
}

/**
 * Reads a row of `reportsSql`, a list in the order of its columns (`MERGED_COLUMNS` in merged-columns.ts): customers in any order, several ranks of
 * one register among them, breakdowns of more values than are kept. Throws with the column's name where it is none, and `BeyondNumbers`. By
 * hand, since a series is of hundreds of rows of a hundred numbers each: through a schema and the columns of a window it took three times
 * as long.
 */
export function mergedRow(raw: unknown): MergedRow {
  const [currency, bucket, revision, version, ...report] = listOf(raw, "a row");
  return {
    currency: typeof currency === "string" ? currency : refuse("currency"),
    bucket: countIn(bucket, "bucket"),
    revision: countIn(revision, "revision"),
    version: sumIn(version, "version"),
    report: reportIn(report),
  };
}

function reportIn(columns: readonly unknown[]): Report {
  const [payments, paid, refunds, refunded, used, earned, min, max, amounts, customers, ...by] = columns;
  return {
    payments_count: countIn(payments, "payments_count"),
    payments_amount: sumIn(paid, "payments_amount"),
    refunds_count: countIn(refunds, "refunds_count"),
    refunds_amount: sumIn(refunded, "refunds_amount"),
    amount_min: countIn(min, "amount_min"),
    amount_max: countIn(max, "amount_max"),
    points_used: sumIn(used, "points_used"),
    points_earned: sumIn(earned, "points_earned"),
    amounts: amountsIn(amounts),
    customers: normalizeCustomers(listOf(customers, "customers") as readonly number[]),
    breakdowns: byDimension((dimension, at) => breakdownIn(by[at], `by_${dimension}`)),
  };
}

/** A report of some of the columns, in their order; what is in the others is nothing. For a few columns of any kind: `reportIn` reads all of them. */
export function partialReport(columns: readonly MergedColumn[], values: readonly unknown[]): Report {
  const parts: { -readonly [Part in keyof Report]?: Report[Part] } = {};
  const breakdowns: Partial<Record<Dimension, Breakdown>> = {};
  for (const [at, column] of columns.entries()) {
    const value = values[at];
    switch (column) {
      case "payments_count":
      case "refunds_count":
      case "amount_min":
      case "amount_max":
        parts[column] = countIn(value, column);
        break;
      case "payments_amount":
      case "refunds_amount":
      case "points_used":
      case "points_earned":
        parts[column] = sumIn(value, column);
        break;
      case "amounts":
        parts.amounts = amountsIn(value);
        break;
      case "customers":
        parts.customers = normalizeCustomers(listOf(value, column) as readonly number[]);
        break;
      default:
        breakdowns[column.slice("by_".length) as Dimension] = breakdownIn(value, column);
    }
  }
  return { ...EMPTY_REPORT, ...parts, breakdowns: { ...EMPTY_REPORT.breakdowns, ...breakdowns } };
}

/** A sum of 2^53 or more came as a number, which has lost digits: it has to be asked for as text. */
export class BeyondNumbers extends RangeError {}

export const countIn = (value: unknown, column: string) => countOf(value) ?? refuse(column);

function sumIn(value: unknown, column: string): bigint {
  if (typeof value === "number" && value > Number.MAX_SAFE_INTEGER) throw new BeyondNumbers(`history: ${column}`);
  return sumOf(value) ?? refuse(column);
}

function refuse(column: string): never {
  throw new RangeError(`history: ${column} is not what it should be`);
}

export function listOf(value: unknown, column: string): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(column);
}

/** A map; its keys are integers, which an object has in ascending order. */
function amountsIn(map: unknown): Report["amounts"] {
  if (typeof map !== "object" || map === null) return refuse("amounts");
  const bucket: number[] = [];
  const count: number[] = [];
  for (const [key, payments] of Object.entries(map)) {
    const at = Number(key);
    bucket.push(Number.isInteger(at) && at >= 0 && at < AMOUNT_BUCKETS ? at : refuse("amounts"));
    count.push(countIn(payments, "amounts"));
  }
  return { bucket, count };
}

/** Three lists: values, and the count and sum of each. */
function breakdownIn(lists: unknown, column: string): Breakdown {
  const three = listOf(lists, column);
  const values = listOf(three[0], column);
  const counts = listOf(three[1], column);
  const amounts = listOf(three[2], column);
  if (counts.length !== values.length || amounts.length !== values.length) return refuse(column);
  const cells = new Map<string, Cell>();
  let other = EMPTY_CELL;
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (typeof value !== "string") return refuse(column);
    const cell = { count: countIn(counts[at], column), amount: sumIn(amounts[at], column) };
    if (value === OTHER) other = cell;
    else cells.set(value, cell);
  }
  return capped(cells, other);
}
