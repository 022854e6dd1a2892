import { type Breakdown, EMPTY_CELL } from "../../shared/breakdown.ts";
import { EMPTY_REPORT, mergeReports, type Report } from "../../shared/report.ts";
import type { MerchantWindow } from "../../shared/window-row.ts";
import type { Figure, FigureValue } from "./figure-names.ts";
import { figureOf } from "./figures.ts";
import { unspecifiedOf } from "./present.ts";
import type { QueryGroup } from "./query-history.ts";
import type { QueryDimension, QueryParameters, ValueFilter } from "./query-parameters.ts";
import { type GroupKey, groupOf, onlyColumns, type QueryPlan } from "./query-plan.ts";

/** Of the values of a breakdown: one, all beyond those that are named, or payments without any. */
export type RowPart = "value" | "other" | "unspecified";

export interface QueryRow extends GroupKey {
  /** Where rows are told apart by value. */
  readonly part: RowPart | undefined;
  readonly value: string | null;
  readonly revision: number;
  readonly figures: ReadonlyMap<Figure, FigureValue>;
}

export interface QueryResult {
  /** In order, as many as were asked for at most. */
  readonly rows: readonly QueryRow[];
  /** How many there are without the limit. */
  readonly rowsFound: number;
  /** Whether payments were counted as `other` of the dimension that is asked for or filtered by: values may be among them. */
  readonly hasOther: boolean;
}

/**
 * The rows of a query from the groups of history and the windows that are not in it: merged, told apart by value, filtered, ordered, cut off. What history answers
 * can be merged with windows, which figures cannot: so figures come last.
 */
export function queryRows(
  plan: QueryPlan,
  parameters: QueryParameters,
  groups: readonly QueryGroup[],
  hot: readonly MerchantWindow[],
): QueryResult {
  const merged = mergedGroups(plan, groups, hot);
  const { breakdown, having, order, limit } = parameters;
  const rows = merged
    .flatMap((group) => partsOfGroup(parameters, group))
    .map((part) => withFigures(parameters, part))
    .filter(({ figures }) => having.every(({ metric, op, value }) => holds(figures.get(metric) ?? null, op, value)))
    .sort(inOrder(order));
  return {
    rows: rows.slice(0, limit),
    rowsFound: rows.length,
    hasOther:
      breakdown !== undefined && merged.some(({ report }) => report.breakdowns[breakdown.dimension].other.count > 0),
  };
}

function mergedGroups(plan: QueryPlan, groups: readonly QueryGroup[], hot: readonly MerchantWindow[]): QueryGroup[] {
  const merged = new Map<string, QueryGroup>();
  const add = (group: QueryGroup) => {
    const key = `${group.currency} ${group.bucketMs} ${group.weekday} ${group.hour}`;
    const before = merged.get(key);
    if (before === undefined) merged.set(key, group);
    else {
      const revision = Math.max(before.revision, group.revision);
      merged.set(key, { ...group, revision, report: mergeReports(before.report, group.report) });
    }
  };
  for (const group of groups) add(group);
  for (const { currency, startMs, revision, report } of hot) {
    if (plan.currencies.length > 0 && !plan.currencies.includes(currency)) continue;
    add({ ...groupOf(plan, currency, startMs), revision, report: onlyColumns(report, plan.columns) });
  }
  return [...merged.values()];
}

interface GroupPart extends QueryGroup {
  readonly part: RowPart | undefined;
  readonly value: string | null;
}

/** A group as it is; or its payments by value; or those that a filter by value keeps. */
function partsOfGroup({ breakdown, dimensions }: QueryParameters, group: QueryGroup): GroupPart[] {
  if (breakdown === undefined) return [{ ...group, part: undefined, value: null }];
  const parts = partsOfPayments(group.report.breakdowns[breakdown.dimension], group.report).filter(
    ({ value }) => breakdown.filter === undefined || passes(breakdown.filter, value),
  );
  if (dimensions.has(breakdown.dimension)) {
    return parts.filter(({ report }) => report.payments_count > 0).map((part) => ({ ...group, ...part }));
  }
  const report = parts.reduce((sum, part) => mergeReports(sum, part.report), EMPTY_REPORT);
  return [{ ...group, part: undefined, value: null, report }];
}

interface PaymentsPart {
  readonly part: RowPart;
  readonly value: string | null;
  readonly report: Report;
}

function partsOfPayments(breakdown: Breakdown, report: Report): PaymentsPart[] {
  const part = (part: RowPart, value: string | null, { count, amount } = EMPTY_CELL): PaymentsPart => ({
    part,
    value,
    report: { ...EMPTY_REPORT, payments_count: count, payments_amount: amount },
  });
  return [
    ...[...breakdown.values].map(([value, cell]) => part("value", value, cell)),
    part("other", null, breakdown.other),
    part("unspecified", null, unspecifiedOf(breakdown, report)),
  ];
}

/** What has no value, or one that is not named, is not in a list of values. */
function passes({ values, keeps }: ValueFilter, value: string | null): boolean {
  return (value !== null && values.has(value)) === keeps;
}

function withFigures({ metrics }: QueryParameters, { report, ...part }: GroupPart): QueryRow {
  return { ...part, figures: new Map(metrics.map((metric) => [metric, figureOf(report, metric)])) };
}

type Comparator = QueryParameters["having"][number]["op"];

function holds(figure: FigureValue, op: Comparator, value: number): boolean {
  if (figure === null) return false;
  switch (op) {
    case "eq":
      // biome-ignore lint/suspicious/noDoubleEquals: a bigint equals the number of the same value by == only.
      return figure == value;
    case "ne":
      // biome-ignore lint/suspicious/noDoubleEquals: as above.
      return figure != value;
    case "lt":
      return figure < value;
    case "lte":
      return figure <= value;
    case "gt":
      return figure > value;
    case "gte":
      return figure >= value;
    default:
      return op satisfies never;
  }
}

type Order = QueryParameters["order"];
type Compare = (a: QueryRow, b: QueryRow) => number;

/** As asked, then by all that tells rows apart, so that the same answer has the same order. What is null comes last either way. */
function inOrder(order: Order): Compare {
  const asked = order.map(({ by, direction }): Compare => {
    const sign = direction === "asc" ? 1 : -1;
    return (a, b) => {
      const [left, right] = [sortValue(a, by), sortValue(b, by)];
      if (left === null || right === null) return Number(left === null) - Number(right === null);
      return left === right ? 0 : left < right ? -sign : sign;
    };
  });
  const all = [...asked, ...REST];
  return (a, b) => all.reduce((found, compare) => found || compare(a, b), 0);
}

const PART_ORDER: readonly (RowPart | undefined)[] = ["value", "other", "unspecified"];

const ascending = (of: (row: QueryRow) => string | number): Compare => {
  return (a, b) => (of(a) === of(b) ? 0 : of(a) < of(b) ? -1 : 1);
};
const REST: readonly Compare[] = [
  ascending(({ currency }) => currency),
  ascending(({ bucketMs }) => bucketMs),
  ascending(({ weekday }) => weekday),
  ascending(({ hour }) => hour),
  ascending(({ part }) => PART_ORDER.indexOf(part)),
  ascending(({ value }) => value ?? ""),
];

function sortValue(row: QueryRow, by: Figure | QueryDimension): string | number | bigint | null {
  switch (by) {
    case "currency":
      return row.currency;
    case "time":
      return row.bucketMs;
    case "weekday":
      return row.weekday;
    case "hour":
      return row.hour;
    default:
      return row.figures.has(by as Figure) ? (row.figures.get(by as Figure) ?? null) : row.value;
  }
}
