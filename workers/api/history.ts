import { ClickHouseError, createClient } from "@clickhouse/client-web";
import { z } from "zod";
import { DIMENSIONS } from "../../shared/breakdown.ts";
import type { Report } from "../../shared/report.ts";
import { reportColumnsSchema, reportFromColumns } from "../../shared/window-row.ts";
import { type Env, settingsOf } from "./env.ts";
import type { HistorySpan } from "./hot-windows.ts";

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

/**
 * One row a currency and bucket. `FINAL` leaves the highest revision of each window; minimum and maximum are of windows with
 * payments, since 0 stands for none; sets and maps are merged by ClickHouse and brought into canonical form here.
 */
const SQL = `
SELECT
  currency,
  roundDown(toUInt32(window_start), {bounds:Array(UInt32)}) AS bucket,
  max(revision) AS revision,
  sum(w.payments_count) AS payments_count,
  sum(w.payments_amount) AS payments_amount,
  sum(w.refunds_count) AS refunds_count,
  sum(w.refunds_amount) AS refunds_amount,
  minIf(w.amount_min, w.payments_count > 0) AS amount_min,
  max(w.amount_max) AS amount_max,
  sum(w.points_used) AS points_used,
  sum(w.points_earned) AS points_earned,
  sumMap(w.amount_bucket, w.amount_bucket_count) AS amounts,
  amounts.1 AS amount_bucket,
  amounts.2 AS amount_bucket_count,
  groupUniqArrayArray(w.customers) AS customers,
  ${DIMENSIONS.map(
    (d) => `sumMap(w.by_${d}_value, w.by_${d}_count, w.by_${d}_amount) AS by_${d},
  by_${d}.1 AS by_${d}_value, by_${d}.2 AS by_${d}_count, by_${d}.3 AS by_${d}_amount`,
  ).join(",\n  ")}
FROM windows AS w FINAL
WHERE merchant_id = {merchant:String}
  AND window_start >= toDateTime({from:UInt32}, 'UTC') AND window_start < toDateTime({to:UInt32}, 'UTC')
  AND arrayExists((f, t) -> toUInt32(window_start) >= f AND toUInt32(window_start) < t, {froms:Array(UInt32)}, {tos:Array(UInt32)})
  AND (empty({currencies:Array(String)}) OR currency IN {currencies:Array(String)})
GROUP BY currency, bucket
ORDER BY currency, bucket`;

/** What history holds of some spans, in buckets; those without windows are absent. Throws `HistoryUnavailable`. */
export async function queryHistory(env: Env, range: HistoryRange): Promise<HistoryBucket[]> {
  const froms = range.spans.map(({ fromMs }) => fromMs / 1000);
  const tos = range.spans.map(({ toMs }) => toMs / 1000);
  const settings = settingsOf(env);
  const client = createClient({
    url: settings.CLICKHOUSE_URL,
    username: settings.CLICKHOUSE_USER,
    password: settings.CLICKHOUSE_PASSWORD,
    database: settings.CLICKHOUSE_DATABASE,
    request_timeout: REQUEST_TIMEOUT_MS,
    // Five years of days are 20 KB of bounds, more than a URL should carry.
    use_multipart_params: true,
    clickhouse_settings: {
      output_format_json_quote_64bit_integers: 1,
      max_execution_time: REQUEST_TIMEOUT_MS / 1000,
      max_memory_usage: String(QUERY_MEMORY_BYTES_MAX),
    },
  });
  let rows: unknown[];
  try {
    const answer = await client.query({
      query: SQL,
      format: "JSONEachRow",
      query_params: {
        merchant: range.merchantId,
        // The outer bounds are what the table's order can skip by.
        from: Math.min(...froms),
        to: Math.max(...tos),
        froms,
        tos,
        bounds: range.boundsMs.map((ms) => ms / 1000),
        currencies: range.currencies,
      },
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
