import { type ClickHouseClient, ClickHouseError } from "@clickhouse/client-web";
import { z } from "zod";
import type { Report } from "../../shared/report.ts";
import { historyClient } from "../history-client.ts";
import {
  cutOf,
  HISTORY_FORMAT,
  HISTORY_SETTINGS,
  type HistoryRange,
  type HistoryStatement,
  outageOf,
  parametersOf,
  rowsIn,
  staleOf,
  staleStatement,
} from "./history.ts";
import { askPatiently } from "./history-circuit.ts";
import { countIn, listOf, partialReport } from "./merged-row.ts";
import { type QueryBudget, QueryTooExpensive, settingsOf, spentBudget } from "./query-budget.ts";
import type { GroupKey, QueryPlan } from "./query-plan.ts";
import { queryClock, querySql } from "./query-sql.ts";
import { type ReadHistoryEnv, refuseGone } from "./retention.ts";
import { cutIntoTiers, type HistorySpan, noCoarserThan, type TierSpans, withoutStale } from "./tiers.ts";

/** A group of rows of history, merged. */
export interface QueryGroup extends GroupKey {
  readonly revision: number;
  readonly report: Report;
}

/** What ClickHouse did for an answer. */
export interface QueryCost {
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly elapsedMs: number;
}

export const NO_COST: QueryCost = { rowsRead: 0, bytesRead: 0, elapsedMs: 0 };

/** Longer than a statement may run, so that it is ClickHouse that says what was too much. */
const REQUEST_TIMEOUT_BEYOND_MS = 3_000;
/** JSON's numbers end at 2^53, and sums do not. */
const AS_TEXT = { output_format_json_quote_64bit_integers: 1 } as const;

/**
 * The groups of a query in what of its span is history's. Roll-ups that are not of their windows' state are found first, and windows read in their place: one
 * statement, which has the budget. Throws `QueryTooExpensive`, `HistoryUnavailable`, and `WindowsGone`.
 */
export async function queryGroups(
  env: ReadHistoryEnv,
  plan: QueryPlan,
  spans: readonly HistorySpan[],
  budget: QueryBudget,
  nowMs: number,
): Promise<{ readonly groups: readonly QueryGroup[]; readonly cost: QueryCost }> {
  const range: HistoryRange = { ...plan, spans, boundsMs: plan.barsMs };
  const cut = { ...cutOf(env, range, nowMs), withMonths: false };
  const whole = cutIntoTiers(spans, cut);
  const tiers = plan.coarsest === undefined ? whole : noCoarserThan(plan.coarsest, whole);
  refuseGone(tiers.windows, cut.keptFromMs, nowMs);
  const client = historyClient(env, budget.executionMs + REQUEST_TIMEOUT_BEYOND_MS, HISTORY_SETTINGS);
  const settings = settingsOf(budget);
  try {
    const look = staleStatement(range, tiers, cut.keptFromMs);
    const checked = look === undefined ? undefined : await ask(client, look, budget, settings);
    const fresh = checked === undefined ? tiers : withoutStale(tiers, staleOf(checked.rows));
    const asked = await ask(client, queryStatement(plan, range, fresh), budget, { ...settings, ...AS_TEXT });
    return { groups: asked.rows.map((row) => groupIn(plan, row)), cost: added(checked?.cost ?? NO_COST, asked.cost) };
  } finally {
    await client.close();
  }
}

export function queryStatement(plan: QueryPlan, range: HistoryRange, tiers: TierSpans): HistoryStatement {
  const bound = { ...parametersOf(range, tiers), ...queryClock(plan, range) };
  return { query: querySql(plan, tiers), query_params: bound };
}

function groupIn(plan: QueryPlan, raw: unknown): QueryGroup {
  const [currency, bucket, weekday, hour, revision, ...values] = listOf(raw, "a row");
  return {
    currency: String(currency),
    bucketMs: countIn(bucket, "bucket") * 1000,
    weekday: countIn(weekday, "weekday"),
    hour: countIn(hour, "hour"),
    revision: countIn(revision, "revision"),
    report: partialReport(plan.columns, values),
  };
}

interface Asked {
  readonly rows: readonly unknown[];
  readonly cost: QueryCost;
}

async function ask(
  client: ClickHouseClient,
  statement: HistoryStatement,
  budget: QueryBudget,
  clickhouse_settings: Record<string, string | number>,
): Promise<Asked> {
  try {
    return await askPatiently(client, async (abort_signal) => {
      const answer = await client.query({ ...statement, clickhouse_settings, format: HISTORY_FORMAT, abort_signal });
      return { rows: rowsIn(await answer.text()), cost: costIn(answer.response_headers["x-clickhouse-summary"]) };
    });
  } catch (cause) {
    const spent = cause instanceof ClickHouseError ? spentBudget(cause) : undefined;
    throw spent === undefined ? outageOf(cause) : new QueryTooExpensive(spent, budget, { cause });
  }
}

const summarySchema = z.object({
  read_rows: z.coerce.number(),
  read_bytes: z.coerce.number(),
  elapsed_ns: z.coerce.number(),
});

function costIn(summary: unknown): QueryCost {
  const { read_rows, read_bytes, elapsed_ns } = summarySchema.parse(JSON.parse(String(summary)));
  return { rowsRead: read_rows, bytesRead: read_bytes, elapsedMs: elapsed_ns / 1e6 };
}

function added(a: QueryCost, b: QueryCost): QueryCost {
  return {
    rowsRead: a.rowsRead + b.rowsRead,
    bytesRead: a.bytesRead + b.bytesRead,
    elapsedMs: a.elapsedMs + b.elapsedMs,
  };
}
