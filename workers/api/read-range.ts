import { EMPTY_REPORT, mergeReports, type Report } from "../../shared/report.ts";
import { loadTopology } from "../directory/topology.ts";
import type { Env } from "./env.ts";
import { HistoryUnavailable, queryHistory } from "./history.ts";
import { type HotWindows, readHotWindows } from "./hot-windows.ts";
import type { HistorySpan } from "./tiers.ts";

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
  const { hot, past = [] } = await readBoth(env, query, nowMs, (spans) =>
    queryHistory(env, { ...query, spans }, nowMs),
  );
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

export interface Both<Past> {
  readonly hot: HotWindows;
  /** `undefined` when none of the span is history's. */
  readonly past: Past | undefined;
}

/** A span from the shards, and what they leave to history by way of `ask`. While history is away the shards are asked for all they retain. */
export async function readBoth<Past>(
  env: Env,
  { merchantId, fromMs, toMs }: HistorySpan & { readonly merchantId: string },
  nowMs: number,
  ask: (spans: readonly HistorySpan[]) => Promise<Past>,
): Promise<Both<Past>> {
  const topology = await loadTopology(env.DIRECTORY, nowMs);
  const hot = await readHotWindows(env, topology, merchantId, fromMs, toMs, false);
  if (hot.history.length === 0) return { hot, past: undefined };
  try {
    return { hot, past: await ask(hot.history) };
  } catch (error) {
    if (!(error instanceof HistoryUnavailable)) throw error;
    const whole = await readHotWindows(env, topology, merchantId, fromMs, toMs, true);
    if (whole.history.length > 0) throw error;
    return { hot: whole, past: undefined };
  }
}

/** The last bound at or before a moment. */
export function bucketOf(boundsMs: readonly number[], ms: number): number {
  let low = 0;
  let high = boundsMs.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((boundsMs[middle] ?? 0) <= ms) low = middle;
    else high = middle - 1;
  }
  return boundsMs[low] ?? 0;
}
