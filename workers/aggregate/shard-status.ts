import { completeThrough, GRACE_MS, isClosed, WINDOW_MS } from "../../shared/window.ts";
import type { Emissions } from "./emission.ts";
import type { ShardState } from "./engine.ts";
import { residentBytes } from "./residency.ts";

/** How a shard is, for operators. Times are epoch milliseconds. */
export interface ShardStatus {
  /** Ten-minute windows it has, in memory or in pages, and what those in memory and a rebuild's take. */
  readonly windows: number;
  readonly bytes: number;
  /** Windows that wait to be rebuilt from the archive. */
  readonly damaged: number;
  /** Sent to history, and not confirmed; since when the first of them is on its way. */
  readonly emissions: number;
  readonly unconfirmedSinceMs: number | null;
  /** Start of the first window that is closed and whose last change history is not known to have. */
  readonly unstoredFromMs: number | null;
  /** Windows that end by then, and had closed with something in them, have been in history at least once. */
  readonly completeThroughMs: number;
}

/** Looks, and changes nothing: no page is read. */
export function statusOf(state: ShardState, emissions: Emissions, nowMs: number, rebuildBytes = 0): ShardStatus {
  const closed = [...state.slices.values()].filter(({ startMs }) => isClosed(startMs, nowMs));
  const unstored = closed.filter(({ storedRevision, revision }) => storedRevision < revision);
  // A window that began with a late event is a correction of an empty one, which history had.
  const unfinished = unstored.filter(
    ({ startMs, storedRevision, firstAtMs }) => storedRevision === 0 && firstAtMs < startMs + WINDOW_MS + GRACE_MS,
  );
  const unfinishedFromMs = earliest([...unfinished.map(({ startMs }) => startMs), ...state.damaged.keys()]);
  return {
    windows: state.slices.size,
    bytes: residentBytes(state) + rebuildBytes,
    damaged: state.damaged.size,
    emissions: emissions.pending.size,
    unconfirmedSinceMs: earliest([...emissions.pending.values()].map(({ sentAtMs }) => sentAtMs)),
    unstoredFromMs: earliest(unstored.map(({ startMs }) => startMs)),
    completeThroughMs: Math.min(unfinishedFromMs ?? Number.POSITIVE_INFINITY, completeThrough(nowMs)),
  };
}

function earliest(moments: readonly number[]): number | null {
  return moments.length === 0 ? null : Math.min(...moments);
}
