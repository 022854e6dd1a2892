import { asc, lte, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { HOUR_MS } from "../../shared/window.ts";
import { correctionOf } from "../directory/corrections.ts";
import { inOneBatch } from "../directory/in-one-batch.ts";
import { lateWindows } from "../directory/schema.ts";

/** They go to D1 as one parameter of JSON, of the 2 MB that one may have: a row takes some 100 bytes. */
const ROWS_PER_STATEMENT = 10_000;

/** A window that waits to be rebuilt, and the last time it was noted: noted again meanwhile, it goes on waiting. */
export interface LateWindow {
  readonly merchantId: string;
  readonly startMs: number;
  readonly lastSeenAt: number;
}

/**
 * Remembers windows that took events past the horizon, until they are rebuilt from the archive. A repeat only moves the time. Answers say how many
 * wait, so that those that are kept are not given any more.
 */
export async function noteLateWindows(
  directory: D1Database,
  windows: readonly { readonly merchantId: string; readonly startMs: number }[],
  nowMs: number,
): Promise<void> {
  const distinct = new Map(windows.map((window) => [`${window.merchantId}/${window.startMs}`, window]));
  const rows = [...distinct.values()].map(({ merchantId, startMs }) => ({ merchantId, startMs, lastSeenAt: nowMs }));
  await forEachOf(
    directory,
    rows,
    (table) => sql`
      INSERT INTO late_windows (merchant_id, window_start, first_seen_at, last_seen_at)
      SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 2 FROM ${table} WHERE true
      ON CONFLICT (merchant_id, window_start) DO UPDATE SET last_seen_at = excluded.last_seen_at, retry_at = 0`,
    nowMs,
  );
}

/**
 * What was announced is rebuilt after so long at the latest, should the log's consumer never have noted it; until then its events are not
 * archived, and a rebuild would not find them.
 */
const ANNOUNCED_MS = 15 * 60_000;

/**
 * Notes windows as soon as a source was told that its events are late, so that answers say from then on that they wait: the log's consumer, which
 * archives them, notes them some ten seconds later, and has them rebuilt.
 */
export async function announceLateWindows(
  directory: D1Database,
  windows: readonly { readonly merchantId: string; readonly startMs: number }[],
  nowMs: number,
): Promise<void> {
  const rows = windows.map(({ merchantId, startMs }) => ({ merchantId, startMs, lastSeenAt: nowMs }));
  await forEachOf(
    directory,
    rows,
    (table) => sql`
      INSERT INTO late_windows (merchant_id, window_start, first_seen_at, last_seen_at, retry_at)
      SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 2, ${nowMs + ANNOUNCED_MS} FROM ${table} WHERE true
      ON CONFLICT (merchant_id, window_start) DO NOTHING`,
    nowMs,
  );
}

export interface LateLimits {
  readonly windowsMax: number;
  readonly hoursMax: number;
  /** Of the merchants' ids, together: they go as one parameter. */
  readonly idBytesMax: number;
  readonly nowMs: number;
}

/** The next windows to rebuild, within the limits, the earliest of the hours first. */
export async function dueLateWindows(
  directory: D1Database,
  { windowsMax, hoursMax, idBytesMax, nowMs }: LateLimits,
): Promise<LateWindow[]> {
  const rows = await drizzle(directory)
    .select({
      merchantId: lateWindows.merchantId,
      startMs: lateWindows.windowStart,
      lastSeenAt: lateWindows.lastSeenAt,
    })
    .from(lateWindows)
    .where(lte(lateWindows.retryAt, nowMs))
    .orderBy(asc(lateWindows.windowStart), asc(lateWindows.merchantId))
    .limit(windowsMax);
  const hours = new Set<number>();
  let idBytes = 0;
  const beyond = rows.findIndex(({ merchantId, startMs }) => {
    idBytes += merchantId.length;
    return hours.add(startMs - (startMs % HOUR_MS)).size > hoursMax || idBytes > idBytesMax;
  });
  return beyond < 0 ? rows : rows.slice(0, Math.max(1, beyond));
}

/** When the next window is due; `undefined` when none waits. */
export async function nextLateWindowMs(directory: D1Database): Promise<number | undefined> {
  const [row] = await drizzle(directory)
    .select({ retryAt: sql<number | null>`min(${lateWindows.retryAt})` })
    .from(lateWindows);
  return row?.retryAt ?? undefined;
}

/**
 * Forgets windows that are rebuilt, but for those noted again since they were read, and answers of before with them, in one transaction: a crash
 * before it has the windows rebuilt again.
 */
export async function forgetLateWindows(
  directory: D1Database,
  windows: readonly LateWindow[],
  nowMs: number,
): Promise<void> {
  await forEachOf(directory, windows, (table) => sql`DELETE FROM late_windows WHERE ${isIn(table)}`, nowMs);
}

/** Puts off windows that could not be rebuilt, and says why; not those noted again since they were read. */
export async function postponeLateWindows(
  directory: D1Database,
  windows: readonly LateWindow[],
  { failure, retryAtMs }: { readonly failure: string; readonly retryAtMs: number },
): Promise<void> {
  await forEachOf(
    directory,
    windows,
    (table) => sql`UPDATE late_windows SET failure = ${failure}, retry_at = ${retryAtMs} WHERE ${isIn(table)}`,
  );
}

const isIn = (table: SQL) =>
  sql`(merchant_id, window_start, last_seen_at) IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM ${table})`;

/**
 * Runs a statement for some windows at a time, which it reads as `value`, an array of merchant, start and the moment it was noted. With `correctedMs`
 * it corrects them as of then.
 */
async function forEachOf(
  directory: D1Database,
  windows: readonly LateWindow[],
  statementOf: (table: SQL) => SQL,
  correctedMs?: number,
): Promise<void> {
  for (let at = 0; at < windows.length; at += ROWS_PER_STATEMENT) {
    const rows = windows.slice(at, at + ROWS_PER_STATEMENT);
    const json = JSON.stringify(rows.map(({ merchantId, startMs, lastSeenAt }) => [merchantId, startMs, lastSeenAt]));
    const merchantIds = rows.map(({ merchantId }) => merchantId);
    const corrections = correctedMs === undefined ? [] : [correctionOf(merchantIds, correctedMs)];
    await inOneBatch(directory, [statementOf(sql`json_each(${json})`), ...corrections]);
  }
}
