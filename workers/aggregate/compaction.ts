import { DAY_MS, finalHoursThrough, HOUR_MS } from "../../shared/window.ts";
import { auditDoneThrough } from "../directory/replays.ts";
import {
  type DueLimits,
  forgetUncompacted,
  nextUncompacted,
  postponeUncompacted,
  uncompactedState,
} from "../directory/uncompacted-hours.ts";
import { errorText } from "../error-text.ts";
import { log } from "../log.ts";
import { archiveS3Of, isArchiveS3Set } from "./archive-s3.ts";
import { compactHour, LEFTOVER_AGE_MS } from "./compact-hour.ts";
import { type Env, settingsOf } from "./env.ts";
import { REPLAYER } from "./replayer-name.ts";

/** So long after an hour has become final, in which a shard may still rebuild a damaged window of it from the objects. */
export const SHARD_MARGIN_MS = 6 * HOUR_MS;
/** An hour that never comes to rest is compacted once in so long all the same. */
const WAIT_MS_MAX = DAY_MS;
/** After a pass that failed. */
const RETRY_MS = 10 * 60_000;
const FAILURE_LENGTH_MAX = 500;

/**
 * Does one pass over the earliest hour that is due: final, audited, and left alone for a while. False when there is none, or compaction is not
 * configured. A pass that fails is put off and throws.
 */
export async function advanceCompaction(env: Env, nowMs: number): Promise<boolean> {
  const s3 = archiveS3Of(env);
  if (s3 === undefined) return false;
  const limits = await dueLimits(env, nowMs);
  const hour = limits === undefined ? undefined : await nextUncompacted(env.DIRECTORY, limits);
  if (hour === undefined) return false;
  try {
    const bytesMax = settingsOf(env).COMPACT_BYTES_MAX;
    const done = await compactHour(env, s3, hour.hourMs, { nowMs, bytesMax });
    log("info", "hour compacted", { hour: new Date(hour.hourMs).toISOString(), ...done });
    if (done.leftovers > 0 && !done.isMore) {
      const retryAtMs = nowMs + LEFTOVER_AGE_MS;
      await postponeUncompacted(env.DIRECTORY, hour, { failure: null, retryAtMs });
    } else if (!done.isMore) await forgetUncompacted(env.DIRECTORY, hour);
  } catch (error) {
    // Whatever it is that fails with this hour, others must not wait for it.
    const failure = errorText(error).slice(0, FAILURE_LENGTH_MAX);
    await postponeUncompacted(env.DIRECTORY, hour, { failure, retryAtMs: nowMs + RETRY_MS });
    throw error;
  }
  return true;
}

/** Whether there is a pass to do. What is half configured is the cron's to complain of. */
export async function isCompactionDue(env: Env, nowMs: number): Promise<boolean> {
  if (!isArchiveS3Set(env)) return false;
  const limits = await dueLimits(env, nowMs);
  return limits !== undefined && (await nextUncompacted(env.DIRECTORY, limits)) !== undefined;
}

/** `undefined` before the first audit has got anywhere. */
async function dueLimits(env: Env, nowMs: number): Promise<DueLimits | undefined> {
  const auditedMs = await auditDoneThrough(env.DIRECTORY);
  if (auditedMs === undefined) return undefined;
  const beforeMs = Math.min(auditedMs, finalHoursThrough(nowMs - SHARD_MARGIN_MS));
  return { beforeMs, quietMs: settingsOf(env).COMPACT_QUIET_MS, waitMsMax: WAIT_MS_MAX, nowMs };
}

/** What the cron does about it: has the Replayer begin when there is something to do, and says how it stands. */
export async function compaction(env: Env, nowMs: number): Promise<object> {
  const { waiting, earliestMs, failing, failure } = await uncompactedState(env.DIRECTORY);
  const state = {
    hoursWaiting: waiting,
    earliest: earliestMs === null ? undefined : new Date(earliestMs).toISOString(),
    failing,
    failure: failure ?? undefined,
  };
  if (archiveS3Of(env) === undefined) return { ...state, off: "ARCHIVE_S3_URL is not set" };
  if (await isCompactionDue(env, nowMs)) await env.REPLAYER.get(env.REPLAYER.idFromName(REPLAYER)).begin();
  return state;
}
