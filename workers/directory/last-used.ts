import { and, eq, isNull, lt, or } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { directoryCache } from "./isolate-cache.ts";
import { keys } from "./schema.ts";

/** A key's last use is told to within this: each isolate notes it so often at the most, and writes only what is newer by that much. */
export const LAST_USED_INTERVAL_MS = 5 * 60_000;

/** Notes that a key was used; `undefined` when this isolate has just done so, which is all that most requests pay. */
export function noteUse(directory: D1Database, keyId: string, nowMs: number): Promise<unknown> | undefined {
  const { noted } = directoryCache();
  if (noted.get(keyId, nowMs) !== undefined) return undefined;
  noted.set(keyId, true, nowMs + LAST_USED_INTERVAL_MS);
  return drizzle(directory)
    .update(keys)
    .set({ lastUsedAt: nowMs })
    .where(and(eq(keys.id, keyId), or(isNull(keys.lastUsedAt), lt(keys.lastUsedAt, nowMs - LAST_USED_INTERVAL_MS))))
    .execute();
}
