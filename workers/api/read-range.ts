import { EMPTY_REPORT, mergeReports, type Report } from "../../shared/report.ts";
import { completeThrough, storedThrough, WINDOW_MS, windowStart } from "../../shared/window.ts";
import type { MerchantWindow } from "../../shared/window-row.ts";
import { loadReadTopology } from "../directory/topology.ts";
import { HistoryUnavailable, queryHistory } from "./history.ts";
import { type HotWindows, readHotWindows, type ShardsEnv, ShardUnavailable } from "./hot-windows.ts";
import type { ReadHistoryEnv } from "./retention.ts";
import type { HistorySpan } from "./tiers.ts";

/** What a Worker binds that reads what was counted. */
export interface ReadEnv extends ReadHistoryEnv, ShardsEnv {
  readonly DIRECTORY: D1Database;
}

export interface RangeQuery {
  readonly merchantId: string;
  /** Aligned to windows, as are the bounds. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Where buckets start, ascending; the first is `fromMs`. */
  readonly boundsMs: readonly number[];
  /** Empty for all. */
  readonly currencies: readonly string[];
  /** While a shard is away, or counts windows anew, whether what history has will do, marked. */
  readonly takesPartial?: boolean;
}

export interface BucketReport {
  readonly report: Report;
  /** Highest revision of the windows in it; 0 for none. */
  readonly revision: number;
}

export interface RangeReading extends Completeness {
  /** By currency, then by the bucket's start; buckets nothing happened in are absent. */
  readonly currencies: ReadonlyMap<string, ReadonlyMap<number, BucketReport>>;
}

/** How far an answer can be relied on. */
export interface Completeness {
  readonly asOfMs: number;
  /** All that was on time until then is in it. */
  readonly completeThroughMs: number;
  /** It is what history has, since a shard is away: later windows may be missing, or lack late events. */
  readonly isPartial: boolean;
  /** From `completeThroughMs` on some windows are what history last had, since a shard counts them anew. */
  readonly isRebuilding: boolean;
}

/**
 * A merchant's reports in a range, windows merged into buckets: from the shards what they have in memory or history has not, from history
 * all else. While history is away the shards answer for all they retain, so that spans of the last day are still read. Throws
 * `ShardUnavailable`, `HistoryUnavailable` and `WindowsGone`; a range the shards answer alone never asks history.
 */
export async function readRange(env: ReadEnv, query: RangeQuery, nowMs: number): Promise<RangeReading> {
  const {
    windows,
    past = [],
    ...completeness
  } = await readBoth(env, query, nowMs, (spans) => queryHistory(env, { ...query, spans }, nowMs));
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
  for (const { currency, startMs, report, revision } of windows) {
    if (query.currencies.length > 0 && !query.currencies.includes(currency)) continue;
    add(currency, bucketOf(query.boundsMs, startMs), report, revision);
  }
  return { ...completeness, currencies };
}

export interface Both<Past> extends Completeness {
  /** The shards'. */
  readonly windows: readonly MerchantWindow[];
  /** `undefined` when none of the span is history's. */
  readonly past: Past | undefined;
}

/** A span of a merchant, joined from the shards and, by way of `ask`, from history. */
export async function readBoth<Past>(
  env: ReadEnv,
  { merchantId, fromMs, toMs, takesPartial = false }: HistorySpan & Pick<RangeQuery, "merchantId" | "takesPartial">,
  nowMs: number,
  ask: (spans: readonly HistorySpan[]) => Promise<Past>,
): Promise<Both<Past>> {
  const topology = await loadReadTopology(env.DIRECTORY, nowMs);
  const readHot = (bringBack: boolean) => readHotWindows(env, topology, merchantId, fromMs, toMs, bringBack);
  return await joined({ fromMs, toMs, takesPartial, nowMs, readHot, ask });
}

export interface Joining<Past> extends HistorySpan {
  readonly takesPartial: boolean;
  readonly nowMs: number;
  readonly readHot: (bringBack: boolean) => Promise<HotWindows>;
  readonly ask: (spans: readonly HistorySpan[]) => Promise<Past>;
}

/**
 * What the shards answer, and history of what they leave to it. While history is away the shards are asked for all they retain. While a shard is away,
 * and a part will do, history is asked for all: it has windows soon after they closed, and for certain once they are final.
 */
export async function joined<Past>({
  fromMs,
  toMs,
  takesPartial,
  nowMs,
  readHot,
  ask,
}: Joining<Past>): Promise<Both<Past>> {
  const complete = ({ asOfMs, windows, damagedFromMs }: HotWindows, past: Past | undefined): Both<Past> => {
    const completeThroughMs = Math.min(completeThrough(asOfMs), damagedFromMs ?? Number.POSITIVE_INFINITY);
    const isRebuilding = damagedFromMs !== undefined;
    return { asOfMs, completeThroughMs, isPartial: false, isRebuilding, windows, past };
  };
  try {
    const hot = await readHot(false);
    if (hot.damagedFromMs !== undefined && !takesPartial) throw new ShardUnavailable("a shard counts windows anew");
    if (hot.history.length === 0) return complete(hot, undefined);
    try {
      return complete(hot, await ask(hot.history));
    } catch (error) {
      if (!(error instanceof HistoryUnavailable)) throw error;
      const whole = await readHot(true);
      if (whole.history.length > 0) throw error;
      return complete(whole, undefined);
    }
  } catch (error) {
    const begunMs = windowStart(nowMs) + WINDOW_MS;
    if (!(error instanceof ShardUnavailable && takesPartial && fromMs < begunMs)) throw error;
    const past = await ask([{ fromMs, toMs: Math.min(toMs, begunMs) }]).catch((cause: unknown) => {
      throw cause instanceof HistoryUnavailable ? error : cause;
    });
    return {
      asOfMs: nowMs,
      completeThroughMs: storedThrough(nowMs),
      isPartial: true,
      isRebuilding: false,
      windows: [],
      past,
    };
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
