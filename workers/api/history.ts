import { type ClickHouseClient, ClickHouseError } from "@clickhouse/client-web";
import { z } from "zod";
import type { Report } from "../../shared/report.ts";
import { reportColumnsSchema, reportFromColumns } from "../../shared/window-row.ts";
import { historyClient } from "../history-client.ts";
import { reportsSql, staleSql } from "./history-sql.ts";
import { type ReadHistoryEnv, refuseGone, windowsKeptFrom } from "./retention.ts";
import {
  cutIntoTiers,
  type HistorySpan,
  type RollUpTier,
  type Stale,
  TIERS,
  type TierSpans,
  withoutStale,
} from "./tiers.ts";

const REQUEST_TIMEOUT_MS = 10_000;
/** One merchant's five years are some 260,000 windows; a query that needs more memory than this is not one of ours. */
const QUERY_MEMORY_BYTES_MAX = 2_000_000_000;

/** ClickHouse did not answer; whatever needs history cannot be told right now. */
export class HistoryUnavailable extends Error {}

/** A bucket of history: the merge of one currency's windows that start in it. */
export interface HistoryBucket {
  readonly currency: string;
  /** Start of the bucket, one of the bounds asked for. */
  readonly startMs: number;
  /** Highest revision of its windows. */
  readonly revision: number;
  readonly report: Report;
}

export interface HistoryRange {
  readonly merchantId: string;
  /** What is asked for: not empty, ascending, disjoint, aligned to windows. One query answers all of them. */
  readonly spans: readonly HistorySpan[];
  /** Where buckets start, ascending; the first is at or before the first span. */
  readonly boundsMs: readonly number[];
  /** Empty for all. */
  readonly currencies: readonly string[];
}

/** TIMEOUT_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, NETWORK_ERROR, MEMORY_LIMIT_EXCEEDED, QUERY_WAS_CANCELLED. */
const OUTAGES: ReadonlySet<number> = new Set([159, 202, 210, 241, 394]);

const rowSchema = reportColumnsSchema.extend({
  currency: z.string(),
  bucket: z.int(),
  revision: z.union([z.int(), z.string().transform(Number)]),
});

const staleSchema = z.array(z.object({ tier: z.enum(["days", "hours"]), start: z.int() }));

export const HISTORY_SETTINGS = {
  output_format_json_quote_64bit_integers: 1,
  max_execution_time: REQUEST_TIMEOUT_MS / 1000,
  max_memory_usage: String(QUERY_MEMORY_BYTES_MAX),
} as const;

/**
 * What history holds of some spans, in buckets; those without windows are absent. Made of roll-ups where they are exact and up to date, of windows
 * elsewhere: the answer is the windows' in any case. Throws `HistoryUnavailable`, and `WindowsGone` where only windows would do and they are
 * not kept any more.
 *
 * Two queries when roll-ups can be of use, since one that does both takes ClickHouse longer to plan than these to answer. A correction that
 * comes between them shows in the next answer.
 */
export async function queryHistory(env: ReadHistoryEnv, range: HistoryRange, nowMs: number): Promise<HistoryBucket[]> {
  const asked = cutIntoTiers(range.spans, range.boundsMs);
  const keptFromMs = windowsKeptFrom(env, nowMs);
  refuseGone(asked.windows, keptFromMs, nowMs);
  const client = historyClient(env, REQUEST_TIMEOUT_MS, HISTORY_SETTINGS);
  try {
    const check = staleStatement(range, asked, keptFromMs);
    const stale = check === undefined ? NOTHING_STALE : staleOf(await ask(client, check));
    const rows = await ask(client, reportsStatement(range, withoutStale(asked, stale)));
    return rows.map(bucketOf);
  } finally {
    await client.close();
  }
}

export interface HistoryStatement {
  readonly query: string;
  readonly query_params: Record<string, unknown>;
}

/** Asks for the roll-ups that may not be used; `undefined` when none would be. */
export function staleStatement(
  range: HistoryRange,
  tiers: TierSpans,
  keptFromMs: number,
): HistoryStatement | undefined {
  const query = staleSql(tiers);
  if (query === undefined) return undefined;
  return { query, query_params: { ...parametersOf(range, tiers), kept_from: keptFromMs / 1000 } };
}

/** Asks for the reports, a row a currency and bucket. */
export function reportsStatement(range: HistoryRange, tiers: TierSpans): HistoryStatement {
  const bounds = range.boundsMs.map((ms) => ms / 1000);
  return { query: reportsSql(tiers), query_params: { ...parametersOf(range, tiers), bounds } };
}

function parametersOf({ merchantId, currencies }: HistoryRange, tiers: TierSpans): Record<string, unknown> {
  const spans = TIERS.flatMap((tier) => [
    [`${tier}_from`, tiers[tier].map(({ fromMs }) => fromMs / 1000)],
    [`${tier}_to`, tiers[tier].map(({ toMs }) => toMs / 1000)],
  ]);
  return { merchant: merchantId, currencies, ...Object.fromEntries(spans) };
}

async function ask(client: ClickHouseClient, statement: HistoryStatement): Promise<unknown[]> {
  try {
    const answer = await client.query({ ...statement, format: "JSONEachRow" });
    return await answer.json();
  } catch (cause) {
    // What ClickHouse refuses is a bug of ours; only what it cannot do right now is an outage.
    if (cause instanceof ClickHouseError && !OUTAGES.has(Number(cause.code))) throw cause;
    throw new HistoryUnavailable("ClickHouse does not answer", { cause });
  }
}

const NOTHING_STALE: Stale = { days: new Set(), hours: new Set() };

function staleOf(rows: readonly unknown[]): Stale {
  const stale = staleSchema.parse(rows);
  const starts = (of: RollUpTier) => new Set(stale.filter(({ tier }) => tier === of).map(({ start }) => start * 1000));
  return { days: starts("days"), hours: starts("hours") };
}

function bucketOf(raw: unknown): HistoryBucket {
  const row = rowSchema.parse(raw);
  return {
    currency: row.currency,
    startMs: row.bucket * 1000,
    revision: row.revision,
    report: reportFromColumns(row),
  };
}
