import { HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import { log } from "../log.ts";
import { loadHours } from "./archived-hours.ts";
import type { Env } from "./env.ts";
import { dueLateWindows, forgetLateWindows, type LateWindow, postponeLateWindows } from "./late-windows.ts";
import { NEIGHBOURS_SQL, REWRITE_SQL, WRITTEN_SQL } from "./recount-sql.ts";
import { withReplayClient } from "./replay-client.ts";

/** Windows and hours of one pass: what a query takes as parameters, and what ClickHouse has loaded at a time. */
export const PASS_WINDOWS_MAX = 2_000;
export const PASS_HOURS_MAX = 72;
/** More merchants are not named when lines are loaded: the names go with the address of the call. */
const NAMED_MERCHANTS_MAX = 200;
/** A window whose archive could not be read is tried again after this. */
const RETRY_MS = HOUR_MS;

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
  const due = await dueLateWindows(env.DIRECTORY, { windowsMax: PASS_WINDOWS_MAX, hoursMax: PASS_HOURS_MAX, nowMs });
  if (due.length === 0) return undefined;
  const hoursMs = new Set(due.map(({ startMs }) => startMs - (startMs % HOUR_MS)));
  const merchants = new Set(due.map(({ merchantId }) => merchantId));
  const named = merchants.size <= NAMED_MERCHANTS_MAX ? [...merchants] : [];
  // Of no other loading: two in one millisecond differ by chance, and there is one object that rebuilds.
  const replay = nowMs * 1_000 + Math.floor(Math.random() * 1_000);
  const damaged = await loadHours(env, { replay, merchants: named }, hoursMs);
  const parameters = {
    replay,
    hours: [...hoursMs].map((ms) => ms / 1000),
    merchants: due.map(({ merchantId }) => merchantId),
    slots: due.map(({ startMs }) => startMs / WINDOW_MS),
    revision: nowMs,
  };
  const written = await withReplayClient(env, async (client) => {
    const neighbours = await client.query({ query: NEIGHBOURS_SQL, query_params: parameters, format: "JSONEachRow" });
    const rows = await neighbours.json<{ hour_s: number | string }>();
    const missing = rows.map(({ hour_s }) => Number(hour_s) * 1000).filter((hourMs) => !hoursMs.has(hourMs));
    damaged.push(...(await loadHours(env, { replay, merchants: named }, missing)));
    await client.command({ query: REWRITE_SQL, query_params: parameters });
    const answer = await client.query({ query: WRITTEN_SQL, query_params: parameters, format: "JSONEachRow" });
    return await answer.json<{ merchant_id: string; slot: number | string }>();
  });
  const keys = new Set(written.map(({ merchant_id, slot }) => `${slot}/${merchant_id}`));
  const isWritten = ({ merchantId, startMs }: LateWindow) => keys.has(`${startMs / WINDOW_MS}/${merchantId}`);
  const rebuilt = due.filter(isWritten);
  const postponed = due.filter((window) => !isWritten(window));
  await forgetLateWindows(env.DIRECTORY, rebuilt);
  if (postponed.length > 0) {
    const failure = `the archive comes to fewer events than history has${damaged.length > 0 ? `; damaged: ${damaged.map(({ key }) => key).join(", ")}`.slice(0, 500) : ""}`;
    await postponeLateWindows(env.DIRECTORY, postponed, { failure, retryAtMs: nowMs + RETRY_MS });
    log("error", "late windows not rebuilt", { windows: postponed.length, failure });
  }
  log("info", "late windows rebuilt from the archive", { windows: rebuilt.length, hours: hoursMs.size });
  return { rebuilt: rebuilt.length, postponed: postponed.length };
}
