import { and, asc, eq, lte, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { uncompactedHours } from "./schema.ts";

export type UncompactedHour = typeof uncompactedHours.$inferSelect;

/** Remembers hours of which there are objects to compact. Noted again, an hour waits anew, so that what comes one after another is compacted once. */
export async function noteUncompacted(directory: D1Database, hoursMs: readonly number[], nowMs: number): Promise<void> {
  if (hoursMs.length === 0) return;
  await drizzle(directory).run(sql`
    INSERT INTO uncompacted_hours (hour_ms, first_noted_at, last_noted_at)
    SELECT value, ${nowMs}, ${nowMs} FROM json_each(${JSON.stringify(hoursMs)}) WHERE true
    ON CONFLICT (hour_ms) DO UPDATE SET last_noted_at = excluded.last_noted_at`);
}

export interface DueLimits {
  /** Hours that begin before this. */
  readonly beforeMs: number;
  /** Since it was noted last, or, since it was noted first. */
  readonly quietMs: number;
  readonly waitMsMax: number;
  readonly nowMs: number;
}

/** The earliest hour that is due, `undefined` for none. */
export async function nextUncompacted(directory: D1Database, limits: DueLimits): Promise<UncompactedHour | undefined> {
  const [hour] = await drizzle(directory)
    .select()
    .from(uncompactedHours)
    .where(isDue(limits))
    .orderBy(asc(uncompactedHours.hourMs))
    .limit(1);
  return hour;
}

function isDue({ beforeMs, quietMs, waitMsMax, nowMs }: DueLimits): SQL | undefined {
  return and(
    sql`${uncompactedHours.hourMs} < ${beforeMs}`,
    lte(uncompactedHours.retryAt, nowMs),
    or(lte(uncompactedHours.lastNotedAt, nowMs - quietMs), lte(uncompactedHours.firstNotedAt, nowMs - waitMsMax)),
  );
}

/** Forgets an hour that is compacted; one that was noted again since it was read waits as if for the first time. */
export async function forgetUncompacted(directory: D1Database, hour: UncompactedHour): Promise<void> {
  const db = drizzle(directory);
  await db.delete(uncompactedHours).where(isUnchanged(hour));
  await db
    .update(uncompactedHours)
    .set({ firstNotedAt: sql`${uncompactedHours.lastNotedAt}`, failure: null, retryAt: 0 })
    .where(eq(uncompactedHours.hourMs, hour.hourMs));
}

/** Puts off an hour that could not be compacted, and says why, or that is and has something to be removed later. */
export async function postponeUncompacted(
  directory: D1Database,
  { hourMs }: UncompactedHour,
  { failure, retryAtMs }: { readonly failure: string | null; readonly retryAtMs: number },
): Promise<void> {
  await drizzle(directory)
    .update(uncompactedHours)
    .set({ failure, retryAt: retryAtMs })
    .where(eq(uncompactedHours.hourMs, hourMs));
}

const isUnchanged = ({ hourMs, lastNotedAt }: UncompactedHour) =>
  and(eq(uncompactedHours.hourMs, hourMs), eq(uncompactedHours.lastNotedAt, lastNotedAt));

export interface UncompactedState {
  readonly waiting: number;
  readonly earliestMs: number | null;
  /** Hours that could not be compacted when it was tried, and why one of them. */
  readonly failing: number;
  readonly failure: string | null;
}

/** How many hours wait, whether they are due or not. */
export async function uncompactedState(directory: D1Database): Promise<UncompactedState> {
  const [state] = await drizzle(directory)
    .select({
      waiting: sql<number>`count(*)`,
      earliestMs: sql<number | null>`min(${uncompactedHours.hourMs})`,
      failing: sql<number>`count(${uncompactedHours.failure})`,
      failure: sql<string | null>`max(${uncompactedHours.failure})`,
    })
    .from(uncompactedHours);
  if (state === undefined) throw new Error("a count is one row");
  return state;
}
