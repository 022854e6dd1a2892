import type { EventBatch } from "../../shared/event-batch.ts";
import { windowStart } from "../../shared/window.ts";
import { checkOf, isRecent, MOVED_REPEAT_MS, nextAtMs, type ShardState } from "./engine.ts";
import { Slice } from "./slice.ts";

/** Damaged windows being counted anew from the archive, beside the state until all of it is in. */
export interface Recount {
  /** What all of their changes get: after every revision they have had, so that history takes them for newer. */
  readonly revision: number;
  /** By window, for each one of the recount; empty at first. */
  readonly slices: ReadonlyMap<number, Slice>;
}

export function beginRecount(state: ShardState, starts: readonly number[], nowMs: number): Recount {
  return {
    revision: nextAtMs(state, nowMs),
    slices: new Map(starts.map((startMs) => [startMs, new Slice(startMs)])),
  };
}

/**
 * Counts archived events of the recount's windows, in the order they were received: the first of an identity counts, as it did live. Those
 * that another window had counted and would recognise as a moved repeat are passed over; so are repeats, of which an archive may have
 * many, and the same events once more. Throws `DamagedWindow` when a slice that must be asked cannot be brought back.
 */
export function recount(
  state: ShardState,
  { revision, slices }: Recount,
  batch: EventBatch,
  receivedAtMs: readonly number[],
): void {
  // An archive may have as many repeats as events: each part of what is sealed is read once for all of them.
  for (const { ids } of slices.values()) ids.recall(batch);
  for (let i = 0; i < batch.size; i++) {
    const slice = slices.get(windowStart(batch.occurredAt(i)));
    const [lo, hi] = [batch.fingerprintLo(i), batch.fingerprintHi(i)];
    if (slice === undefined || slice.ids.get(lo, hi) !== undefined) continue;
    const others = [...state.slices.values(), ...slices.values()].filter(
      (other) => other !== slice && couldRecognise(other.startMs, receivedAtMs[i] ?? 0),
    );
    if (others.some(({ ids }) => ids.get(lo, hi) !== undefined)) continue;
    slice.ids.add(lo, hi, checkOf(batch, i));
    slice.count(batch, i, revision);
  }
}

/**
 * Whether a window may have held an event, and was recent, when a repeat of it was received; or whether it may hold the repeat, because the
 * window the event came from was damaged as well and is rebuilt after it.
 */
function couldRecognise(startMs: number, receivedAtMs: number): boolean {
  return isRecent(startMs, receivedAtMs) && startMs <= receivedAtMs + MOVED_REPEAT_MS;
}
