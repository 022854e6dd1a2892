import { z } from "zod";
import { AMOUNT_BUCKETS, type AmountHistogram } from "./amounts.ts";
import { BREAKDOWN_VALUES_MAX, type Breakdown, capped, DIMENSIONS, type Dimension, EMPTY_CELL } from "./breakdown.ts";
import { isCustomerValue, normalizeCustomers, parseCustomers } from "./customers.ts";
import { byDimension, type Report } from "./report.ts";
import { WINDOW_MS } from "./window.ts";

/**
 * One merchant's window in one currency as it crosses the WINDOWS queue and stands in ClickHouse's `windows`: absolute
 * state under a `revision` that only grows, so a row may arrive any number of times and in any order.
 */
export interface MerchantWindow {
  readonly merchantId: string;
  readonly currency: string;
  readonly startMs: number;
  /** Epoch milliseconds of the last change, strictly increasing within a shard. */
  readonly revision: number;
  readonly report: Report;
}

const COUNT = /^\d{1,16}$/;
const SUM = /^\d{1,39}$/;

/** `undefined` for what is none, as are the others below: a count up to 2^53 - 1, as a number or as decimal digits. */
export function countOf(value: unknown): number | undefined {
  const number = typeof value === "string" && COUNT.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** A sum, which may be beyond 2^53. */
export function sumOf(value: unknown): bigint | undefined {
  if (typeof value === "string") return SUM.test(value) ? BigInt(value) : undefined;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined;
}

const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);
const bucketOf = (value: unknown) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < AMOUNT_BUCKETS
    ? (value as number)
    : undefined;
const customerOf = (value: unknown) => (isCustomerValue(value) ? value : undefined);

/**
 * A schema of one function, for a value or for a list: rows are read by the hundred, of a hundred numbers each, and a schema for every one of
 * them took ten times as long as all else.
 */
function one<T>(read: (value: unknown) => T | undefined, what: string) {
  return z.unknown().transform((value, context): T => read(value) ?? refused(context, `not ${what}`));
}

function list<T>(read: (value: unknown) => T | undefined, what: string) {
  return z.unknown().transform((values, context): T[] => {
    if (!Array.isArray(values)) return refused(context, "not a list");
    const found: T[] = [];
    for (const value of values) {
      const each = read(value);
      if (each === undefined) return refused(context, `not ${what}`);
      found.push(each);
    }
    return found;
  });
}

function refused(context: z.core.$RefinementCtx, message: string): never {
  context.issues.push({ code: "custom", message, input: undefined });
  return z.NEVER;
}

const count = one(countOf, "an integer from 0 to 2^53 - 1");
const sum = one(sumOf, "an integer of up to 39 digits");
const counts = list(countOf, "integers from 0 to 2^53 - 1");
const sums = list(sumOf, "integers of up to 39 digits");
const texts = list(textOf, "texts");
const epochSeconds = z.union([
  z.int().min(0),
  z
    .string()
    .regex(/^\d{1,10}$/)
    .transform(Number),
]);

const dimensionColumns = Object.fromEntries(
  DIMENSIONS.flatMap((dimension) => [
    [`by_${dimension}_value`, texts],
    [`by_${dimension}_count`, counts],
    [`by_${dimension}_amount`, sums],
  ]),
) as Record<`by_${Dimension}_value`, typeof texts> &
  Record<`by_${Dimension}_count`, typeof counts> &
  Record<`by_${Dimension}_amount`, typeof sums>;

/**
 * The counters of a report as columns; also what a query that merges windows returns: its customers in any order, several ranks of one
 * register among them, its breakdowns of more values than are kept.
 */
export const reportColumnsSchema = z.object({
  payments_count: count,
  payments_amount: sum,
  refunds_count: count,
  refunds_amount: sum,
  amount_min: count,
  amount_max: count,
  points_used: sum,
  points_earned: sum,
  amount_bucket: list(bucketOf, "buckets of amounts").refine(isAscending, "not ascending"),
  amount_bucket_count: counts,
  customers: list(customerOf, "registers with a rank"),
  ...dimensionColumns,
});
export type ReportColumns = z.output<typeof reportColumnsSchema>;

