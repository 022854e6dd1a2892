import { and, inArray, lt, lte, ne, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { DAY_MS } from "../../shared/window.ts";
import { deadLetters, erasures, replayDifferences, replayPasses, replays, uncompactedHours } from "./schema.ts";

/** Replays, what they found, and erasures: for as long as the log of administration tells who asked for them. */
export const REPLAYS_KEPT_DAYS = 400;
/** In one pass of the cron, which comes every ten minutes. */
const FORGOTTEN_AT_ONCE_MAX = 200;

/** Forgets replays that ended long ago, some at a time; answers how many. The audit that reached furthest stays: the next one goes on from there. */
export async function forgetReplays(directory: D1Database, nowMs: number): Promise<number> {
  const db = drizzle(directory);
  const beforeMs = nowMs - REPLAYS_KEPT_DAYS * DAY_MS;
  const furthest = sql`(SELECT id FROM replays WHERE asked_by = 'audit' ORDER BY to_ms DESC LIMIT 1)`;
  const old = await db
    .select({ id: replays.id })
    .from(replays)
    .where(and(ne(replays.state, "running"), lt(replays.updatedAt, beforeMs), sql`${replays.id} NOT IN ${furthest}`))
    .limit(FORGOTTEN_AT_ONCE_MAX);
  const list = sql`(SELECT value FROM json_each(${JSON.stringify(old.map(({ id }) => id))}))`;
  // The replays last: cut off in between, the next pass finds them again.
  await db.delete(replayDifferences).where(sql`${replayDifferences.replayId} IN ${list}`);
  await db.delete(replayPasses).where(sql`${replayPasses.replayId} IN ${list}`);
  await db.delete(replays).where(sql`${replays.id} IN ${list}`);
  await db.delete(erasures).where(and(ne(erasures.state, "running"), lt(erasures.updatedAt, beforeMs)));
  return old.length;
}

export interface OldLetter {
  readonly id: string;
  readonly bodyKey: string;
}

/** Dead letters that died before a moment, some at a time. */
export async function oldDeadLetters(directory: D1Database, beforeMs: number): Promise<OldLetter[]> {
  return await drizzle(directory)
    .select({ id: deadLetters.id, bodyKey: deadLetters.bodyKey })
    .from(deadLetters)
    .where(lt(deadLetters.deadAt, beforeMs))
    .limit(FORGOTTEN_AT_ONCE_MAX);
}

export async function forgetDeadLetters(directory: D1Database, letters: readonly OldLetter[]): Promise<void> {
  // A statement takes a hundred parameters.
  for (let at = 0; at < letters.length; at += 90) {
    const ids = letters.slice(at, at + 90).map(({ id }) => id);
    await drizzle(directory).delete(deadLetters).where(inArray(deadLetters.id, ids));
  }
}

/** Hours that the archive no longer has have nothing to compact. */
export async function forgetUncompactedBefore(directory: D1Database, hourMs: number): Promise<void> {
  await drizzle(directory).delete(uncompactedHours).where(lte(uncompactedHours.hourMs, hourMs));
}
