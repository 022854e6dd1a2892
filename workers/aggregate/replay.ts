import { DAY_MS, HOUR_MS } from "../../shared/window.ts";
import { noteCorrection } from "../directory/corrections.ts";
import {
  advanceReplay,
  DIFFERENCES_PER_PASS_MAX,
  nextReplay,
  noteDoubts,
  notePass,
  noteReplayFailure,
  type Replay,
  type ReplayDifference,
} from "../directory/replays.ts";
import { noteUncompacted } from "../directory/uncompacted-hours.ts";
import { errorText } from "../error-text.ts";
import { log } from "../log.ts";
import { type ArchivedObject, loadObjects, objectsBetween } from "./archived-hours.ts";
import type { Loading } from "./archived-lines.ts";
import { type Env, settingsOf } from "./env.ts";
import { DIFFERENCES_SQL, HEAL_SQL, KEEP_RECOUNTED_SQL, VERDICTS_SQL } from "./recount-sql.ts";
import { type ReplayClient, rowsOf, withReplayClient, write } from "./replay-client.ts";
import { loadingNumber, loadNeighbours, soundHours } from "./replay-loading.ts";
import { secondOpinion } from "./second-opinion.ts";

/** Hours a pass counts at a time. Of the archive it takes `REPLAY_BYTES_MAX`; an hour with more is cut into slices of its merchants. */
const PASS_HOURS_MAX = 168;
/** Each is a read of R2 to wait for. */
const PASS_OBJECTS_MAX = 2_000;
/** Hours without an archive cost nothing, but history may have windows of theirs, which are compared, too. */
const PASS_SPAN_MS_MAX = 31 * DAY_MS;
const FAILURE_LENGTH_MAX = 500;
/** Damaged objects that are named for each pass. */
const DAMAGED_NAMED_MAX = 100;

/** Hours from `fromMs` up to `toMs`, what the archive has of them, and which slice of how many of their merchants. */
interface Pass {
  readonly fromMs: number;
  readonly toMs: number;
  readonly slice: number;
  readonly slices: number;
  readonly objects: readonly ArchivedObject[];
}

interface Verdicts {
  readonly equal: number;
  readonly changed: number;
  readonly missing: number;
  readonly short: number;
  readonly unarchived: number;
  readonly events: number;
}

/**
 * Does the next part of the oldest replay that runs. What it finds is noted, then what differs is written, then it goes on: stopped anywhere, the
 * part is done again and ends the same. False when no replay runs.
 */
export async function advanceReplays(env: Env, nowMs: number): Promise<boolean> {
  const replay = await nextReplay(env.DIRECTORY);
  if (replay === undefined) return false;
  try {
    const pass = await passOf(env, replay);
    await runPass(env, replay, pass, nowMs);
    const isLast = pass.slice + 1 >= pass.slices;
    const next = isLast
      ? { nextMs: pass.toMs, slice: 0, slices: 1 }
      : { nextMs: pass.fromMs, slice: pass.slice + 1, slices: pass.slices };
    await advanceReplay(env.DIRECTORY, replay, next, nowMs);
  } catch (error) {
    log("error", "replay failed", { replay: replay.id, error });
    await noteReplayFailure(env.DIRECTORY, replay.id, errorText(error).slice(0, FAILURE_LENGTH_MAX), nowMs);
    throw error;
  }
  return true;
}

/**
 * As many of the next hours as one pass takes, with what the archive has of them. An hour that is too large is a pass of its own, or several:
 * then it begins where the replay stands.
 */
async function passOf(env: Env, { nextMs, toMs, slice, slices }: Replay): Promise<Pass> {
  const { REPLAY_BYTES_MAX } = settingsOf(env);
  const limitMs = slice > 0 ? nextMs + HOUR_MS : Math.min(toMs, nextMs + PASS_SPAN_MS_MAX);
  const objects: ArchivedObject[] = [];
  let bytes = 0;
  let hours = 0;
  let hour = { startMs: -1, first: 0, bytesBefore: 0 };
  const pass = (endMs: number, objects: readonly ArchivedObject[], bytes: number): Pass => {
    const isLarge = slice > 0 || bytes > REPLAY_BYTES_MAX;
    return {
      fromMs: nextMs,
      toMs: isLarge ? nextMs + HOUR_MS : endMs,
      objects,
      slice,
      slices: slice > 0 ? slices : Math.max(1, Math.ceil(bytes / REPLAY_BYTES_MAX)),
    };
  };
  for await (const object of objectsBetween(env.ARCHIVE, nextMs, limitMs)) {
    if (object.hourMs !== hour.startMs) {
      if (hours === PASS_HOURS_MAX || objects.length > PASS_OBJECTS_MAX || bytes > REPLAY_BYTES_MAX)
        return pass(object.hourMs, objects, bytes);
      hour = { startMs: object.hourMs, first: objects.length, bytesBefore: bytes };
      hours += 1;
    }
    if (bytes + object.size > REPLAY_BYTES_MAX && object.hourMs > nextMs) {
      return pass(object.hourMs, objects.slice(0, hour.first), hour.bytesBefore);
    }
    objects.push(object);
    bytes += object.size;
  }
  return pass(limitMs, objects, bytes);
}

