import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { lateWindows } from "../directory/schema.ts";

/** Four bound parameters a row, of the hundred that D1 takes. */
const ROWS_PER_STATEMENT = 25;

/** Remembers windows that took events past the horizon, until they are rebuilt from the archive. A repeat only moves the time. */
export async function noteLateWindows(
  directory: D1Database,
  windows: readonly { readonly merchantId: string; readonly startMs: number }[],
  nowMs: number,
): Promise<void> {
  const distinct = new Map(windows.map((window) => [`${window.merchantId}/${window.startMs}`, window]));
  const rows = [...distinct.values()].map(({ merchantId, startMs }) => ({
    merchantId,
    windowStart: startMs,
    firstSeenAt: nowMs,
    lastSeenAt: nowMs,
  }));
  const db = drizzle(directory);
  for (let at = 0; at < rows.length; at += ROWS_PER_STATEMENT) {
    await db
      .insert(lateWindows)
      .values(rows.slice(at, at + ROWS_PER_STATEMENT))
      .onConflictDoUpdate({
        target: [lateWindows.merchantId, lateWindows.windowStart],
        set: { lastSeenAt: sql`excluded.last_seen_at` },
      });
  }
}
