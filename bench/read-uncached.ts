import { DAY_MS, HOUR_MS, WINDOW_MS } from "../shared/window.ts";
import type { HistoryRange } from "../workers/api/history.ts";
import type { ReadHistoryEnv } from "../workers/api/retention.ts";
import { getOnce } from "./gets.ts";
import { type HistoryData, merchantOf } from "./history-data.ts";
import { bareRead, msOf } from "./history-reads.ts";
import { median } from "./numbers.ts";

export interface ReadApi {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Days of Tokyo begin at 15:00 UTC. */
const ZONE_OFFSET_MS = 9 * HOUR_MS;
const DAYS = 365;
const WARM_UPS = 5;

/** The open window and the hour before it, of one merchant after another, each asked once: from the shard alone. Milliseconds of each read. */
export async function measureRecent(
  { url, headers }: ReadApi,
  merchants: readonly string[],
  nowMs: number,
): Promise<number[]> {
  const reads: number[] = [];
  // A span that is other in its beginning is another question.
  for (let windows = 1; windows <= 6; windows++) {
    for (const merchant of merchants) {
      const path = `/v1/merchants/${merchant}/metrics?from=${nowMs - windows * WINDOW_MS}&granularity=10m`;
      reads.push(await msOf(() => askedAnew({ url: `${url}${path}`, headers })));
    }
  }
  return reads.slice(WARM_UPS);
}

export interface HistoryReadMs {
  readonly ours: readonly number[];
  readonly bare: readonly number[];
  /** Median of each read's ratio to the same statements sent to ClickHouse straight. */
  readonly ratio: number;
}

/**
 * A year by day, ending on one day after another, of one merchant after another: each asked once, through the Worker and, at once before or
 * after, by its SQL alone.
 */
export async function measureHistory(
  { url, headers }: ReadApi,
  env: ReadHistoryEnv,
  { merchants, toMs }: HistoryData,
  rounds: number,
): Promise<HistoryReadMs> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = -WARM_UPS; round < rounds; round++) {
    const merchantId = merchantOf((round + WARM_UPS) % merchants);
    const endMs = toMs - ZONE_OFFSET_MS - Math.floor((round + WARM_UPS) / merchants) * DAY_MS;
    const fromMs = endMs - DAYS * DAY_MS;
    const boundsMs = Array.from({ length: DAYS }, (_, day) => fromMs + day * DAY_MS);
    const range: HistoryRange = { merchantId, spans: [{ fromMs, toMs: endMs }], boundsMs, currencies: [] };
    const path = `/v1/merchants/${merchantId}/metrics?from=${fromMs}&to=${endMs}&granularity=1d&tz=Asia/Tokyo`;
    const askOurs = async () => {
      const ms = await msOf(() => askedAnew({ url: `${url}${path}`, headers }));
      if (round >= 0) ours.push(ms);
    };
    const askBare = async () => {
      const ms = await msOf(() => bareRead(env, range, Date.now()));
      if (round >= 0) bare.push(ms);
    };
    for (const ask of round % 2 === 0 ? [askOurs, askBare] : [askBare, askOurs]) await ask();
  }
  return { ours, bare, ratio: median(ours.map((ms, at) => ms / (bare[at] ?? Number.NaN))) };
}

/** Rows a second of a fortnight by window as CSV, from ClickHouse, a median. */
export async function measureCsv(
  { url, headers }: ReadApi,
  { merchants, toMs }: HistoryData,
  rounds: number,
): Promise<number> {
  const perSecond: number[] = [];
  for (let round = -1; round < rounds; round++) {
    // Another fortnight each time: a table is kept, too.
    const endMs = toMs - (round + 1) * DAY_MS;
    const path = `/v1/merchants/${merchantOf(Math.max(0, round) % merchants)}/metrics?from=${endMs - CSV_DAYS * DAY_MS}&to=${endMs}&granularity=10m&format=csv`;
    const beganMs = performance.now();
    const { status, lines, headers: answered } = await getOnce({ url: `${url}${path}`, headers });
    const isAnew = String(answered["cache-status"]).startsWith("tally; fwd=miss");
    if (status !== 200 || !isAnew || lines <= CSV_DAYS * WINDOWS_A_DAY)
      throw new Error(`CSV: ${status}, ${lines} lines`);
    if (round >= 0) perSecond.push(((lines - 1) * 1_000) / (performance.now() - beganMs));
  }
  return median(perSecond);
}

const CSV_DAYS = 14;
const WINDOWS_A_DAY = DAY_MS / WINDOW_MS;

async function askedAnew(target: ReadApi): Promise<void> {
  const { status, headers } = await getOnce(target);
  if (status !== 200 || !String(headers["cache-status"]).startsWith("tally; fwd=miss")) {
    throw new Error(`${target.url} answers ${status}, ${headers["cache-status"]}`);
  }
}
