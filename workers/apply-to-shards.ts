import type { PaymentEvent } from "../shared/event.ts";
import { encodeShardBatch, SHARD_BATCH_EVENTS_MAX } from "../shared/messages/shard-batch.ts";
import type { SipKey } from "../shared/siphash.ts";
import { shardOf, type Topology } from "../shared/topology.ts";
import { windowStart } from "../shared/window.ts";
import type { Shard } from "./aggregate/shard.ts";
import { log } from "./log.ts";

/** Shards called at the same time from one invocation; the platform waits on six connections at most anyway. */
export const SHARD_CALLS_CONCURRENT_MAX = 6;

export interface ShardCalls {
  readonly shards: DurableObjectNamespace<Shard>;
  readonly topology: Topology;
  readonly identityKey: SipKey;
  /** An answer that takes longer than this is not waited for; the shard may count the events all the same. */
  readonly timeoutMs: number;
}

/**
 * Has the shards count the events, one call a shard and 5,000 events. Answers the `STATUS` of each event, `undefined` for those whose
 * shard did not answer. Such a call is not repeated here: on an overloaded shard that would make it worse, and the log holds the events.
 */
export async function applyToShards(
  calls: ShardCalls,
  events: readonly PaymentEvent[],
): Promise<(number | undefined)[]> {
  const statuses: (number | undefined)[] = new Array(events.length).fill(undefined);
  const pending = groupByShard(calls.topology, events).flatMap(({ shard, indexes }) => cut(shard, indexes));
  const worker = async () => {
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { shard, indexes } = next;
      const answer = await callShard(
        calls,
        shard,
        indexes.map((i) => events[i]).filter((event) => event !== undefined),
      );
      indexes.forEach((index, at) => {
        statuses[index] = answer?.[at];
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(SHARD_CALLS_CONCURRENT_MAX, pending.length) }, worker));
  return statuses;
}

interface Group {
  readonly shard: string;
  /** Positions among the events of the call. */
  readonly indexes: readonly number[];
}

function groupByShard(topology: Topology, events: readonly PaymentEvent[]): Group[] {
  const groups = new Map<string, number[]>();
  events.forEach((event, index) => {
    const shard = shardOf(topology, event.merchant_id, windowStart(event.occurred_at));
    const group = groups.get(shard);
    if (group === undefined) groups.set(shard, [index]);
    else group.push(index);
  });
  return [...groups].map(([shard, indexes]) => ({ shard, indexes }));
}

function cut(shard: string, indexes: readonly number[]): Group[] {
  const count = Math.ceil(indexes.length / SHARD_BATCH_EVENTS_MAX);
  return Array.from({ length: count }, (_, part) => ({
    shard,
    indexes: indexes.slice(part * SHARD_BATCH_EVENTS_MAX, (part + 1) * SHARD_BATCH_EVENTS_MAX),
  }));
}

async function callShard(
  { shards, identityKey, timeoutMs }: ShardCalls,
  shard: string,
  events: readonly PaymentEvent[],
): Promise<Uint8Array | undefined> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, undefined);
  });
  try {
    const stub = shards.get(shards.idFromName(shard));
    return await Promise.race([stub.apply(encodeShardBatch(events, identityKey)), timeout]);
  } catch (error) {
    log("warn", "shard did not count", { shard, events: events.length, error });
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
