import { DAY_MS, finalHoursThrough, HOUR_MS } from "../../shared/window.ts";
import { noteCorrection } from "../directory/corrections.ts";
import {
  advanceErasure,
  advanceLetters,
  type Erasure,
  endErasure,
  hashesOf,
  nextErasure,
  noteErasureFailure,
  postponeErasure,
} from "../directory/erasures.ts";
import { noteUncompacted } from "../directory/uncompacted-hours.ts";
import { errorText } from "../error-text.ts";
import { log } from "../log.ts";
import { requiredArchiveS3 } from "./archive-s3.ts";
import { hoursBetween } from "./archived-hours.ts";
import { SHARD_MARGIN_MS } from "./compaction.ts";
import { deadLetterKey } from "./dead-letter-key.ts";
import { discardLetter } from "./discard-letter.ts";
import { type Env, settingsOf } from "./env.ts";
import { eraseHour } from "./erase-hour.ts";
import { eraseLetter } from "./erase-letter.ts";

/** Hours of one pass, between which late events and replays have their turn. */
const PASS_HOURS_MAX = 20;
/** Dead letters of one pass: read, and written where a user is found, of the calls that an invocation may make. */
const PASS_LETTERS_MAX = 100;
/** While the log still brings what was sent before. */
const LOG_WAIT_MS = 60_000;
/** After a pass that failed. */
const RETRY_MS = 10 * 60_000;
const FAILURE_LENGTH_MAX = 500;
/**
 * After an erasure was asked for, or after the letter died if that was later. A dead letter that cannot be read may have any user in it, or events that a
 * later version can read: so long somebody has to find out, and the erasure is not done before.
 */
export const UNREADABLE_LETTERS_KEPT_MS = 7 * DAY_MS;

/**
 * Goes on with the oldest erasure that has something to do: for some dead letters first, then for some hours of the archive, then for the letters once
 * more; false when there is none. It comes to hours as compaction does, six hours after they are final: until then shards have their events, and may want
 * the objects. A pass that fails is put off and throws.
 */
export async function erasePass(env: Env, nowMs: number): Promise<boolean> {
  const erasure = await nextErasure(env.DIRECTORY, nowMs);
  if (erasure === undefined) return false;
  try {
    const at = erasure.lettersAfter === null ? erasure : await eraseLetters(env, erasure, erasure.lettersAfter, nowMs);
    if (at.lettersAfter !== null) return true;
    if (at.nextMs >= at.toMs) await finish(env, at, nowMs);
    else if (await isLogBehind(env, at)) await postponeErasure(env.DIRECTORY, at, nowMs + LOG_WAIT_MS, nowMs);
    else await eraseHours(env, at, nowMs);
  } catch (error) {
    const failure = errorText(error).slice(0, FAILURE_LENGTH_MAX);
    await noteErasureFailure(env.DIRECTORY, erasure.id, { failure, retryAtMs: nowMs + RETRY_MS }, nowMs);
    throw error;
  }
  return true;
}

/**
 * Those that were put back, too, whose bodies stay. What dies from here on is kept without the users (`buryMessage`); what cannot be read, whoever is in
 * it, is waited for, and discarded in the end.
 */
async function eraseLetters(env: Env, erasure: Erasure, after: string, nowMs: number): Promise<Erasure> {
  const users = new Set(hashesOf(erasure));
  const { objects, truncated } = await env.ARCHIVE.list({
    prefix: deadLetterKey("tally-raw"),
    limit: PASS_LETTERS_MAX,
    ...(after === "" ? {} : { startAfter: after }),
  });
  let { letters } = erasure;
  let unreadableLetters = after === "" ? 0 : erasure.unreadableLetters;
  for (const { key, uploaded } of objects) {
    const erased = await eraseLetter(env.ARCHIVE, key, users);
    const waitedMs = nowMs - Math.max(erasure.createdAt, uploaded.getTime());
    if ("unreadable" in erased && waitedMs >= UNREADABLE_LETTERS_KEPT_MS)
      await discardLetter(env, key, erased.unreadable, nowMs);
    else if ("unreadable" in erased) unreadableLetters += 1;
    else if (erased.events > 0) letters += 1;
  }
  const lettersAfter = truncated ? (objects.at(-1)?.key ?? null) : null;
  const next = { lettersAfter, letters, unreadableLetters };
  await advanceLetters(env.DIRECTORY, erasure, next, nowMs);
  return { ...erasure, ...next };
}

/** After the last hour: done, unless there are letters that could not be read, which are looked at again. */
async function finish(env: Env, erasure: Erasure, nowMs: number): Promise<void> {
  const { id, events, files, unreadable, letters, unreadableLetters } = erasure;
  if (unreadableLetters > 0) {
    await advanceLetters(env.DIRECTORY, erasure, { lettersAfter: "", letters, unreadableLetters }, nowMs);
    await postponeErasure(env.DIRECTORY, erasure, nowMs + HOUR_MS, nowMs);
    return;
  }
  await endErasure(env.DIRECTORY, erasure, nowMs);
  log("info", "users erased", { erasure: id, events, files, unreadable });
}

/**
 * Whether the log has messages that were sent before the erasure was asked for: an old event among them would be archived in an hour that was gone
 * through. It is asked before the first hour. Where nobody tells, as locally, it is not waited for.
 */
async function isLogBehind({ RAW }: Env, { nextMs, createdAt }: Erasure): Promise<boolean> {
  if (nextMs > 0 || RAW?.metrics === undefined) return false;
  const { oldestMessageTimestamp } = await RAW.metrics();
  const oldestMs = oldestMessageTimestamp === undefined ? 0 : new Date(oldestMessageTimestamp).getTime();
  return oldestMs > 0 && oldestMs <= createdAt;
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
}

export async function isErasureDue(env: Env, nowMs: number): Promise<boolean> {
  return (await nextErasure(env.DIRECTORY, nowMs)) !== undefined;
}
