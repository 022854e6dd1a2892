import type { EventBatch } from "../../shared/event-batch.ts";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import { HOUR_MS, isFinal, LATENESS_HORIZON_MS, WINDOW_MS, windowStart } from "../../shared/window.ts";
import type { Damage } from "./damage.ts";
import { RecentRequests } from "./recent-requests.ts";
import { Slice } from "./slice.ts";

/**
 * A repeat whose time was changed is recognised while its first window ended within this; the contract says at least an hour,
 * the rest is for the grace and for clocks that differ.
 */
export const MOVED_REPEAT_MS = HOUR_MS + 2 * WINDOW_MS;

/** A final window is kept this much longer, so that a read that begins before the horizon ends after it. */
export const RETENTION_MARGIN_MS = 3 * WINDOW_MS;

/** A shard's memory: a fold over its batches, in the order of `seq`. */
export interface ShardState {
  readonly slices: Map<number, Slice>;
  /** Windows whose state could not be read back, by start: none of them is among the slices until it is rebuilt from the archive. */
  readonly damaged: Map<number, Damage>;
  /** Number of the last batch folded in. */
  seq: number;
  /** Moment of the last batch folded in, strictly increasing from batch to batch whatever the clock does: the revision. */
  atMs: number;
  /**
   * Windows before this have been dropped and are history's, even should the clock go back behind their horizon: counted from
   * nothing, an event of theirs would replace the whole window in history by itself.
   */
  droppedToMs: number;
  /** Not in checkpoints: what recovery does not find in the journal is sent again by the log, and judged to be repeats. */
  readonly requests: RecentRequests;
}

export function emptyState(): ShardState {
  return { slices: new Map(), damaged: new Map(), seq: 0, atMs: 0, droppedToMs: 0, requests: new RecentRequests() };
}

/** The moment to fold the next batch at: the clock's, or just after the last one when the clock has not moved on. */
export function nextAtMs(state: ShardState, nowMs: number): number {
  return Math.max(nowMs, state.atMs + 1);
}

/**
 * The answer to a batch in which every event is a repeat or late, so that folding it in would change nothing and need not be
 * journaled; `undefined` when something in it is new.
 */
export function judgeRepeats(state: ShardState, batch: EventBatch, atMs: number): Uint8Array<ArrayBuffer> | undefined {
  const recent = recentSlices(state, atMs);
  const statuses = new Uint8Array(batch.size);
  for (let i = 0; i < batch.size; i++) {
    const own = state.slices.get(windowStart(batch.occurredAt(i)));
    const status = judge(state, own, recent, batch, i, checkOf(batch, i), atMs);
    if (status === STATUS.accepted) return undefined;
    statuses[i] = status;
  }
  rememberRequest(state, batch, statuses);
  return statuses;
}

/**
 * Counts a batch: the one step by which a shard's state changes, live and in recovery alike. It depends on nothing but its
 * arguments, so the same batches at the same moments give the same state. Answers one status byte an event. `conflicts` are positions of
 * events found to be conflicts before, when the batch is folded again.
 */
export function fold(
  state: ShardState,
  batch: EventBatch,
  atMs: number,
  conflicts: ReadonlySet<number> = NO_CONFLICTS,
): Uint8Array<ArrayBuffer> {
  if (atMs <= state.atMs) throw new Error(`a batch at ${atMs} cannot follow one at ${state.atMs}`);
  const recent = recentSlices(state, atMs);
  const statuses = new Uint8Array(batch.size);
  for (let i = 0; i < batch.size; i++) {
    statuses[i] = conflicts.has(i) ? STATUS.conflict : foldEvent(state, recent, batch, i, atMs);
  }
  state.seq += 1;
  state.atMs = atMs;
  rememberRequest(state, batch, statuses);
  return statuses;
}

const NO_CONFLICTS: ReadonlySet<number> = new Set();

/** With nothing late in it, which the log's consumer has to note, there is no more to be done about the request. */
function rememberRequest({ requests }: ShardState, { token }: EventBatch, statuses: Uint8Array): void {
  if (token !== "" && !statuses.includes(STATUS.late)) requests.add(token);
}

