import type { EventBatch } from "../../shared/event-batch.ts";
import { WINDOW_MS, windowStart } from "../../shared/window.ts";
import { isRecent, type ShardState } from "./engine.ts";
import type { Slice, SlicePages } from "./slice.ts";

/**
 * Of slices in memory, those of a rebuild too; what is beyond is paged out. An object has 128 MB (Cloudflare Durable Objects, "Limits"), of which batches,
 * pages being written or read and emissions being packed need their part, and so do the isolate's other objects.
 */
export const RESIDENT_BYTES_MAX = 48_000_000;
/** Of slices that cannot be paged out: the recent ones, those with changes, and a rebuild's. Beyond it the rebuild is let go of; without one a batch is refused. */
export const SHARD_BYTES_MAX = 80_000_000;

/** Of a rebuild's windows that are counted together; of one that takes more by itself, as much as there is room for. */
export const REBUILD_BYTES_MAX = 32_000_000;

export interface MemoryLimits {
  readonly residentBytesMax: number;
  readonly shardBytesMax: number;
  /** A checkpoint takes the identities of a window out of memory that has so many new ones. */
  readonly sealedEventsMin: number;
}

/** A batch does not fit beside what must stay in memory: the topology has too few shards. Nothing has changed. */
export class ShardFull extends Error {}

/** Durable storage, as far as memory is concerned with it. */
export interface Paging {
  /** Where the contents of a slice without changes stand. */
  pagesOf(slice: Slice): SlicePages;
  /** Writes pages of every slice with changes. */
  checkpoint(): void;
}

/** Starts of the windows that a batch's events fall in. */
export function windowStartsOf(batch: EventBatch): Set<number> {
  const starts = new Set<number>();
  let startMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < batch.size; i++) {
    const ms = batch.occurredAt(i);
    // Most events fall in the window of the one before.
    if (startMs <= ms && ms < startMs + WINDOW_MS) continue;
    startMs = windowStart(ms);
    starts.add(startMs);
  }
  return starts;
}

/** The slices that judging such a batch reads: those of its windows, and the recent ones, which know of moved repeats. */
export function slicesFor(state: ShardState, starts: ReadonlySet<number>, atMs: number): Slice[] {
  return [...state.slices.values()].filter(({ startMs }) => starts.has(startMs) || isRecent(startMs, atMs));
}

export function residentBytes(state: ShardState): number {
  let bytes = 0;
  for (const slice of state.slices.values()) if (slice.isResident) bytes += slice.bytes;
  return bytes;
}

/**
 * Makes room for `needed` beside what must stay, at best within the budget; the changes of old slices are written, and the identities of large ones
 * sealed, when there is no other way. Throws `ShardFull` when there is none at all. Brings nothing back yet.
 */
export function makeRoom(
  state: ShardState,
  needed: readonly Slice[],
  atMs: number,
  limits: MemoryLimits,
  paging: Paging,
): void {
  for (const slice of needed) slice.usedAtMs = atMs;
  const missing = needed.reduce((bytes, slice) => bytes + (slice.isResident ? 0 : slice.bytes), 0);
  const budget = limits.residentBytesMax - missing;
  const keep = new Set(needed);
  const isFull = () => residentBytes(state) + missing > limits.shardBytesMax;
  pageOut(state, keep, atMs, budget, paging);
  if (!isFull()) return;
  pageOutChanged(state, keep, atMs, budget, paging);
  if (isFull() && hasSealable(state, limits)) paging.checkpoint();
  if (isFull()) throw new ShardFull(`${residentBytes(state)} bytes in memory and ${missing} more are too many`);
}

/** Pages out slices without changes, the longest unused first, until those in memory take at most `bytesMax` or none is left that may. */
export function pageOut(
  state: ShardState,
  keep: ReadonlySet<Slice>,
  atMs: number,
  bytesMax: number,
  paging: Pick<Paging, "pagesOf">,
): void {
  let bytes = residentBytes(state);
  if (bytes <= bytesMax) return;
  const unchanged = [...state.slices.values()].filter(
    (slice) => mayLeave(slice, keep, atMs) && slice.pagedRevision === slice.revision,
  );
  unchanged.sort((a, b) => a.usedAtMs - b.usedAtMs || a.startMs - b.startMs);
  for (const slice of unchanged) {
    if (bytes <= bytesMax) return;
    bytes -= slice.bytes;
    slice.pageOut(paging.pagesOf(slice));
  }
}

/** Pages out until slices in memory take at most `bytesMax`; the changes of old ones are written when that is what it takes. */
export function trim(
  state: ShardState,
  atMs: number,
  bytesMax: number,
  paging: Paging,
  keep: ReadonlySet<Slice> = new Set(),
): void {
  pageOut(state, keep, atMs, bytesMax, paging);
  if (residentBytes(state) > bytesMax) pageOutChanged(state, keep, atMs, bytesMax, paging);
}

function pageOutChanged(
  state: ShardState,
  keep: ReadonlySet<Slice>,
  atMs: number,
  bytesMax: number,
  paging: Paging,
): void {
  const hasOldChanges = [...state.slices.values()].some(
    (slice) => mayLeave(slice, keep, atMs) && slice.pagedRevision < slice.revision,
  );
  if (!hasOldChanges) return;
  paging.checkpoint();
  pageOut(state, keep, atMs, bytesMax, paging);
}

/** Brings back slices that are about to be read, as far as there is room: then their pages are read once, and not by every read. */
export function bringBackWithin(state: ShardState, slices: readonly Slice[], bytesMax: number): void {
  const pagedOut = slices.filter(({ isResident }) => !isResident);
  if (pagedOut.length === 0) return;
  let bytes = residentBytes(state);
  for (const slice of pagedOut) {
    bytes += slice.bytes;
    if (bytes > bytesMax) return;
    slice.bringBack();
  }
}

/** Whether a checkpoint would take identities out of memory. */
function hasSealable(state: ShardState, { sealedEventsMin }: MemoryLimits): boolean {
  return [...state.slices.values()].some(
    (slice) => slice.isResident && slice.pagedRevision < slice.revision && slice.ids.fresh.size >= sealedEventsMin,
  );
}

function mayLeave(slice: Slice, keep: ReadonlySet<Slice>, atMs: number): boolean {
  return slice.isResident && !keep.has(slice) && !isRecent(slice.startMs, atMs);
}
