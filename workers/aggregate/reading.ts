import { LATENESS_HORIZON_MS, WINDOW_MS, windowStart } from "../../shared/window.ts";
import type { MerchantWindow } from "../../shared/window-row.ts";
import { WindowUnavailable } from "./damage.ts";
import { retainedFromMs, type ShardState } from "./engine.ts";
import type { Slice } from "./slice.ts";

/** Spans of history in one answer; what would be more is read from pages. */
export const HISTORY_SPANS_MAX = 100;

/** `[fromMs, toMs)`. */
export type Span = readonly [fromMs: number, toMs: number];

/** What a shard answers of a span itself, and what it leaves to history: together all of it, without an overlap. */
export interface ReadPlan {
  readonly retainedFromMs: number;
  /** In order. */
  readonly slices: readonly Slice[];
  /** Disjoint and ascending, at most `HISTORY_SPANS_MAX`. */
  readonly history: readonly Span[];
  /** The first damaged window, left to history, which has what was last confirmed of it, if anything. */
  readonly damagedFromMs: number | undefined;
}

/**
 * History answers for all that is before what the shard retains; for slices that are paged out and stored to their last change, and for all final
 * windows but those that are not stored, since what comes for them now is counted there, from the archive: for these unless `bringBack` asks for them;
 * and for damaged windows, of which it has what was last confirmed, or nothing. Throws `WindowUnavailable` of a damaged window when there are too many spans.
 */
export function planRead(state: ShardState, fromMs: number, toMs: number, nowMs: number, bringBack: boolean): ReadPlan {
  const retained = retainedFromMs(state, nowMs);
  const finalMs = bringBack ? retained : Math.max(retained, windowStart(nowMs - LATENESS_HORIZON_MS));
  const spans: [fromMs: number, toMs: number][] = [];
  const slices: Slice[] = [];
  let damagedFromMs: number | undefined;
  /** Nothing of the shard's stands between the last span and here. */
  let isOpen = false;
  /** What is before it stands in a span or slice, if it stands anywhere. */
  let plannedMs = fromMs;
  const leave = (endMs: number): boolean => {
    const last = spans.at(-1);
    if (isOpen && last !== undefined) last[1] = endMs;
    else if (spans.length < HISTORY_SPANS_MAX) spans.push([plannedMs, endMs]);
    else return false;
    isOpen = true;
    plannedMs = endMs;
    return true;
  };
  if (fromMs < Math.min(toMs, retained)) leave(Math.min(toMs, retained));
  for (const startMs of windowsWithin(state, Math.max(fromMs, retained), toMs)) {
    const slice = state.slices.get(startMs);
    if (slice === undefined) damagedFromMs ??= startMs;
    const isLeft = slice === undefined || (!bringBack && isLeftToHistory(slice, finalMs));
    const gapMs = Math.min(startMs, finalMs);
    if (plannedMs < gapMs) leave(gapMs);
    if (!isOpen) plannedMs = startMs;
    if (isLeft && leave(Math.min(toMs, startMs + WINDOW_MS))) continue;
    if (slice === undefined) throw new WindowUnavailable(startMs);
    slices.push(slice);
    isOpen = false;
    plannedMs = startMs + WINDOW_MS;
  }
  const endMs = Math.min(toMs, finalMs);
  if (plannedMs < endMs) leave(endMs);
  return { retainedFromMs: retained, slices, history: spans, damagedFromMs };
}

/**
 * A number that is another one once any of a merchant's windows in the span has changed: revisions only grow, so that the next change has a higher
 * one than all there are. It may also be another one when nothing has changed but what is in memory. `null` while a window of the span is damaged.
 */
export function markOf(state: ShardState, merchantId: string, fromMs: number, toMs: number): number | null {
  let mark = 0;
  for (const startMs of windowsWithin(state, fromMs, toMs)) {
    const slice = state.slices.get(startMs);
    if (slice === undefined) return null;
    mark = Math.max(mark, slice.revisionOf(merchantId));
  }
  return mark;
}

/** A merchant's windows of slices, in order of start and currency; of those paged out one at a time is read. Throws `DamagedWindow`. */
export function windowsOfMerchant(slices: readonly Slice[], merchantId: string): MerchantWindow[] {
  return slices.flatMap((slice) => [...slice.windowsOf(merchantId)].sort((a, b) => (a.currency < b.currency ? -1 : 1)));
}

/** Starts of all slices and damaged windows in a span, ascending. */
function windowsWithin(state: ShardState, fromMs: number, toMs: number): number[] {
  const starts = [...state.slices.keys(), ...state.damaged.keys()];
  return starts.filter((startMs) => startMs >= fromMs && startMs < toMs).sort((a, b) => a - b);
}

function isLeftToHistory(slice: Slice, finalMs: number): boolean {
  return (!slice.isResident || slice.startMs < finalMs) && slice.storedRevision >= slice.revision;
}
