import { AHEAD_MAX_MS } from "./accept-event.ts";
import { err, ok, type Result } from "./result.ts";
import type { Topology, TopologyEpoch } from "./topology.ts";
import { WINDOW_MS } from "./window.ts";

/** An isolate may work with a topology this old. */
export const TOPOLOGY_TTL_MS = 60_000;
/** What clocks of isolates and shards may differ by. */
const CLOCK_SKEW_MS = 60_000;
/**
 * How far ahead an epoch must begin: until then every isolate has read it, though it may accept events that lie ahead of its clock. An
 * isolate that missed it would send a window's events to the wrong shard, and a repeat would be counted there once more.
 */
export const EPOCH_LEAD_MS = TOPOLOGY_TTL_MS + AHEAD_MAX_MS + CLOCK_SKEW_MS;
/**
 * What has begun is read rightly by a topology this old: no epoch that it lacks has. Counting wants a younger one, since events may lie ahead of
 * the clock.
 */
export const TOPOLOGY_READ_MS_MAX = EPOCH_LEAD_MS - CLOCK_SKEW_MS;
/** Reads ask each owner of a span; five years may see so many changes of the number of shards. */
export const EPOCHS_MAX = 100;

export type EpochFault =
  | { readonly reason: "not_on_a_window" }
  | { readonly reason: "too_soon"; readonly earliestMs: number }
  | { readonly reason: "before_the_last"; readonly lastMs: number }
  | { readonly reason: "override_out_of_range"; readonly merchant: string; readonly shards: number }
  | { readonly reason: "too_many_epochs"; readonly epochsMax: number };

/** The epoch to add, or why it would be unsafe. What has begun, or may have been read, is never changed. */
export function planEpoch(
  { epochs }: Topology,
  request: Omit<TopologyEpoch, "id">,
  nowMs: number,
): Result<TopologyEpoch, EpochFault> {
  const last = epochs.at(-1);
  const earliestMs = Math.ceil((nowMs + EPOCH_LEAD_MS) / WINDOW_MS) * WINDOW_MS;
  if (request.from_ms % WINDOW_MS !== 0) return err({ reason: "not_on_a_window" });
  if (request.from_ms < earliestMs) return err({ reason: "too_soon", earliestMs });
  if (last !== undefined && request.from_ms <= last.from_ms) {
    return err({ reason: "before_the_last", lastMs: last.from_ms });
  }
  if (epochs.length >= EPOCHS_MAX) return err({ reason: "too_many_epochs", epochsMax: EPOCHS_MAX });
  for (const [merchant, index] of Object.entries(request.overrides)) {
    // Beyond the shards there is room for merchants that want one of their own, up to twice as many.
    if (index >= 2 * request.shards) return err({ reason: "override_out_of_range", merchant, shards: request.shards });
  }
  return ok({ ...request, id: Math.max(0, ...epochs.map(({ id }) => id)) + 1 });
}