async function runPass(env: Env, replay: Replay, pass: Pass, nowMs: number): Promise<void> {
  const { slice, slices } = pass;
  const only = replay.merchantId === null ? [] : [replay.merchantId];
  const loading: Loading = {
    replay: loadingNumber(nowMs),
    merchants: only,
    slices,
    slice,
  };
  const hoursMs = [...new Set(pass.objects.map(({ hourMs }) => hourMs))];
  const damaged = await loadObjects(env, loading, pass.objects);
  const parameters = {
    replay: loading.replay,
    hours: hoursMs.map((ms) => ms / 1000),
    merchants: [],
    slots: [],
    revision: nowMs,
    from: pass.fromMs / 1000,
    to: pass.toMs / 1000,
    only,
    slices,
    slice,
    limit: DIFFERENCES_PER_PASS_MAX,
  };
  await withReplayClient(env, async (client) => {
    damaged.push(...(await loadNeighbours(env, client, loading, parameters)));
    await write(client, KEEP_RECOUNTED_SQL, parameters);
    const verdicts = await verdictsOn(client, parameters);
    const { changed, missing, short, unarchived } = verdicts;
    const isRight = changed + missing + short + unarchived === 0;
    const differences = isRight ? [] : await differencesIn(client, replay.id, parameters);
    await notePass(
      env.DIRECTORY,
      {
        replayId: replay.id,
        fromMs: pass.fromMs,
        slice,
        toMs: pass.toMs,
        ...verdicts,
        damaged: damaged.slice(0, DAMAGED_NAMED_MAX).map(({ key, reason }) => ({ key, reason })),
        foundAt: nowMs,
      },
      differences,
    );
    if (!replay.dryRun && changed + missing > 0) {
      const sound = soundHours(hoursMs, damaged).map((ms) => ms / 1000);
      const corrected = merchantsIn(differences);
      // Before as well: begun again after a crash in between, the pass finds nothing to correct.
      await noteCorrection(env.DIRECTORY, corrected, nowMs);
      await write(client, HEAL_SQL, { ...parameters, sound });
      await noteCorrection(env.DIRECTORY, corrected, nowMs);
    }
    // Where something was left as it is, the sums cannot be the same.
    if (replay.askedBy === "audit" && damaged.length + short + unarchived === 0) {
      const doubts = await secondOpinion(client, parameters);
      await noteDoubts(env.DIRECTORY, { replayId: replay.id, fromMs: pass.fromMs, slice }, doubts);
      if (doubts.length > 0) log("error", "archive and history do not add up", { replay: replay.id, doubts });
    }
    const uncompacted = pass.objects
      .filter(({ kind, isUnnamed }) => kind === "lines" || isUnnamed)
      .map(({ hourMs }) => hourMs);
    await noteUncompacted(env.DIRECTORY, [...new Set(uncompacted)], nowMs);
    log("info", "replayed", {
      replay: replay.id,
      from: new Date(pass.fromMs).toISOString(),
      hours: hoursMs.length,
      ...verdicts,
    });
  });
}

/** Whose windows differ, `null` for anybody's when not all differences were listed. */
function merchantsIn(differences: readonly ReplayDifference[]): string[] | null {
  return differences.length < DIFFERENCES_PER_PASS_MAX ? differences.map(({ merchantId }) => merchantId) : null;
}

async function verdictsOn(client: ReplayClient, parameters: Readonly<Record<string, unknown>>): Promise<Verdicts> {
  const rows = await rowsOf<{ verdict: string; windows: string; archived: string }>(client, VERDICTS_SQL, parameters);
  const of = (verdict: string) => Number(rows.find((row) => row.verdict === verdict)?.windows ?? 0);
  return {
    equal: of("equal"),
    changed: of("changed"),
    missing: of("missing"),
    short: of("short"),
    unarchived: of("unarchived"),
    events: rows.reduce((sum, { archived }) => sum + Number(archived), 0),
  };
}

async function differencesIn(
  client: ReplayClient,
  replayId: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<ReplayDifference[]> {
  const rows = await rowsOf<Record<string, string>>(client, DIFFERENCES_SQL, parameters);
  return rows.map((row) => ({
    replayId,
    windowStart: Number(row.start_s) * 1000,
    merchantId: String(row.merchant),
    currency: String(row.currency_code),
    verdict: String(row.verdict),
    archivedEvents: Number(row.archived_events),
    storedEvents: Number(row.stored_events),
    archivedAmount: String(row.archived_amount_text),
    storedAmount: String(row.stored_amount_text),
  }));
}
