import type { EventBatch } from "../../shared/event-batch.ts";
import { isFinal, LATENESS_HORIZON_MS, WINDOW_MS } from "../../shared/window.ts";
import { DamagedWindow, windowsOfLostBatch } from "./damage.ts";
import { emptyState, fold, RETENTION_MARGIN_MS, type ShardState } from "./engine.ts";
import type { Entry, Journal } from "./journal.ts";
import { type MemoryLimits, pageOut, slicesFor, windowStartsOf } from "./residency.ts";

/** A window leaves the shard so long after it began, unless history is away; with the first one there is a checkpoint, and batches go with their windows. */
const KEPT_MS = WINDOW_MS + LATENESS_HORIZON_MS + RETENTION_MARGIN_MS;

/** Something that could not be read back, and the starts of the windows it costs, which are rebuilt from the archive. */
export interface Fault {
  readonly reason: string;
  readonly windows: readonly number[];
}

export interface Recovery {
  readonly state: ShardState;
  readonly faults: readonly Fault[];
}

/**
 * The state that pages and journal add up to, through the same `fold` that live batches take. Pages are only read of slices that a
 * batch in the journal needs. Whatever is damaged, there is a state: the windows concerned are in `damaged`, noted durably if that
 * can be done, else with the next checkpoint, before which the next start finds them again.
 */
export function recover(journal: Journal, nowMs: number, limits: MemoryLimits): Recovery {
  const state = emptyState();
  const faults: Fault[] = [];
  const damage = (reason: string, windows: readonly number[]) => {
    for (const startMs of windows) markDamaged(state, startMs);
    faults.push({ reason, windows });
  };
  const { slices, damaged } = journal.pages.slices();
  for (const slice of slices) state.slices.set(slice.startMs, slice);
  for (const startMs of journal.damagedWindows()) markDamaged(state, startMs);
  if (damaged.length > 0) damage("pages whose description is damaged", damaged);
  const stored = journal.storedRevisions();
  const hasPages = slices.length + damaged.length > 0;
  const lost = replay(journal, state, hasPages, nowMs, limits, damage);
  if (lost !== undefined) {
    const windows = windowsLost(state, lost, nowMs);
    damage(lost.reason, windows);
    if (lost.afterMs === undefined) state.droppedToMs = windows[0] ?? 0;
  }
  applyStored(state, stored);
  // Revisions go on growing, whatever has been lost: history takes the highest for the last.
  state.atMs = Math.max(state.atMs, ...stored.values(), ...slices.map(({ revision }) => revision));
  // What is rebuilt from the archive may lack events that were counted directly and are still in the log: it is to send them all.
  if (state.damaged.size > 0) state.requests.clear();
  if (faults.length > 0) note(journal, state, faults, lost !== undefined, nowMs);
  return { state, faults };
}

function markDamaged(state: ShardState, startMs: number): void {
  state.slices.delete(startMs);
  state.damaged.set(startMs, { storedRevision: 0 });
}

/** Batches that are lost: the first of them was counted after `afterMs`. */
interface LostBatches {
  readonly reason: string;
  readonly afterMs: number;
}

/** The mark is lost, and with it which of the journal's batches the pages have. */
interface LostMark {
  readonly reason: string;
  readonly afterMs: undefined;
  readonly entries: readonly Entry[];
  /** Some of them say nothing. */
  readonly isAnyUnreadable: boolean;
}

type Loss = LostBatches | LostMark;

/**
 * Folds in what the journal holds after the mark. A batch that cannot be read costs its windows, since what it was told beside it says
 * which; where not even that is known all of the rest is lost.
 */
function replay(
  journal: Journal,
  state: ShardState,
  hasPages: boolean,
  nowMs: number,
  limits: MemoryLimits,
  onDamage: (reason: string, windows: readonly number[]) => void,
): Loss | undefined {
  const { entries, isAnyUnreadable, hasUnreadable } = journal.entries();
  const mark = journal.readMark();
  // The first checkpoint writes pages and mark together, so pages without a mark have lost theirs.
  if (!mark.ok || (mark.value === undefined && hasPages)) {
    skip(state, entries);
    const reason = mark.ok ? "the checkpoint is missing" : mark.error.reason;
    return { reason, afterMs: undefined, entries, isAnyUnreadable };
  }
  if (mark.value !== undefined) Object.assign(state, mark.value);
  const rows = entries.filter(({ seq }) => seq > state.seq);
  const lose = (): Loss => {
    const reason = `journal row ${state.seq + 1} is missing or damaged`;
    const afterMs = state.atMs > 0 ? state.atMs : earliestOfAny(rows, nowMs);
    skip(state, rows);
    return { reason, afterMs };
  };
  for (const row of rows) {
    if (row.seq !== state.seq + 1 || row.atMs <= state.atMs) return lose();
    const batch = journal.replay(row);
    if (batch.ok) foldAgain(state, row, batch.value, onDamage);
    else onDamage(`batch ${row.seq}: ${batch.error.reason}`, changeable(state, row));
    skip(state, [row]);
    pageOut(state, new Set(), row.atMs, limits.residentBytesMax, journal.pages);
  }
  return hasUnreadable(state.seq + 1) ? lose() : undefined;
}