/** A row as `toRow` writes it: one report, one form. Anything else was damaged, and would become a wrong number. */
export const windowRowSchema = reportColumnsSchema
  .extend({
    merchant_id: z.string(),
    currency: z.string(),
    window_start: epochSeconds.refine((s) => s % (WINDOW_MS / 1000) === 0, "no window starts there"),
    revision: count,
  })
  .superRefine((row, context) => {
    const refuse = (column: string, message: string) => context.addIssue({ code: "custom", path: [column], message });
    const buckets = row.amount_bucket_count;
    if (buckets.length !== row.amount_bucket.length || buckets.includes(0)) refuse("amount_bucket_count", UNEVEN);
    if (total(buckets) !== row.payments_count) refuse("amount_bucket_count", "not of as many payments");
    if (parseCustomers(row.customers) === null) refuse("customers", "not ascending, one value a register");
    for (const dimension of DIMENSIONS) {
      const fault = breakdownFault(row, dimension);
      if (fault !== undefined) refuse(`by_${dimension}_value`, fault);
    }
  });

const UNEVEN = "each entry has a count of at least 1";

function breakdownFault(row: ReportColumns, dimension: Dimension): string | undefined {
  const values = row[`by_${dimension}_value`];
  const counts = row[`by_${dimension}_count`];
  const amounts = row[`by_${dimension}_amount`];
  if (counts.length !== values.length || amounts.length !== values.length || counts.includes(0)) return UNEVEN;
  if (!isAscending(values)) return "not ascending";
  if (values.length > BREAKDOWN_VALUES_MAX + (values[0] === OTHER ? 1 : 0)) return "more values than are kept";
  return total(counts) > row.payments_count ? "more payments than there are" : undefined;
}

function isAscending<T extends string | number>(values: readonly T[]): boolean {
  return values.every((value, at) => at === 0 || (values[at - 1] as T) < value);
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, n) => sum + n, 0);
}

/** A row ready for `JSON.stringify`: sums as decimal strings, keys and arrays in one fixed order, so equal reports give equal bytes. */
export type WindowRow = Readonly<Record<string, string | number | readonly (string | number)[]>>;

export function toRow({ merchantId, currency, startMs, revision, report }: MerchantWindow): WindowRow {
  return {
    merchant_id: merchantId,
    currency,
    window_start: startMs / 1000,
    revision,
    payments_count: report.payments_count,
    payments_amount: String(report.payments_amount),
    refunds_count: report.refunds_count,
    refunds_amount: String(report.refunds_amount),
    amount_min: report.amount_min,
    amount_max: report.amount_max,
    points_used: String(report.points_used),
    points_earned: String(report.points_earned),
    amount_bucket: report.amounts.bucket,
    amount_bucket_count: report.amounts.count,
    customers: [...report.customers],
    ...Object.assign({}, ...DIMENSIONS.map((dimension) => breakdownColumns(dimension, report.breakdowns[dimension]))),
  };
}

/** Throws a `ZodError` when `raw` is no such row. */
export function fromRow(raw: unknown): MerchantWindow {
  const row = windowRowSchema.parse(raw);
  return {
    merchantId: row.merchant_id,
    currency: row.currency,
    startMs: row.window_start * 1000,
    revision: row.revision,
    report: reportFromColumns(row),
  };
}

/** The report of parsed columns, in canonical form: what SQL merged may hold several ranks of a register, or too many values. */
export function reportFromColumns(columns: ReportColumns): Report {
  return {
    payments_count: columns.payments_count,
    payments_amount: columns.payments_amount,
    refunds_count: columns.refunds_count,
    refunds_amount: columns.refunds_amount,
    amount_min: columns.amount_min,
    amount_max: columns.amount_max,
    points_used: columns.points_used,
    points_earned: columns.points_earned,
    amounts: { bucket: columns.amount_bucket, count: columns.amount_bucket_count } satisfies AmountHistogram,
    customers: normalizeCustomers(columns.customers),
    breakdowns: byDimension((dimension) => breakdownOf(columns, dimension)),
  };
}

/** Stands for `other` among the values of a row; no value of an event is empty. */
export const OTHER = "";

function breakdownColumns(dimension: Dimension, { values, other }: Breakdown): WindowRow {
  const cells = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
  if (other.count > 0) cells.unshift([OTHER, other]);
  return {
    [`by_${dimension}_value`]: cells.map(([value]) => value),
    [`by_${dimension}_count`]: cells.map(([, cell]) => cell.count),
    [`by_${dimension}_amount`]: cells.map(([, cell]) => String(cell.amount)),
  };
}

function breakdownOf(columns: ReportColumns, dimension: Dimension): Breakdown {
  const counts = columns[`by_${dimension}_count`];
  const amounts = columns[`by_${dimension}_amount`];
  const values = new Map(
    columns[`by_${dimension}_value`].map((value, at) => [value, { count: counts[at] ?? 0, amount: amounts[at] ?? 0n }]),
  );
  const other = values.get(OTHER) ?? EMPTY_CELL;
  values.delete(OTHER);
  return capped(values, other);
}
