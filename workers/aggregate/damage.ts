import { LATENESS_HORIZON_MS, WINDOW_MS, windowStart } from "../../shared/window.ts";

/** A batch names moments up to five minutes ahead of the clock that accepted it; the rest is for clocks that differ. */
const AHEAD_MS = WINDOW_MS;

/** What is still known of a window whose state cannot be read. */
export interface Damage {
  /** Changes up to here stand in history; 0 when none is known to. */
  readonly storedRevision: number;
}

/** A window's pages are not what was written: found out by reading them. */
export class DamagedWindow extends Error {
  readonly startMs: number;

  constructor(startMs: number, options?: ErrorOptions) {
    super(`window ${new Date(startMs).toISOString()} is damaged`, options);
    this.startMs = startMs;
  }
}

/** A window is known to be damaged: until it is rebuilt it cannot be counted in, nor read where a span has too many parts to name it. The caller comes again later. */
export class WindowUnavailable extends Error {
  constructor(startMs: number) {
    super(`window ${new Date(startMs).toISOString()} is being rebuilt from the archive`);
  }
}

/**
 * Starts of the windows that a batch may have changed of which nothing is known but when it was counted: after `afterMs`, and by
 * `beforeMs`. Windows before `droppedToMs` had left the shard.
 */
export function windowsOfLostBatch(afterMs: number, beforeMs: number, droppedToMs: number): number[] {
  const firstMs = Math.max(droppedToMs, windowStart(Math.max(0, afterMs - LATENESS_HORIZON_MS - WINDOW_MS)));
  const starts: number[] = [];
  for (let startMs = firstMs; startMs <= beforeMs + AHEAD_MS; startMs += WINDOW_MS) starts.push(startMs);
  return starts;
}
