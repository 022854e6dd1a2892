import { ClickHouseError } from "@clickhouse/client-web";
import { z } from "zod";
import type { Report } from "../../shared/report.ts";
import { reportColumnsSchema, reportFromColumns } from "../../shared/window-row.ts";
import { historyClient } from "../history-client.ts";
import { historySql } from "./history-sql.ts";
import { type ReadHistoryEnv, refuseGone, windowsKeptFrom } from "./retention.ts";
import { cutIntoTiers, type HistorySpan, TIERS, type Tier, type TierSpans } from "./tiers.ts";

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

/** One of each: the fewer tables a query names, the less it costs to plan. */
const SQL: Readonly<Record<Tier, string>> = {
  days: historySql("days"),
  hours: historySql("hours"),
  windows: historySql("windows"),
};

/**
 * What history holds of some spans, in buckets; those without windows are absent. Made of roll-ups where they are exact and up to date, of windows
 * elsewhere: the answer is the windows' in any case. Throws `HistoryUnavailable`, and `WindowsGone` where only windows would do and they are
 * not kept any more.
 */
export async function queryHistory(env: ReadHistoryEnv, range: HistoryRange, nowMs: number): Promise<HistoryBucket[]> {
  const tiers = cutIntoTiers(range.spans, range.boundsMs);
  const keptFromMs = windowsKeptFrom(env, nowMs);
  refuseGone(tiers.windows, keptFromMs, nowMs);
  const client = historyClient(env, REQUEST_TIMEOUT_MS, {
    output_format_json_quote_64bit_integers: 1,
    max_execution_time: REQUEST_TIMEOUT_MS / 1000,
    max_memory_usage: String(QUERY_MEMORY_BYTES_MAX),
  });
  let rows: unknown[];
  try {
    const answer = await client.query({
      query: SQL[TIERS.find((tier) => tiers[tier].length > 0) ?? "windows"],
      format: "JSONEachRow",
      query_params: historyParameters(range, tiers, keptFromMs),
    });
    rows = await answer.json();
  } catch (cause) {
    // What ClickHouse refuses is a bug of ours; only what it cannot do right now is an outage.
    if (cause instanceof ClickHouseError && !OUTAGES.has(Number(cause.code))) throw cause;
    throw new HistoryUnavailable("ClickHouse does not answer", { cause });
  } finally {
    await client.close();
  }
  return rows.map((raw) => {
    const row = rowSchema.parse(raw);
    return {
      currency: row.currency,
      startMs: row.bucket * 1000,
      revision: row.revision,
      report: reportFromColumns(row),
    };
  });
}

function historyParameters(range: HistoryRange, tiers: TierSpans, keptFromMs: number): Record<string, unknown> {
  const seconds = (ms: number) => ms / 1000;
  const spans = TIERS.flatMap((tier) => [
    [`${tier}_from`, tiers[tier].map(({ fromMs }) => seconds(fromMs))],
    [`${tier}_to`, tiers[tier].map(({ toMs }) => seconds(toMs))],
  ]);
  return {
    merchant: range.merchantId,
    bounds: range.boundsMs.map(seconds),
    currencies: range.currencies,
    kept_from: seconds(keptFromMs),
    ...Object.fromEntries(spans),
  };
}
