import { and, asc, desc, eq, gt, gte, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { AnySQLiteColumn } from "drizzle-orm/sqlite-core";
import { replayDifferences, replayPasses, replays } from "./schema.ts";

export type Replay = typeof replays.$inferSelect;
export type ReplayPass = typeof replayPasses.$inferSelect;
export type ReplayDifference = typeof replayDifferences.$inferSelect;

/** Differences and passes go to D1 as one parameter of JSON: that many take some 200 KB of its 2 MB. */
export const DIFFERENCES_PER_PASS_MAX = 1_000;

export async function createReplay(
  directory: D1Database,
  asked: Pick<Replay, "askedBy" | "fromMs" | "toMs" | "merchantId" | "dryRun">,
  nowMs: number,
): Promise<Replay> {
  const [created] = await drizzle(directory)
    .insert(replays)
    .values({
      ...asked,
      id: crypto.randomUUID(),
      state: "running",
      nextMs: asked.fromMs,
      createdAt: nowMs,
      updatedAt: nowMs,
    })
    .returning();
  if (created === undefined) throw new Error("the replay was not created");
  return created;
}

/** The replay to go on with: the oldest one, but one that fails never keeps others waiting. */
export async function nextReplay(directory: D1Database): Promise<Replay | undefined> {
  const rows = await drizzle(directory)
    .select()
    .from(replays)
    .where(eq(replays.state, "running"))
    .orderBy(sql`${replays.failure} IS NOT NULL`, asc(replays.createdAt))
    .limit(1);
  return rows[0];
}

export async function readReplay(directory: D1Database, id: string): Promise<Replay | undefined> {
  const rows = await drizzle(directory).select().from(replays).where(eq(replays.id, id));
  return rows[0];
}

/** Where a page of replays ends: some may have been asked for at the same time. */
export interface ReplayPosition {
  readonly createdAt: number;
  readonly id: string;
}

/** The newest first. */
export async function listReplays(
  directory: D1Database,
  after: ReplayPosition | undefined,
  limit: number,
): Promise<Replay[]> {
  return await drizzle(directory)
    .select()
    .from(replays)
    .where(
      after === undefined ? undefined : sql`(${replays.createdAt}, ${replays.id}) < (${after.createdAt}, ${after.id})`,
    )
    .orderBy(desc(replays.createdAt), desc(replays.id))
    .limit(limit);
}

/** Ends a replay that runs; false when it does not. */
export async function cancelReplay(directory: D1Database, id: string, nowMs: number): Promise<boolean> {
  const cancelled = await drizzle(directory)
    .update(replays)
    .set({ state: "cancelled", updatedAt: nowMs })
    .where(and(eq(replays.id, id), eq(replays.state, "running")))
    .returning({ id: replays.id });
  return cancelled.length > 0;
}

/** How far a replay goes, or came before it was ended. */
const REACHED = sql`CASE WHEN ${replays.state} = 'cancelled' THEN ${replays.nextMs} ELSE ${replays.toMs} END`;

/** The hours before this moment are audited, or are about to be; `undefined` before the first. */
export async function auditedThrough(directory: D1Database): Promise<number | undefined> {
  const [row] = await drizzle(directory)
    .select({ toMs: sql<number | null>`max(${REACHED})` })
    .from(replays)
    .where(eq(replays.askedBy, "audit"));
  return row?.toMs ?? undefined;
}

/** The hours before this moment have been audited; `undefined` before the first audit has got anywhere. */
export async function auditDoneThrough(directory: D1Database): Promise<number | undefined> {
  const [row] = await drizzle(directory)
    .select({
      runningMs: sql<number | null>`min(CASE WHEN state = 'running' THEN next_ms END)`,
      toMs: sql<number | null>`max(${REACHED})`,
    })
    .from(replays)
    .where(eq(replays.askedBy, "audit"));
  return row?.runningMs ?? row?.toMs ?? undefined;
}

/** What the audit has found of hours in a span, and the windows that differed, the latest first. */
export async function auditOf(directory: D1Database, fromMs: number, toMs: number, limit: number) {
  const db = drizzle(directory);
  const audits = sql`(SELECT id FROM replays WHERE asked_by = 'audit')`;
  const isWithin = and(
    sql`${replayPasses.replayId} IN ${audits}`,
    lt(replayPasses.fromMs, toMs),
    gt(replayPasses.toMs, fromMs),
  );
  const sumOf = (column: AnySQLiteColumn) => sql<number>`coalesce(sum(${column}), 0)`;
  const [passes, [sums], differences] = await Promise.all([
    db
      .select()
      .from(replayPasses)
      .where(isWithin)
      .orderBy(desc(replayPasses.fromMs), asc(replayPasses.slice))
      .limit(limit),
    db
      .select({
        equal: sumOf(replayPasses.equal),
        changed: sumOf(replayPasses.changed),
        missing: sumOf(replayPasses.missing),
        short: sumOf(replayPasses.short),
        unarchived: sumOf(replayPasses.unarchived),
        events: sumOf(replayPasses.events),
      })
      .from(replayPasses)
      .where(isWithin),
    db
      .select()
      .from(replayDifferences)
      .where(
        and(
          sql`${replayDifferences.replayId} IN ${audits}`,
          gte(replayDifferences.windowStart, fromMs),
          lt(replayDifferences.windowStart, toMs),
        ),
      )
      .orderBy(desc(replayDifferences.windowStart))
      .limit(limit),
  ]);
  if (sums === undefined) throw new Error("a sum is one row");
  return { passes, sums, differences };
}

/** What the passes of a replay have found so far. */
export async function foundBy(directory: D1Database, id: string): Promise<ReplayPass[]> {
  return await drizzle(directory)
    .select()
    .from(replayPasses)
    .where(eq(replayPasses.replayId, id))
    .orderBy(asc(replayPasses.fromMs), asc(replayPasses.slice));
}

export async function differencesOf(directory: D1Database, id: string, limit: number): Promise<ReplayDifference[]> {
  return await drizzle(directory)
    .select()
    .from(replayDifferences)
    .where(eq(replayDifferences.replayId, id))
    .orderBy(asc(replayDifferences.windowStart), asc(replayDifferences.merchantId), asc(replayDifferences.currency))
    .limit(limit);
}

/** Notes what a pass found, unless it was noted before: what it finds again after it has written is that nothing differs. */
export async function notePass(
  directory: D1Database,
  pass: Omit<ReplayPass, "doubts">,
  differences: readonly ReplayDifference[],
): Promise<void> {
  const db = drizzle(directory);
  const rows = JSON.stringify(
    differences.map((one) => [
      ...[one.replayId, one.windowStart, one.merchantId, one.currency, one.verdict],
      ...[one.archivedEvents, one.storedEvents, one.archivedAmount, one.storedAmount],
    ]),
  );
  const fields = sql.raw(Array.from({ length: 9 }, (_, at) => `value ->> ${at}`).join(", "));
  // The differences first: once the pass stands, they are not looked at again.
  const isNoted = sql`SELECT 1 FROM replay_passes WHERE replay_id = ${pass.replayId} AND from_ms = ${pass.fromMs} AND slice = ${pass.slice}`;
  await db.run(
    sql`INSERT OR IGNORE INTO replay_differences SELECT ${fields} FROM json_each(${rows}) WHERE NOT EXISTS (${isNoted})`,
  );
  await db.insert(replayPasses).values(pass).onConflictDoNothing();
}

/** Notes what a second opinion on a pass that was noted says otherwise. */
export async function noteDoubts(
  directory: D1Database,
  { replayId, fromMs, slice }: Pick<ReplayPass, "replayId" | "fromMs" | "slice">,
  doubts: readonly object[],
): Promise<void> {
  const ofPass = and(
    eq(replayPasses.replayId, replayId),
    eq(replayPasses.fromMs, fromMs),
    eq(replayPasses.slice, slice),
  );
  await drizzle(directory).update(replayPasses).set({ doubts }).where(ofPass);
}

/** Goes on to what comes next; nothing happens to a replay that was ended, or has gone on, meanwhile. */
export async function advanceReplay(
  directory: D1Database,
  before: Replay,
  next: Pick<Replay, "nextMs" | "slice" | "slices">,
  nowMs: number,
): Promise<void> {
  await drizzle(directory)
    .update(replays)
    .set({ ...next, failure: null, updatedAt: nowMs, state: next.nextMs >= before.toMs ? "done" : "running" })
    .where(
      and(
        eq(replays.id, before.id),
        eq(replays.state, "running"),
        eq(replays.nextMs, before.nextMs),
        eq(replays.slice, before.slice),
      ),
    );
}

export async function noteReplayFailure(
  directory: D1Database,
  id: string,
  failure: string,
  nowMs: number,
): Promise<void> {
  await drizzle(directory).update(replays).set({ failure, updatedAt: nowMs }).where(eq(replays.id, id));
}