function foldEvent(state: ShardState, recent: Slice[], batch: EventBatch, i: number, atMs: number): number {
  const startMs = windowStart(batch.occurredAt(i));
  const own = state.slices.get(startMs);
  const check = checkOf(batch, i);
  const status = judge(state, own, recent, batch, i, check, atMs);
  if (status !== STATUS.accepted) return status;
  const slice = own ?? newSlice(state, recent, startMs, atMs);
  slice.ids.add(batch.fingerprintLo(i), batch.fingerprintHi(i), check);
  slice.count(batch, i, atMs);
  return status;
}

function newSlice(state: ShardState, recent: Slice[], startMs: number, atMs: number): Slice {
  const slice = new Slice(startMs);
  state.slices.set(startMs, slice);
  if (isRecent(startMs, atMs)) recent.push(slice);
  return slice;
}

function judge(
  state: ShardState,
  own: Slice | undefined,
  recent: readonly Slice[],
  batch: EventBatch,
  i: number,
  check: number,
  atMs: number,
): number {
  // Known comes before late: called late, a repeat moved past the horizon would be counted again when that window is rebuilt.
  const lo = batch.fingerprintLo(i);
  const hi = batch.fingerprintHi(i);
  const known = own?.ids.get(lo, hi);
  if (known !== undefined) return known === check ? STATUS.duplicate : STATUS.conflict;
  if (isMoved(own, recent, lo, hi)) return STATUS.conflict;
  const startMs = windowStart(batch.occurredAt(i));
  // Live, no batch with an event of a damaged window comes this far; in recovery such events are for the rebuild to count.
  if (startMs < state.droppedToMs || isFinal(startMs, atMs) || state.damaged.has(startMs)) return STATUS.late;
  return STATUS.accepted;
}

/** Whether a recent window counted the event, with another time then: whatever its check says, which a sender may have chosen it by. */
function isMoved(own: Slice | undefined, recent: readonly Slice[], lo: number, hi: number): boolean {
  for (let at = 0; at < recent.length; at++) {
    const slice = recent[at];
    if (slice !== own && slice?.ids.get(lo, hi) !== undefined) return true;
  }
  return false;
}

/** True while a repeat that was moved out of the window is recognised. What is not recent at a batch is not at any later one. */
export function isRecent(startMs: number, atMs: number): boolean {
  return startMs + WINDOW_MS + MOVED_REPEAT_MS > atMs;
}

function recentSlices(state: ShardState, atMs: number): Slice[] {
  return [...state.slices.values()].filter((slice) => isRecent(slice.startMs, atMs));
}

/** 32 bits of an event's time and amount: a repeat that differs in either is told from an exact one but once in 4 billion. */
export function checkOf(batch: EventBatch, i: number): number {
  const time = batch.occurredAt(i);
  const amount = batch.amount(i);
  return mixed(mixed(mixed(mixed(0x9e3779b9, time), time / 2 ** 32), amount), amount / 2 ** 32) >>> 0;
}

function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ (word >>> 0), 0x85ebca6b);
  return product ^ (product >>> 15);
}

/**
 * Windows from here on are wholly the shard's to answer for, those before it history's: back to the lateness horizon and a
 * margin, and further while anything older is not yet known to stand in history, or is damaged and not yet rebuilt.
 */
export function retainedFromMs(state: ShardState, nowMs: number): number {
  let from = Math.max(state.droppedToMs, windowStart(nowMs - LATENESS_HORIZON_MS - RETENTION_MARGIN_MS) + WINDOW_MS);
  for (const slice of state.slices.values()) {
    if (slice.storedRevision < slice.revision) from = Math.min(from, slice.startMs);
  }
  for (const startMs of state.damaged.keys()) from = Math.min(from, startMs);
  return from;
}

/**
 * Windows that may leave the shard: final for the margin, stored to the last change, and older than everything that is not, so
 * that what is retained has no gap.
 */
export function droppable(state: ShardState, nowMs: number): Slice[] {
  const retainedFrom = retainedFromMs(state, nowMs);
  return [...state.slices.values()].filter(
    ({ startMs }) => startMs < retainedFrom && isFinal(startMs + RETENTION_MARGIN_MS, nowMs),
  );
}
