import { DAY_MS, finalHoursThrough, HOUR_MS } from "../../shared/window.ts";
import { auditedThrough, createReplay } from "../directory/replays.ts";
import type { Env } from "./env.ts";
import { REPLAYER } from "./replayer-name.ts";

/** So long after an hour has become final, for its last corrections to reach history, and the log the archive. */
const AFTER_FINAL_MS = HOUR_MS;
/** Of a deployment that has never been audited, the hours of so long. */
const FIRST_AUDIT_MS = DAY_MS;

/**
 * Has the hours replayed that have become final since the last audit: every window of theirs is compared with the archive, what differs is named
 * and put right. Answers how many hours that are; an audit that is still under way is not waited for.
 */
export async function audit(env: Env, nowMs: number): Promise<{ readonly hours: number }> {
  const toMs = finalHoursThrough(nowMs - AFTER_FINAL_MS);
  const fromMs = (await auditedThrough(env.DIRECTORY)) ?? toMs - FIRST_AUDIT_MS;
  if (fromMs >= toMs) return { hours: 0 };
  await createReplay(env.DIRECTORY, { askedBy: "audit", fromMs, toMs, merchantId: null, dryRun: false }, nowMs);
  await env.REPLAYER.get(env.REPLAYER.idFromName(REPLAYER)).begin();
  return { hours: (toMs - fromMs) / HOUR_MS };
}
