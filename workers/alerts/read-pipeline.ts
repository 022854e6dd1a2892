import { and, gt, isNull, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { DAY_MS } from "../../shared/window.ts";
import { deadLetters, replayPasses } from "../directory/schema.ts";
import { type HistoryEnv, historyClient } from "../history-client.ts";
import type { Pipeline } from "./pipeline.ts";

const PING_TIMEOUT_MS = 5_000;
const AUDIT_FINDINGS_MS = 7 * DAY_MS;

export async function readPipeline(
  env: HistoryEnv & { readonly DIRECTORY: D1Database },
  nowMs: number,
): Promise<Pipeline> {
  const db = drizzle(env.DIRECTORY);
  const [letters, audits, history] = await Promise.all([
    db.$count(deadLetters, isNull(deadLetters.redrivenAt)),
    db
      .select({
        differences: sql<number>`coalesce(sum(changed + missing + short + unarchived), 0)`,
        doubts: sql<number>`coalesce(sum(json_array_length(doubts) > 0), 0)`,
      })
      .from(replayPasses)
      .where(
        and(
          gt(replayPasses.foundAt, nowMs - AUDIT_FINDINGS_MS),
          sql`replay_id IN (SELECT id FROM replays WHERE asked_by = 'audit')`,
        ),
      ),
    ping(env),
  ]);
  return { freshnessMs: null, deadLetters: letters, audit: audits[0] ?? null, logAgeMs: 0, history };
}

async function ping(env: HistoryEnv): Promise<Pipeline["history"]> {
  const client = historyClient(env, PING_TIMEOUT_MS, {});
  try {
    const pinged = await client.ping({ select: true });
    return pinged.success
      ? { isReachable: true, detail: "it answers" }
      : { isReachable: false, detail: pinged.error.message };
  } finally {
    await client.close();
  }
}
