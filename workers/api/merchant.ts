import { and, count, eq, gte, lt, or } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { BoundedCache } from "../../shared/bounded-cache.ts";
import { askDirectory } from "../directory/ask-directory.ts";
import { lateWindows, merchants } from "../directory/schema.ts";
import { DirectoryUnavailable } from "../directory/unavailable.ts";
import type { HistorySpan } from "./tiers.ts";

/** What reads take for granted when the caller does not say. A merchant the directory does not know has no home. */
export interface MerchantHome {
  readonly timezone: string;
  readonly currency: string | undefined;
}

const HOME_TTL_MS = 60_000;
/** While the directory does not answer, what was known so lately serves. */
const HOME_AWAY_MS_MAX = 10 * 60_000;
const HOMES_CACHED_MAX = 10_000;
const NO_HOME: MerchantHome = { timezone: "UTC", currency: undefined };

const cache = new BoundedCache<string, { readonly home: MerchantHome; readonly readMs: number }>(HOMES_CACHED_MAX);

/** Throws `DirectoryUnavailable`. */
export async function loadHome(directory: D1Database, merchantId: string, nowMs: number): Promise<MerchantHome> {
  const known = cache.get(merchantId, nowMs);
  if (known !== undefined && nowMs < known.readMs + HOME_TTL_MS) return known.home;
  const query = drizzle(directory)
    .select({ timezone: merchants.timezone, currency: merchants.currency })
    .from(merchants)
    .where(eq(merchants.id, merchantId));
  try {
    const [home = NO_HOME] = await askDirectory(directory, () => query.execute());
    cache.set(merchantId, { home, readMs: nowMs }, nowMs + HOME_AWAY_MS_MAX);
    return home;
  } catch (error) {
    if (known === undefined || !(error instanceof DirectoryUnavailable)) throw error;
    return known.home;
  }
}

/**
 * How many of a merchant's windows in these spans hold events that came too late and still wait to be rebuilt from the archive; `undefined` while that
 * cannot be asked.
 */
export async function countLateWindows(
  directory: D1Database,
  merchantId: string,
  spans: readonly HistorySpan[],
): Promise<number | undefined> {
  const within = spans.map(({ fromMs, toMs }) =>
    and(gte(lateWindows.windowStart, fromMs), lt(lateWindows.windowStart, toMs)),
  );
  if (within.length === 0) return 0;
  const query = drizzle(directory)
    .select({ windows: count() })
    .from(lateWindows)
    .where(and(eq(lateWindows.merchantId, merchantId), or(...within)));
  try {
    const [row] = await askDirectory(directory, () => query.execute());
    return row?.windows ?? 0;
  } catch (error) {
    if (!(error instanceof DirectoryUnavailable)) throw error;
    return undefined;
  }
}
