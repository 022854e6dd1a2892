/** Ten minutes of event time, `[start, end)`, aligned to the UTC epoch (design §1.4). */
export const WINDOW_MS = 600_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** How long after its end a window stays `open`, so that events a little late still make the first emission. */
export const GRACE_MS = 120_000;
/** How long after its end a window accepts corrections in the shard; a later event is rebuilt from the archive. */
export const LATENESS_HORIZON_MS = DAY_MS;

/**
 * `open`: still filling. `provisional`: closed and sent to history, late events still correct it.
 * `final`: past the lateness horizon; only a rebuild from the archive changes it.
 */
export type WindowStatus = "open" | "provisional" | "final";

/** Start of the window that holds the moment `ms` (epoch milliseconds, ≥ 0). */
export function windowStart(ms: number): number {
  return ms - (ms % WINDOW_MS);
}

/** True when the grace has passed: everything on time is in, and the window may be sent to history. */
export function isClosed(startMs: number, nowMs: number): boolean {
  return nowMs >= startMs + WINDOW_MS + GRACE_MS;
}

/** True when the shard no longer takes events for the window. */
export function isFinal(startMs: number, nowMs: number): boolean {
  return nowMs >= startMs + WINDOW_MS + LATENESS_HORIZON_MS;
}

/** The hours before this moment, a whole hour, have none but final windows. */
export function finalHoursThrough(nowMs: number): number {
  const finalMs = nowMs - LATENESS_HORIZON_MS;
  return finalMs - (finalMs % HOUR_MS);
}

/** What the horizon leaves behind (corrections wait, queues are emptied) is in history by then. */
const AFTER_HORIZON_MS = HOUR_MS;

/** Windows that end before this moment, the start of one, are final and in history, whatever a shard says. */
export function storedThrough(nowMs: number): number {
  return windowStart(nowMs - LATENESS_HORIZON_MS - AFTER_HORIZON_MS);
}

/** The days of UTC before this moment, the start of one, are final and in history, and have or soon get roll-ups. */
export function rolledUpDaysThrough(nowMs: number): number {
  const finalMs = nowMs - LATENESS_HORIZON_MS - AFTER_HORIZON_MS;
  return Math.floor(finalMs / DAY_MS) * DAY_MS;
}

export function windowStatus(startMs: number, nowMs: number): WindowStatus {
  if (isFinal(startMs, nowMs)) return "final";
  return isClosed(startMs, nowMs) ? "provisional" : "open";
}

/** Moment up to which every window is closed: all events that were on time are counted before it. */
export function completeThrough(nowMs: number): number {
  return windowStart(nowMs - GRACE_MS);
}

const STATUS_RANK = { final: 0, provisional: 1, open: 2 } as const satisfies Record<WindowStatus, number>;

/** Status of a span made of several windows: as unfinished as its least finished one. */
export function leastFinished(a: WindowStatus, b: WindowStatus): WindowStatus {
  return STATUS_RANK[a] >= STATUS_RANK[b] ? a : b;
}
