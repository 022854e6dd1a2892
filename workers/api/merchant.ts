import { and, count, eq, gte, lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { BoundedCache } from "../../shared/bounded-cache.ts";
import { lateWindows, merchants } from "../directory/schema.ts";
import { orUnavailable } from "../directory/unavailable.ts";

/** What reads take for granted when the caller does not say. A merchant the directory does not know has no home. */
export interface MerchantHome {
  readonly timezone: string;
  readonly currency: string | undefined;
}

const HOME_TTL_MS = 60_000;
const HOMES_CACHED_MAX = 10_000;
const NO_HOME: MerchantHome = { timezone: "UTC", currency: undefined };

const cache = new BoundedCache<string, MerchantHome>(HOMES_CACHED_MAX);

/** Throws `DirectoryUnavailable`. */
export async function loadHome(directory: D1Database, merchantId: string, nowMs: number): Promise<MerchantHome> {
  const known = cache.get(merchantId, nowMs);
  if (known !== undefined) return known;
  const rows = await orUnavailable(
    drizzle(directory)
      .select({ timezone: merchants.timezone, currency: merchants.currency })
      .from(merchants)
      .where(eq(merchants.id, merchantId))
      .execute(),
  );
  const home = rows[0] ?? NO_HOME;
  cache.set(merchantId, home, nowMs + HOME_TTL_MS);
  return home;
}

/** How many of a merchant's windows in the range hold events that came too late and still wait to be rebuilt from the archive. Throws `DirectoryUnavailable`. */
export async function countLateWindows(
  directory: D1Database,
  merchantId: string,
  fromMs: number,
  toMs: number,
): Promise<number> {
  const rows = await orUnavailable(
    drizzle(directory)
      .select({ windows: count() })
      .from(lateWindows)
      .where(
        and(
          eq(lateWindows.merchantId, merchantId),
          gte(lateWindows.windowStart, fromMs),
          lt(lateWindows.windowStart, toMs),
        ),
      )
      .execute(),
  );
  return rows[0]?.windows ?? 0;
}
