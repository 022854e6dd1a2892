import { z } from "zod";
import { MERCHANT_ID_PATTERN } from "./event.ts";
import { SIP_KEY_ZERO, sipHash, sipHashRange } from "./siphash.ts";

export const SHARDS_MAX = 100_000;

/** From the window that starts at `from_ms` on, merchants are spread over `shards`; `overrides` names a shard outright. */
export const topologyEpochSchema = z.object({
  id: z.int().min(1),
  from_ms: z.int().min(0),
  shards: z.int().min(1).max(SHARDS_MAX),
  overrides: z.record(z.string().regex(MERCHANT_ID_PATTERN), z.int().min(0)),
});

export type TopologyEpoch = z.output<typeof topologyEpochSchema>;

/** Epochs in ascending order of `from_ms`; the first starts at 0, so every window has one. */
export interface Topology {
  readonly epochs: readonly TopologyEpoch[];
}

/** Checks the order once, where a topology is read; throws because a broken topology must stop everything. */
export function topologyOf(epochs: readonly TopologyEpoch[]): Topology {
  const sorted = [...epochs].sort((a, b) => a.from_ms - b.from_ms);
  if (sorted[0]?.from_ms !== 0) throw new Error("the first topology epoch must start at 0");
  return { epochs: sorted };
}

/**
 * Name of the shard that owns a merchant's window: a pure function of the topology, so a repeat of an event always
 * meets the first one. Windows are independent of each other, so a merchant may move between epochs at no cost.
 */
export function shardOf(topology: Topology, merchantId: string, windowStartMs: number): string {
  return shardIn(epochAt(topology, windowStartMs), merchantId);
}

/** Name of the shard that owns a merchant's windows of one epoch. */
export function shardIn(epoch: TopologyEpoch, merchantId: string): string {
  return shardName(shardNumberIn(epoch, merchantId));
}

export function shardNumberIn(epoch: TopologyEpoch, merchantId: string): number {
  // `constructor` is a merchant id like any other, and every object has one.
  const override = Object.hasOwn(epoch.overrides, merchantId) ? epoch.overrides[merchantId] : undefined;
  return override ?? sipHash(SIP_KEY_ZERO, merchantId, scratch).lo % epoch.shards;
}

/** `shardNumberIn` of an epoch without overrides, for the merchant whose id stands at `from` up to `to` of some bytes. */
export function hashedShardNumber({ shards }: TopologyEpoch, utf8: Uint8Array, from: number, to: number): number {
  return sipHashRange(SIP_KEY_ZERO, utf8, from, to, scratch).lo % shards;
}

export function shardName(shard: number): string {
  return `shard-${shard}`;
}

/** The epoch a window is of. */
export function epochAt(topology: Topology, windowStartMs: number): TopologyEpoch {
  for (let i = topology.epochs.length - 1; i >= 0; i--) {
    const epoch = topology.epochs[i];
    if (epoch !== undefined && epoch.from_ms <= windowStartMs) return epoch;
  }
  throw new Error(`no topology epoch for ${windowStartMs}`);
}

const scratch = { lo: 0, hi: 0 };
