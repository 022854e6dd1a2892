import { HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import { noteUncompacted } from "../directory/uncompacted-hours.ts";
import { errorText } from "../error-text.ts";
import { log } from "../log.ts";
import { loadHours } from "./archived-hours.ts";
import type { Env } from "./env.ts";
import { dueLateWindows, forgetLateWindows, type LateWindow, postponeLateWindows } from "./late-windows.ts";
import { HEAL_SQL, JUDGED_SQL, KEEP_RECOUNTED_SQL } from "./recount-sql.ts";
import { rowsOf, withReplayClient, write } from "./replay-client.ts";
import { loadingNumber, loadNeighbours, soundHours, wholePass } from "./replay-loading.ts";

/** Windows and hours of one pass: what a query takes as parameters, and what ClickHouse has loaded at a time. */
const PASS_WINDOWS_MAX = 2_000;
const PASS_HOURS_MAX = 72;
/** A form field takes 128 KB of ClickHouse's default (`http_max_field_value_size`), and each id has a few characters around it. */
const PASS_ID_BYTES_MAX = 60_000;
/** More merchants are not named when lines are loaded: the names go with the address of the call. */
const NAMED_MERCHANTS_MAX = 100;
/** A window whose archive cannot be read is tried again after this, and one of a pass that failed. */
const RETRY_MS = HOUR_MS;
const RETRY_FAILED_MS = 5 * 60_000;
const FAILURE_LENGTH_MAX = 500;

/** What became of the windows of a pass. */
export interface LatePass {
  readonly rebuilt: number;
  readonly postponed: number;
}

/**
 * Counts windows anew that took events past the horizon, from all the archive has of them, and writes them with a revision of now. What is
 * archived after it was listed is noted again, and its window waits for another pass. Stopped anywhere and begun again it ends the same:
 * the state it writes is absolute. `undefined` when nothing waits.
 */
export async function rebuildLate(env: Env, nowMs: number): Promise<LatePass | undefined> {
  const limits = { windowsMax: PASS_WINDOWS_MAX, hoursMax: PASS_HOURS_MAX, idBytesMax: PASS_ID_BYTES_MAX, nowMs };
  const due = await dueLateWindows(env.DIRECTORY, limits);
  if (due.length === 0) return undefined;
  try {
    return await rebuildWindows(env, due, nowMs);
  } catch (error) {
    // Whatever it is that fails with these, others must not wait for it.
    const failure = errorText(error).slice(0, FAILURE_LENGTH_MAX);
    await postponeLateWindows(env.DIRECTORY, due, { failure, retryAtMs: nowMs + RETRY_FAILED_MS });
    throw error;
  }
}

async function rebuildWindows(env: Env, due: readonly LateWindow[], nowMs: number): Promise<LatePass> {
  const hourOf = (ms: number) => ms - (ms % HOUR_MS);
  const hoursMs = new Set(due.map(({ startMs }) => hourOf(startMs)));
  const merchants = new Set(due.map(({ merchantId }) => merchantId));
  const loading = {
    replay: loadingNumber(nowMs),
    merchants: merchants.size <= NAMED_MERCHANTS_MAX ? [...merchants] : [],
  };
  const damaged = await loadHours(env, loading, hoursMs);
  const parameters = {
    ...wholePass(Math.min(...hoursMs), Math.max(...hoursMs) + HOUR_MS),
    replay: loading.replay,
    hours: [...hoursMs].map((ms) => ms / 1000),
    merchants: due.map(({ merchantId }) => merchantId),
    slots: due.map(({ startMs }) => startMs / WINDOW_MS),
    revision: nowMs,
  };
  const isRight = await withReplayClient(env, async (client) => {
    damaged.push(...(await loadNeighbours(env, client, loading, parameters)));
    const sound = soundHours(hoursMs, damaged);
    await write(client, KEEP_RECOUNTED_SQL, parameters);
    const judged = await rowsOf<Judged>(client, JUDGED_SQL, parameters);
    await write(client, HEAL_SQL, { ...parameters, sound: sound.map((ms) => ms / 1000) });
    return rightOnes(judged, new Set(sound));
  });
  const rebuilt = due.filter(isRight);
  const postponed = due.filter((window) => !isRight(window));
  await forgetLateWindows(env.DIRECTORY, rebuilt, nowMs);
  if (postponed.length > 0) {
    const keys = damaged.map(({ key }) => key);
    const failure =
      keys.length > 0
        ? `damaged in the archive: ${keys.join(", ")}`.slice(0, FAILURE_LENGTH_MAX)
        : "the archive comes to fewer events than history has";
    await postponeLateWindows(env.DIRECTORY, postponed, { failure, retryAtMs: nowMs + RETRY_MS });
    log("error", "late windows not rebuilt", { windows: postponed.length, failure });
  }
  await noteUncompacted(env.DIRECTORY, [...hoursMs], nowMs);
  log("info", "late windows rebuilt from the archive", { windows: rebuilt.length, hours: hoursMs.size });
  return { rebuilt: rebuilt.length, postponed: postponed.length };
}

interface Judged {
  readonly merchant: string;
  readonly slot: number | string;
  readonly verdict: string;
}

/** Which windows are in history now as the archive says, in every currency. */
function rightOnes(judged: readonly Judged[], sound: ReadonlySet<number>): (window: LateWindow) => boolean {
  const keyOf = (merchant: string, slot: number | string) => `${slot}/${merchant}`;
  const isRight = new Map<string, boolean>();
  for (const { merchant, slot, verdict } of judged) {
    const key = keyOf(merchant, slot);
    const isWritten = verdict === "equal" || verdict === "changed" || verdict === "missing";
    isRight.set(key, isWritten && isRight.get(key) !== false);
  }
  return ({ merchantId, startMs }) =>
    sound.has(startMs - (startMs % HOUR_MS)) && isRight.get(keyOf(merchantId, startMs / WINDOW_MS)) === true;
}
