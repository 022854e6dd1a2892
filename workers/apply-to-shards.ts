import type { PaymentEvent } from "../shared/event.ts";
import { encodeShardBatch, SHARD_BATCH_BYTES_MAX, SHARD_BATCH_EVENTS_MAX } from "../shared/messages/shard-batch.ts";
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
  /** How long all the calls together may take. What was not answered by then is not waited for; a shard may count the events all the same. */
  readonly timeoutMs: number;
}

/**
 * Has the shards count the events, one call a shard and 5,000 events. Answers the `STATUS` of each event, `undefined` for those whose
 * shard did not answer. Such a call is not repeated here: on an overloaded shard that would make it worse, and the log holds the events.
 *
 * A shard's calls follow one another, and end with the first that fails: the events arrive in their order, so that of two with the
 * same identity the first one counts.
 */
export async function applyToShards(
  calls: ShardCalls,
  events: readonly PaymentEvent[],
): Promise<(number | undefined)[]> {
  const statuses: (number | undefined)[] = new Array(events.length).fill(undefined);
  const pending = groupByShard(calls.topology, events);
  const deadline = startDeadline(calls.timeoutMs);
  const worker = async () => {
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const { indexes, bytes } of pack(events, next.indexes, calls.identityKey)) {
        if (deadline.hasPassed) return;
        const answer = await callShard(calls, deadline, next.shard, bytes);
        if (answer === undefined) break;
        indexes.forEach((index, at) => {
          statuses[index] = answer[at];
        });
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(SHARD_CALLS_CONCURRENT_MAX, pending.length) }, worker));
  } finally {
    deadline.cancel();
  }
  return statuses;
}

interface Group {
  readonly shard: string;
  /** Positions among the events of the call, ascending. */
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

interface Packed {
  readonly indexes: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The events of one shard as batches, in their order: 5,000 at a time, halved where those are too large. */
function* pack(events: readonly PaymentEvent[], indexes: readonly number[], key: SipKey): Generator<Packed> {
  if (indexes.length <= SHARD_BATCH_EVENTS_MAX) {
    const bytes = encodeShardBatch(
      indexes.map((index) => events[index]).filter((event) => event !== undefined),
      key,
    );
    if (bytes.byteLength <= SHARD_BATCH_BYTES_MAX) {
      yield { indexes, bytes };
      return;
    }
  }
  const isTooMany = indexes.length > SHARD_BATCH_EVENTS_MAX;
  const middle = isTooMany ? SHARD_BATCH_EVENTS_MAX : Math.ceil(indexes.length / 2);
  yield* pack(events, indexes.slice(0, middle), key);
  yield* pack(events, indexes.slice(middle), key);
}

interface Deadline {
  readonly hasPassed: boolean;
  readonly passing: Promise<undefined>;
  cancel(): void;
}

function startDeadline(timeoutMs: number): Deadline {
  const { promise: passing, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    deadline.hasPassed = true;
    resolve(undefined);
  }, timeoutMs);
  const deadline = { hasPassed: false, passing, cancel: () => clearTimeout(timer) };
  return deadline;
}

async function callShard(
  { shards }: ShardCalls,
  deadline: Deadline,
  shard: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array | undefined> {
  try {
    const stub = shards.get(shards.idFromName(shard));
    return await Promise.race([stub.apply(bytes), deadline.passing]);
  } catch (error) {
    log("warn", "shard did not count", { shard, bytes: bytes.byteLength, error });
    return undefined;
  }
}
