import { and, eq, gt, inArray, isNull, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { DAY_MS } from "../../shared/window.ts";
import { auditDoneThrough } from "./replays.ts";
import { deadLetters, lateWindows, replayPasses, replays } from "./schema.ts";
import { type UncompactedState, uncompactedState } from "./uncompacted-hours.ts";

/** How far back findings of the audit count for how things are. */
export const AUDIT_FINDINGS_MS = 7 * DAY_MS;

/** What waits or went wrong, as the directory has it. Times are epoch milliseconds. */
export interface OperatingState {
  /** By queue; those that were put back or discarded do not count. */
  readonly deadLetters: Readonly<Record<string, number>>;
  readonly oldestDeadAt: number | null;
  readonly auditedThroughMs: number | null;
  /** Windows by verdict, and parts whose second opinion doubts them, of audits begun in `AUDIT_FINDINGS_MS`. */
  readonly audit: Readonly<Record<"equal" | "changed" | "missing" | "short" | "unarchived" | "doubts", number>>;
  readonly replays: { readonly running: number; readonly failing: number; readonly failure: string | null };
  readonly lateWindows: {
    readonly waiting: number;
    readonly failing: number;
    readonly failure: string | null;
    readonly earliestMs: number | null;
    readonly sinceMs: number | null;
  };
  readonly uncompacted: UncompactedState;
}

/** Reads it all at once; some thousand rows. */
export async function operatingState(directory: D1Database, nowMs: number): Promise<OperatingState> {
  const db = drizzle(directory);
  const [dead, audit, auditedThroughMs, replaying, late, uncompacted] = await Promise.all([
    db
      .select({ queue: deadLetters.queue, letters: sql<number>`count(*)`, oldest: sql<number>`min(dead_at)` })
      .from(deadLetters)
      .where(and(isNull(deadLetters.redrivenAt), isNull(deadLetters.discardedAt)))
      .groupBy(deadLetters.queue),
    auditFindings(directory, nowMs),
    recentlyAuditedThrough(directory, nowMs),
    db
      .select({
        running: sql<number>`count(*)`,
        failing: sql<number>`count(failure)`,
        failure: sql<string | null>`max(failure)`,
      })
      .from(replays)
      .where(eq(replays.state, "running")),
    db
      .select({
        waiting: sql<number>`count(*)`,
        failing: sql<number>`count(failure)`,
        failure: sql<string | null>`max(failure)`,
        earliestMs: sql<number | null>`min(window_start)`,
        sinceMs: sql<number | null>`min(first_seen_at)`,
      })
      .from(lateWindows),
    uncompactedState(directory),
  ]);
  const [running] = replaying;
  const [waiting] = late;
  if (running === undefined || waiting === undefined) throw new Error("a count is one row");
  return {
    deadLetters: Object.fromEntries(dead.map(({ queue, letters }) => [queue, letters])),
    oldestDeadAt: dead.length === 0 ? null : Math.min(...dead.map(({ oldest }) => oldest)),
    auditedThroughMs,
    audit,
    replays: running,
    lateWindows: waiting,
    uncompacted,
  };
}

/** By the index: audits come every ten minutes, and stay. */
function recentAudits(nowMs: number) {
  return and(
    inArray(replays.state, ["running", "done", "cancelled"]),
    gt(replays.createdAt, nowMs - AUDIT_FINDINGS_MS),
    eq(replays.askedBy, "audit"),
  );
}

async function auditFindings(directory: D1Database, nowMs: number): Promise<OperatingState["audit"]> {
  const db = drizzle(directory);
  const [sums] = await db
    .select({
      equal: sql<number>`coalesce(sum("equal"), 0)`,
      changed: sql<number>`coalesce(sum(changed), 0)`,
      missing: sql<number>`coalesce(sum(missing), 0)`,
      short: sql<number>`coalesce(sum(short), 0)`,
      unarchived: sql<number>`coalesce(sum(unarchived), 0)`,
      doubts: sql<number>`coalesce(sum(json_array_length(doubts) > 0), 0)`,
    })
    .from(replayPasses)
    .where(inArray(replayPasses.replayId, db.select({ id: replays.id }).from(replays).where(recentAudits(nowMs))));
  if (sums === undefined) throw new Error("a sum is one row");
  return sums;
}

/** As `auditDoneThrough`, which looks at all audits there ever were: it is only asked when there has been none of late. */
async function recentlyAuditedThrough(directory: D1Database, nowMs: number): Promise<number | null> {
  const [row] = await drizzle(directory)
    .select({
      runningMs: sql<number | null>`min(CASE WHEN state = 'running' THEN next_ms END)`,
      throughMs: sql<number | null>`max(CASE WHEN state = 'cancelled' THEN next_ms ELSE to_ms END)`,
    })
    .from(replays)
    .where(or(recentAudits(nowMs), and(eq(replays.state, "running"), eq(replays.askedBy, "audit"))));
  return row?.runningMs ?? row?.throughMs ?? (await auditDoneThrough(directory)) ?? null;
}
