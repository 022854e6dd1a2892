import { ARCHIVE_ROOT, archivedHour } from "../../shared/archive-key.ts";
import { DAY_MS, HOUR_MS } from "../../shared/window.ts";
import { forgetDeadLetters, forgetReplays, forgetUncompactedBefore, oldDeadLetters } from "../directory/past.ts";
import { type Env, settingsOf } from "./env.ts";

/** Long enough to find the cause and put them back; their events are not counted before, and repeats of theirs not known any more. */
export const DEAD_LETTERS_KEPT_DAYS = 90;
/** Listings of a thousand objects that one pass of the cron, which comes every ten minutes, makes of the archive's beginning. */
const LISTINGS_MAX = 10;

export interface Forgotten {
  readonly objects: number;
  readonly deadLetters: number;
  readonly replays: number;
}

/**
 * Removes what has been kept for as long as it is to be: objects of the archive by their event hour, whatever an object's own age (a lifecycle rule of the bucket knows
 * only that, and stands behind this one: docs/operations.md), dead letters, replays. A pass removes so much at a time; the next one goes on. Removing what is
 * gone already is nothing, so a pass may be cut off anywhere.
 */
export async function forgetPast(env: Env, nowMs: number): Promise<Forgotten> {
  const { ARCHIVE_KEPT_DAYS } = settingsOf(env);
  const objects = await forgetArchive(env, nowMs - ARCHIVE_KEPT_DAYS * DAY_MS);
  const letters = await oldDeadLetters(env.DIRECTORY, nowMs - DEAD_LETTERS_KEPT_DAYS * DAY_MS);
  // The body first: a letter whose body is gone is found again, a body without its letter never.
  if (letters.length > 0) await env.ARCHIVE.delete(letters.map(({ bodyKey }) => bodyKey));
  await forgetDeadLetters(env.DIRECTORY, letters);
  return { objects, deadLetters: letters.length, replays: await forgetReplays(env.DIRECTORY, nowMs) };
}

/** Whole hours that ended before a moment. Keys ascend with the hour, so they are the first that are listed. */
async function forgetArchive({ ARCHIVE, DIRECTORY }: Env, beforeMs: number): Promise<number> {
  let removed = 0;
  for (let listing = 0; listing < LISTINGS_MAX; listing += 1) {
    const { objects } = await ARCHIVE.list({ prefix: ARCHIVE_ROOT });
    const old = objects.map(({ key }) => key).filter((key) => (archivedHour(key) ?? beforeMs) + HOUR_MS <= beforeMs);
    if (old.length === 0) break;
    await ARCHIVE.delete(old);
    removed += old.length;
    if (old.length < objects.length) break;
  }
  if (removed > 0) await forgetUncompactedBefore(DIRECTORY, beforeMs - HOUR_MS);
  return removed;
}
