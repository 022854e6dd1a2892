import { DAY_MS } from "../../shared/window.ts";
import type { HistoryEnv } from "../history-client.ts";
import type { HistorySpan } from "./tiers.ts";

/**
 * How long each tier of history is kept unless its TTL is changed (`clickhouse/005_retention.sql`): five years, and what events may be older
 * than that when they come.
 */
export const HISTORY_KEPT_DAYS = 1_860;

/** Roll-ups are made once a day is final, by a cron that may be held up: where windows are gone before, nothing would tell of them. */
const WINDOWS_KEPT_DAYS_MIN = 7;

export interface ReadHistoryEnv extends HistoryEnv {
  /** When the TTL of `windows` was made shorter, its days: roll-ups of before are taken as they are, and single windows refused. */
  readonly WINDOWS_KEPT_DAYS?: string;
}

/** Windows of before `keptFromMs` were asked for, and are not kept that long: only whole hours can be told. */
export class WindowsGone extends Error {
  readonly keptFromMs: number;

  constructor(keptFromMs: number) {
    super(`windows before ${new Date(keptFromMs).toISOString()} are gone`);
    this.keptFromMs = keptFromMs;
  }
}

/** The first day of which every window is kept. Throws when the setting is no number of days, or too small a one. */
export function windowsKeptFrom({ WINDOWS_KEPT_DAYS }: ReadHistoryEnv, nowMs: number): number {
  const days = Number(WINDOWS_KEPT_DAYS ?? HISTORY_KEPT_DAYS);
  if (!(Number.isInteger(days) && days >= WINDOWS_KEPT_DAYS_MIN)) {
    throw new Error(`WINDOWS_KEPT_DAYS is ${WINDOWS_KEPT_DAYS}, not a number of days from ${WINDOWS_KEPT_DAYS_MIN} on`);
  }
  return startOfKept(days, nowMs);
}

/**
 * Throws `WindowsGone` when windows are asked for that are older than windows are kept, and not as old as all of history: zeros would look
 * like a day without sales.
 */
export function refuseGone(windows: readonly HistorySpan[], keptFromMs: number, nowMs: number): void {
  const historyFromMs = historyFrom(nowMs);
  const isGone = ({ fromMs, toMs }: HistorySpan) => fromMs < keptFromMs && toMs > historyFromMs;
  if (windows.some(isGone)) throw new WindowsGone(keptFromMs);
}

/** The first day of which anything is kept. */
export function historyFrom(nowMs: number): number {
  return startOfKept(HISTORY_KEPT_DAYS, nowMs);
}

function startOfKept(days: number, nowMs: number): number {
  return Math.max(0, Math.ceil(nowMs / DAY_MS - days) * DAY_MS);
}
