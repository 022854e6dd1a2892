import { EMPTY_REPORT, mergeReports, type Report } from "../../shared/report.ts";
import type { Topology } from "../../shared/topology.ts";
import { loadTopology } from "../directory/topology.ts";
import type { Env } from "./env.ts";
import { type HistoryBucket, HistoryUnavailable, queryHistory } from "./history.ts";
import { type HotWindows, readHotWindows } from "./hot-windows.ts";

export interface RangeQuery {
  readonly merchantId: string;
  /** Aligned to windows, as are the bounds. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Where buckets start, ascending; the first is `fromMs`. */
  readonly boundsMs: readonly number[];
  /** Empty for all. */
  readonly currencies: readonly string[];
}

export interface BucketReport {
  readonly report: Report;
  /** Highest revision of the windows in it; 0 for none. */
  readonly revision: number;
}

export interface RangeReading {
  readonly asOfMs: number;
  /** By currency, then by the bucket's start; buckets nothing happened in are absent. */
  readonly currencies: ReadonlyMap<string, ReadonlyMap<number, BucketReport>>;
}

/**
 * A merchant's reports in a range, windows merged into buckets: from the shards what they have in memory or history has not, from history
 * all else. While history is away the shards answer for all they retain, so that spans of the last day are still read. Throws
 * `ShardUnavailable`, `HistoryUnavailable` and `WindowsGone`; a range the shards answer alone never asks history.
 */
export async function readRange(env: Env, query: RangeQuery, nowMs: number): Promise<RangeReading> {
  const topology = await loadTopology(env.DIRECTORY, nowMs);
  const { hot, past } = await readBoth(env, topology, query, nowMs);
  const currencies = new Map<string, Map<number, BucketReport>>();
  const add = (currency: string, startMs: number, report: Report, revision: number) => {
    const buckets = currencies.get(currency) ?? new Map<number, BucketReport>();
    currencies.set(currency, buckets);
    const before = buckets.get(startMs) ?? { report: EMPTY_REPORT, revision: 0 };
    buckets.set(startMs, {
      report: mergeReports(before.report, report),
      revision: Math.max(before.revision, revision),
    });
  };
  for (const { currency, startMs, report, revision } of past) add(currency, startMs, report, revision);
  for (const { currency, startMs, report, revision } of hot.windows) {
    if (query.currencies.length > 0 && !query.currencies.includes(currency)) continue;
    add(currency, bucketOf(query.boundsMs, startMs), report, revision);
  }
  return { asOfMs: hot.asOfMs, currencies };
}

interface Both {
  readonly hot: HotWindows;
  readonly past: readonly HistoryBucket[];
}

async function readBoth(env: Env, topology: Topology, query: RangeQuery, nowMs: number): Promise<Both> {
  const { merchantId, fromMs, toMs } = query;
  const hot = await readHotWindows(env, topology, merchantId, fromMs, toMs, false);
  if (hot.history.length === 0) return { hot, past: [] };
  try {
    return { hot, past: await queryHistory(env, { ...query, spans: hot.history }, nowMs) };
  } catch (error) {
    if (!(error instanceof HistoryUnavailable)) throw error;
    const whole = await readHotWindows(env, topology, merchantId, fromMs, toMs, true);
    if (whole.history.length > 0) throw error;
    return { hot: whole, past: [] };
  }
}

/** The last bound at or before a moment. */
function bucketOf(boundsMs: readonly number[], ms: number): number {
  let low = 0;
  let high = boundsMs.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((boundsMs[middle] ?? 0) <= ms) low = middle;
    else high = middle - 1;
  }
  return boundsMs[low] ?? 0;
}
