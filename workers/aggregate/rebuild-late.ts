import { createClient } from "@clickhouse/client-web";
import { HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import { log } from "../log.ts";
import { loadHours } from "./archived-hours.ts";
import { type Env, settingsOf } from "./env.ts";
import { dueLateWindows, forgetLateWindows, type LateWindow, postponeLateWindows } from "./late-windows.ts";
import { NEIGHBOURS_SQL, REWRITE_SQL, WRITTEN_SQL } from "./recount-sql.ts";

/** Windows and hours of one pass: what a query takes as parameters, and what ClickHouse has loaded at a time. */
export const PASS_WINDOWS_MAX = 2_000;
export const PASS_HOURS_MAX = 72;
/** More merchants are not named when lines are loaded: the names go with the address of the call. */
const NAMED_MERCHANTS_MAX = 200;
/** A window whose archive could not be read is tried again after this. */
const RETRY_MS = HOUR_MS;
const QUERY_TIMEOUT_MS = 300_000;
const PROGRESS_INTERVAL_MS = 20_000;
/** What a pass may take of ClickHouse's memory; beyond a third of it identities are grouped on disk. */
const QUERY_MEMORY_BYTES_MAX = 2_000_000_000;

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
  const damaged = await loadHours(env, replay, hoursMs, named);
  const parameters = {
    replay,
    hours: [...hoursMs].map((ms) => ms / 1000),
    merchants: due.map(({ merchantId }) => merchantId),
    slots: due.map(({ startMs }) => startMs / WINDOW_MS),
    revision: nowMs,
  };
  const written = await withClient(env, async (client) => {
    const neighbours = await client.query({ query: NEIGHBOURS_SQL, query_params: parameters, format: "JSONEachRow" });
    const rows = await neighbours.json<{ hour_s: number | string }>();
    const missing = rows.map(({ hour_s }) => Number(hour_s) * 1000).filter((hourMs) => !hoursMs.has(hourMs));
    damaged.push(...(await loadHours(env, replay, missing, named)));
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

async function withClient<T>(env: Env, work: (client: ReturnType<typeof createClient>) => Promise<T>): Promise<T> {
  const settings = settingsOf(env);
  const client = createClient({
    url: settings.CLICKHOUSE_URL,
    username: settings.CLICKHOUSE_USER,
    password: settings.CLICKHOUSE_PASSWORD,
    database: settings.CLICKHOUSE_DATABASE,
    request_timeout: QUERY_TIMEOUT_MS,
    use_multipart_params: true,
    clickhouse_settings: {
      // So that nothing in between takes a long silence for the end.
      send_progress_in_http_headers: 1,
      http_headers_progress_interval_ms: String(PROGRESS_INTERVAL_MS),
      max_execution_time: QUERY_TIMEOUT_MS / 1000,
      max_memory_usage: String(QUERY_MEMORY_BYTES_MAX),
      max_bytes_before_external_group_by: String(Math.floor(QUERY_MEMORY_BYTES_MAX / 3)),
    },
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
