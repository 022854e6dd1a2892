import { AMOUNT_BUCKETS } from "../../shared/amounts.ts";
import { type Breakdown, type Cell, capped, EMPTY_CELL } from "../../shared/breakdown.ts";
import { normalizeCustomers } from "../../shared/customers.ts";
import { byDimension, type Report } from "../../shared/report.ts";
import { countOf, OTHER, sumOf } from "../../shared/window-row.ts";

/** A row of `reportsSql` (history-sql.ts). */
export interface MergedRow {
  readonly currency: string;
  readonly bucket: number;
  readonly revision: number;
  readonly version: bigint;
  readonly report: Report;
}

/**
 * Reads a row as `MERGED_COLUMNS` select it (merged-columns.ts): customers in any order, several ranks of one register among them, breakdowns of
 * more values than are kept. Throws with the column's name where it is none. By hand, since a series is of hundreds of rows of a hundred numbers
 * each: through a schema and the columns of a window it took three times as long.
 */
export function mergedRow(raw: unknown): MergedRow {
  if (typeof raw !== "object" || raw === null) throw new RangeError("history: a row is no object");
  const row = raw as Readonly<Record<string, unknown>>;
  const count = (column: string) => countOf(row[column]) ?? refuse(column);
  const sum = (column: string) => sumOf(row[column]) ?? refuse(column);
  return {
    currency: typeof row.currency === "string" ? row.currency : refuse("currency"),
    bucket: count("bucket"),
    revision: count("revision"),
    version: sum("version"),
    report: {
      payments_count: count("payments_count"),
      payments_amount: sum("payments_amount"),
      refunds_count: count("refunds_count"),
      refunds_amount: sum("refunds_amount"),
      amount_min: count("amount_min"),
      amount_max: count("amount_max"),
      points_used: sum("points_used"),
      points_earned: sum("points_earned"),
      amounts: amountsOf(row.amounts),
      customers: normalizeCustomers(listOf(row.customers, "customers") as readonly number[]),
      breakdowns: byDimension((dimension) => breakdownOf(row[`by_${dimension}`], `by_${dimension}`)),
    },
  };
}

function refuse(column: string): never {
  throw new RangeError(`history: ${column} is not what it should be`);
}

function listOf(value: unknown, column: string): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(column);
}

/** A map; its keys are integers, which an object has in ascending order. */
function amountsOf(value: unknown): Report["amounts"] {
  if (typeof value !== "object" || value === null) return refuse("amounts");
  const map = value as Readonly<Record<string, unknown>>;
  const bucket: number[] = [];
  const count: number[] = [];
  for (const key in map) {
    const at = Number(key);
    bucket.push(Number.isInteger(at) && at >= 0 && at < AMOUNT_BUCKETS ? at : refuse("amounts"));
    count.push(countOf(map[key]) ?? refuse("amounts"));
  }
  return { bucket, count };
}

/** Three lists: values, and the count and sum of each. */
function breakdownOf(lists: unknown, column: string): Breakdown {
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
    const cell = { count: countOf(counts[at]) ?? refuse(column), amount: sumOf(amounts[at]) ?? refuse(column) };
    if (value === OTHER) other = cell;
    else cells.set(value, cell);
  }
  return capped(cells, other);
}
