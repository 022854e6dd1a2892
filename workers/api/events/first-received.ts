import { AHEAD_MAX_MS } from "../../../shared/accept-event.ts";
import { HOUR_MS, WINDOW_MS, windowStart } from "../../../shared/window.ts";
import { MOVED_REPEAT_MS } from "../../aggregate/engine.ts";

/** What decides whether a copy of an event counts. */
export interface Copy {
  readonly event_id: string;
  readonly occurred_at: number;
  readonly received_at: number;
}

/**
 * The copies that count, as windows count them (`ACCEPTED` of recount-sql.ts): of an identity the first one received; and a later one in another window,
 * unless a window that counted it was recent when it came. `copies` are in the order in which they were received.
 */
export function countedCopies<C extends Copy>(copies: Iterable<C>): C[] {
  const counted: C[] = [];
  const byId = new Map<string, C[]>();
  for (const copy of copies) {
    const before = byId.get(copy.event_id) ?? [];
    byId.set(copy.event_id, before);
    if (before.some((other) => hidesFrom(other, copy))) continue;
    before.push(copy);
    counted.push(copy);
  }
  return counted;
}

function hidesFrom(counted: Copy, copy: Copy): boolean {
  const startMs = windowStart(counted.occurred_at);
  if (startMs === windowStart(copy.occurred_at)) return true;
  return startMs + WINDOW_MS + MOVED_REPEAT_MS > copy.received_at && startMs <= copy.received_at + AHEAD_MAX_MS;
}

/** Starts of the hours in which a copy may stand that had been counted before one was received within these ten minutes (`NEIGHBOURS_SQL`). */
export function hoursBefore(receivedSlot: number): number[] {
  const fromMs = hourOf(Math.max(0, receivedSlot * WINDOW_MS - WINDOW_MS - MOVED_REPEAT_MS));
  const toMs = hourOf((receivedSlot + 1) * WINDOW_MS - 1 + AHEAD_MAX_MS);
  return Array.from({ length: (toMs - fromMs) / HOUR_MS + 1 }, (_, i) => fromMs + i * HOUR_MS);
}

export function hourOf(ms: number): number {
  return ms - (ms % HOUR_MS);
}
