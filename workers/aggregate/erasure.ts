import { finalHoursThrough, HOUR_MS } from "../../shared/window.ts";
import { noteCorrection } from "../directory/corrections.ts";
import { advanceErasure, type Erasure, hashesOf, nextErasure, noteErasureFailure } from "../directory/erasures.ts";
import { noteUncompacted } from "../directory/uncompacted-hours.ts";
import { log } from "../log.ts";
import { requiredArchiveS3 } from "./archive-s3.ts";
import { hoursBetween } from "./archived-hours.ts";
import { SHARD_MARGIN_MS } from "./compaction.ts";
import { type Env, settingsOf } from "./env.ts";
import { eraseHour } from "./erase-hour.ts";

/** Hours of one pass, between which late events and replays have their turn. */
const PASS_HOURS_MAX = 20;
/** After a pass that failed. */
const RETRY_MS = 10 * 60_000;
const FAILURE_LENGTH_MAX = 500;

/**
 * Goes on with the oldest erasure that has something to do, for some hours of the archive; false when there is none. It comes to hours as compaction does,
 * six hours after they are final: until then shards have their events, and may want the objects. A pass that fails is put off and throws.
 */
export async function erasePass(env: Env, nowMs: number): Promise<boolean> {
  const erasure = await nextErasure(env.DIRECTORY, nowMs);
  if (erasure === undefined) return false;
  try {
    await eraseHours(env, erasure, nowMs);
  } catch (error) {
    const failure = String(error).slice(0, FAILURE_LENGTH_MAX);
    await noteErasureFailure(env.DIRECTORY, erasure.id, { failure, retryAtMs: nowMs + RETRY_MS }, nowMs);
    throw error;
  }
  return true;
}

async function eraseHours(env: Env, erasure: Erasure, nowMs: number): Promise<void> {
  const s3 = requiredArchiveS3(env);
  const users = hashesOf(erasure);
  const limits = { nowMs, bytesMax: settingsOf(env).COMPACT_BYTES_MAX };
  const dueMs = Math.min(erasure.toMs, finalHoursThrough(nowMs - SHARD_MARGIN_MS));
  let { events, files, unreadable } = erasure;
  let hours = 0;
  for await (const hour of hoursBetween(env.ARCHIVE, erasure.nextMs, dueMs)) {
    const done = await eraseHour(env, s3, hour, users, limits);
    // What ClickHouse may still be writing of a pass that died, the compaction of the hour removes, an hour later.
    if (done.leftovers > 0) await noteUncompacted(env.DIRECTORY, [hour.hourMs], nowMs);
    events += done.events;
    files += done.files;
    unreadable += done.unreadable;
    hours += 1;
    // Lists of events that are kept have the hashes of before. Of whichever merchants, and before it is noted that the hour is done.
    if (done.events > 0) await noteCorrection(env.DIRECTORY, null, nowMs);
    const nextMs = done.isMore ? hour.hourMs : hour.hourMs + HOUR_MS;
    await advanceErasure(env.DIRECTORY, erasure, { nextMs, events, files, unreadable, retryAt: 0 }, nowMs);
    if (done.isMore || hours === PASS_HOURS_MAX) return;
  }
  const isWaiting = dueMs < erasure.toMs;
  const nextMs = Math.max(erasure.nextMs, dueMs);
  const retryAt = isWaiting ? nowMs + HOUR_MS : 0;
  await advanceErasure(env.DIRECTORY, erasure, { nextMs, events, files, unreadable, retryAt }, nowMs);
  if (!isWaiting) log("info", "users erased", { erasure: erasure.id, events, files, unreadable });
}

export async function isErasureDue(env: Env, nowMs: number): Promise<boolean> {
  return (await nextErasure(env.DIRECTORY, nowMs)) !== undefined;
}
