import type { EventBatch } from "../../shared/event-batch.ts";
import { windowStart } from "../../shared/window.ts";
import { checkOf, isRecent, MOVED_REPEAT_MS, nextAtMs, type ShardState } from "./engine.ts";
import { Slice } from "./slice.ts";

/** Damaged windows being counted anew from the archive, beside the state until all of it is in. */
export interface Recount {
  /** What all of their changes get: after every revision they have had, so that history takes them for newer. */
  readonly revision: number;
  /** By window, for each one of the recount; empty at first. */
  readonly slices: Map<number, Slice>;
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
 * many, and the same events once more. `onAsk` is told of each slice of the state before it is asked, and may page out all others. Throws
 * `DamagedWindow` when one cannot be brought back.
 */
export function recount(
  state: ShardState,
  { revision, slices }: Recount,
  batch: EventBatch,
  receivedAtMs: readonly number[],
  onAsk: (slice: Slice) => void = () => {},
): void {
  // An archive may have as many repeats as events: each part of what is sealed is read once for all of them.
  for (const { ids } of slices.values()) ids.recall(batch);
  const receivedMs = (i: number) => receivedAtMs[i] ?? 0;
  const isCounted = countedElsewhere(state, batch, receivedMs, onAsk);
  const order = Array.from({ length: batch.size }, (_, i) => i).sort((a, b) => receivedMs(a) - receivedMs(b));
  for (const i of order) {
    const slice = slices.get(windowStart(batch.occurredAt(i)));
    if (slice === undefined || isCounted[i] === 1 || isKnown(slice, batch, i)) continue;
    const others = [...slices.values()].filter(
      (other) => other !== slice && couldRecognise(other.startMs, receivedMs(i)),
    );
    if (others.some((other) => isKnown(other, batch, i))) continue;
    slice.ids.add(batch.fingerprintLo(i), batch.fingerprintHi(i), checkOf(batch, i));
    slice.count(batch, i, revision);
  }
}

/** For each event 1 when a window of the state has counted it and would recognise it. Slice by slice: no two of them have to be in memory together. */
function countedElsewhere(
  state: ShardState,
  batch: EventBatch,
  receivedMs: (i: number) => number,
  onAsk: (slice: Slice) => void,
): Uint8Array {
  const isCounted = new Uint8Array(batch.size);
  for (const slice of state.slices.values()) {
    const asked = [...isCounted.keys()].filter((i) => couldRecognise(slice.startMs, receivedMs(i)));
    if (asked.length === 0) continue;
    onAsk(slice);
    slice.ids.recall(batch);
    for (const i of asked) if (isKnown(slice, batch, i)) isCounted[i] = 1;
  }
  return isCounted;
}

function isKnown({ ids }: Slice, batch: EventBatch, i: number): boolean {
  return ids.get(batch.fingerprintLo(i), batch.fingerprintHi(i)) !== undefined;
}

/**
 * Whether a window may have held an event, and was recent, when a repeat of it was received; or whether it may hold the repeat, because the
 * window the event came from was damaged as well and is rebuilt after it.
 */
function couldRecognise(startMs: number, receivedAtMs: number): boolean {
  return isRecent(startMs, receivedAtMs) && startMs <= receivedAtMs + MOVED_REPEAT_MS;
}
