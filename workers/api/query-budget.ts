import type { ClickHouseError } from "@clickhouse/client-web";
import type { Problem } from "../http/problem.ts";

/** What a query may take of ClickHouse. */
export interface QueryBudget {
  readonly executionMs: number;
  readonly memoryBytes: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly groups: number;
  readonly resultBytes: number;
}
export type Spent = keyof QueryBudget;

/**
 * Five years of a merchant that has sales in every window are 263,000 windows, or 43,000 hours where roll-ups do; in some currencies, beside what
 * else is read with them by the granule, a few million. The result has to fit a Worker's memory some times over.
 */
export const QUERY_BUDGET: QueryBudget = {
  executionMs: 5_000,
  memoryBytes: 1_000_000_000,
  rowsRead: 10_000_000,
  bytesRead: 4_000_000_000,
  groups: 50_000,
  resultBytes: 24_000_000,
};

/** A query would take more than its budget; nothing of it is answered. */
export class QueryTooExpensive extends Error {
  readonly spent: Spent;
  readonly budget: QueryBudget;

  constructor(spent: Spent, budget: QueryBudget, options?: ErrorOptions) {
    super(`a query is beyond its budget of ${spent}`, options);
    this.spent = spent;
    this.budget = budget;
  }
}

export function settingsOf(budget: QueryBudget): Record<string, string | number> {
  return {
    max_execution_time: budget.executionMs / 1000,
    // From the first moment on, and not by an estimate of how long it would go on.
    timeout_before_checking_execution_speed: 0,
    timeout_overflow_mode: "throw",
    max_memory_usage: String(budget.memoryBytes),
    max_rows_to_read: String(budget.rowsRead),
    max_bytes_to_read: String(budget.bytesRead),
    read_overflow_mode: "throw",
    max_rows_to_group_by: String(budget.groups),
    group_by_overflow_mode: "throw",
    max_result_bytes: String(budget.resultBytes),
    result_overflow_mode: "throw",
  };
}

/** Which budget an error of ClickHouse says is spent; `undefined` when it says something else. */
export function spentBudget({ code, message }: ClickHouseError): Spent | undefined {
  switch (Number(code)) {
    case 158: // TOO_MANY_ROWS
      return /GROUP BY/i.test(message) ? "groups" : "rowsRead";
    case 159: // TIMEOUT_EXCEEDED
      return "executionMs";
    case 241: // MEMORY_LIMIT_EXCEEDED: of the query, or of the server, which is an outage
      return /query memory limit|for query/i.test(message) ? "memoryBytes" : undefined;
    case 307: // TOO_MANY_BYTES
      return /result/i.test(message) ? "resultBytes" : "bytesRead";
    case 396: // TOO_MANY_ROWS_OR_BYTES
      return "resultBytes";
    default:
      return undefined;
  }
}

const SHORTER = "Ask for a shorter span";
const FEWER_GROUPS = "Ask for fewer dimensions, a coarser granularity or a shorter span.";
const HELP: Readonly<Record<Spent, string>> = {
  executionMs: `${SHORTER}, or leave out hour and weekday, which are told from finer rows.`,
  memoryBytes: FEWER_GROUPS,
  rowsRead: `${SHORTER}, or one currency.`,
  bytesRead: `${SHORTER}, or fewer metrics: quantiles, customers and breakdowns are most of what is read.`,
  groups: FEWER_GROUPS,
  resultBytes: `${FEWER_GROUPS} Quantiles, customers and breakdowns make rows large.`,
};
const NAMES: Readonly<Record<Spent, string>> = {
  executionMs: "execution_ms",
  memoryBytes: "memory_bytes",
  rowsRead: "rows_read",
  bytesRead: "bytes_read",
  groups: "groups",
  resultBytes: "result_bytes",
};

export function queryTooExpensive({ spent, budget }: QueryTooExpensive): Problem {
  return {
    status: 422,
    code: "query_too_expensive",
    title: "The query would take too much",
    detail: `Its budget of ${budget[spent]} ${NAMES[spent].replaceAll("_", " ")} is spent. ${HELP[spent]}`,
    extensions: { budget: NAMES[spent], limit: budget[spent] },
  };
}