/** What is counted next gets a number and a revision after these. */
function skip(state: ShardState, entries: readonly Entry[]): void {
  state.seq = Math.max(state.seq, ...entries.map(({ seq }) => seq));
  state.atMs = Math.max(state.atMs, ...entries.map(({ atMs }) => atMs));
}

function foldAgain(
  state: ShardState,
  row: Entry,
  batch: EventBatch,
  onDamage: (reason: string, windows: readonly number[]) => void,
): void {
  bringBack(state, batch, row.atMs, (startMs) => onDamage("pages are damaged", [startMs]));
  try {
    fold(state, batch, row.atMs, new Set(row.conflicts));
  } catch (error) {
    // A bug. The shard starts all the same, with nothing half counted.
    onDamage(`batch ${row.seq} cannot be counted: ${String(error)}`, changeable(state, row));
  }
}

/** The windows of a batch that it may have changed: an event too late for its window may be years old. */
function changeable(state: ShardState, { windows, atMs }: Entry): number[] {
  return windows.filter((startMs) => startMs >= state.droppedToMs && !isFinal(startMs, atMs));
}

function bringBack(state: ShardState, batch: EventBatch, atMs: number, onDamage: (startMs: number) => void): void {
  for (const slice of slicesFor(state, windowStartsOf(batch), atMs)) {
    slice.usedAtMs = atMs;
    try {
      slice.bringBack().ids.recall(batch);
    } catch (error) {
      if (!(error instanceof DamagedWindow)) throw error;
      onDamage(slice.startMs);
    }
  }
}

/** The windows that lost batches may have changed. */
function windowsLost(state: ShardState, loss: Loss, nowMs: number): number[] {
  const beforeMs = Math.max(nowMs, state.atMs);
  if (loss.afterMs === undefined) return windowsWithoutMark(state, loss, nowMs, beforeMs);
  const range = windowsOfLostBatch(loss.afterMs, beforeMs, state.droppedToMs);
  const slices = [...state.slices.values()].filter((slice) => slice.revision > slice.pagedRevision);
  return ascending([...range, ...slices.map(({ startMs }) => startMs)]);
}

/**
 * Without a mark: those that have pages, which may be older than it; those that a batch of now may change; and all from the first that a batch of the
 * journal may have changed, which may be older than a day by now, and stand nowhere else. Some may have left the shard: they are counted anew as well, or
 * what lies between would be taken for empty.
 */
function windowsWithoutMark(
  state: ShardState,
  { entries, isAnyUnreadable }: LostMark,
  nowMs: number,
  beforeMs: number,
): number[] {
  const range = windowsOfLostBatch(isAnyUnreadable ? earliestOfAny(entries, nowMs) : nowMs, beforeMs, 0);
  const named = entries.flatMap((entry) => changeable(state, entry));
  const firstMs = named.reduce((first, startMs) => Math.min(first, startMs), range[0] ?? nowMs);
  const older: number[] = [];
  for (let startMs = firstMs; startMs < (range[0] ?? firstMs); startMs += WINDOW_MS) older.push(startMs);
  return ascending([...older, ...range, ...state.slices.keys()]);
}

/** When a batch of which nothing is known was counted at the earliest: what a journal has is of windows that the shard has. */
function earliestOfAny(known: readonly Entry[], nowMs: number): number {
  return Math.min(nowMs, ...known.map(({ atMs }) => atMs)) - KEPT_MS;
}

const ascending = (starts: readonly number[]) => [...new Set(starts)].sort((a, b) => a - b);

function applyStored(state: ShardState, stored: ReadonlyMap<number, number>): void {
  for (const [startMs, revision] of stored) {
    if (state.damaged.has(startMs)) state.damaged.set(startMs, { storedRevision: revision });
    const slice = state.slices.get(startMs);
    if (slice === undefined) continue;
    slice.storedRevision = revision;
    slice.emittedRevision = revision;
  }
}

function note(journal: Journal, state: ShardState, faults: Fault[], isRestart: boolean, nowMs: number): void {
  const windows = faults.flatMap((fault) => fault.windows);
  try {
    if (isRestart) journal.restart(state, windows, nowMs);
    else journal.noteDamaged(windows, nowMs);
  } catch (error) {
    // A full disk, say. The shard starts all the same; the next checkpoint notes it, or the next start finds what this one found.
    faults.push({ reason: `damage could not be noted: ${String(error)}`, windows: [] });
  }
}
