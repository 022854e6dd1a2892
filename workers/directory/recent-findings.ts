import { and, eq, gt, inArray, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { DAY_MS } from "../../shared/window.ts";
import { AUDIT_FINDINGS_MS } from "./operating-state.ts";
import { replayPasses, replays } from "./schema.ts";

/** An audit's finding is told of for so long: then only what is found anew makes another alarm. */
export const RECENT_FINDINGS_MS = DAY_MS;

/** Windows that audits found to differ of late, and parts that their second opinion doubts. */
export async function recentFindings(
  directory: D1Database,
  nowMs: number,
): Promise<{ readonly differences: number; readonly doubts: number }> {
  const db = drizzle(directory);
  // By the index of replays: there are few audits of a week, and many passes of years.
  const audits = db
    .select({ id: replays.id })
    .from(replays)
    .where(
      and(
        inArray(replays.state, ["running", "done", "cancelled"]),
        gt(replays.createdAt, nowMs - AUDIT_FINDINGS_MS),
        eq(replays.askedBy, "audit"),
      ),
    );
  const [sums] = await db
    .select({
      differences: sql<number>`coalesce(sum(changed + missing + short + unarchived), 0)`,
      doubts: sql<number>`coalesce(sum(json_array_length(doubts) > 0), 0)`,
    })
    .from(replayPasses)
    .where(and(inArray(replayPasses.replayId, audits), gt(replayPasses.foundAt, nowMs - RECENT_FINDINGS_MS)));
  if (sums === undefined) throw new Error("a sum is one row");
  return sums;
}
