import type { EventBatch } from "../shared/event-batch.ts";
import { encodeShardBatch, SHARD_BATCH_BYTES_MAX, SHARD_BATCH_EVENTS_MAX } from "../shared/messages/shard-batch.ts";
import type { Route } from "../shared/route-batch.ts";
import type { Shard } from "./aggregate/shard.ts";
import type { Deadline } from "./deadline.ts";
import { log } from "./log.ts";
import { isolateMeter } from "./meter/isolate-meter.ts";

/** In the place of a `STATUS`: no shard said what became of the event. */
export const UNANSWERED = 0xff;

/** Shards called at the same time from one invocation; the platform waits on six connections at most anyway. */
export const SHARD_CALLS_CONCURRENT_MAX = 6;

export interface ShardCalls {
  readonly shards: DurableObjectNamespace<Shard>;
  /** Whose calls they are counted as. */
  readonly caller: "ingest" | "log";
  /** Ids of the requests whose events are brought, for the log. */
  readonly requests: readonly string[];
  /** Those of them that shards log, too. */
  readonly traced: readonly string[];
  /** What was not answered when it passes is not waited for; a shard may count the events all the same. */
  readonly deadline: Deadline;
  /** What the shards are to remember the request by; empty for events that come from the log. */
  readonly token: string;
}

/**
 * Has the shards count what the routes bring them of so many events, one call a shard and 5,000 events. Answers the `STATUS` of each event by
 * its position, `UNANSWERED` for those whose shard did not answer or that no route has. Such a call is not repeated here: on an overloaded
 * shard that would make it worse, and the log holds the events.
 *
 * A shard's calls follow one another, and end with the first that fails: the events arrive in their order, so that of two with the
 * same identity the first one counts.
 */
export async function applyToShards(
  calls: ShardCalls,
  routes: Iterable<Route>,
  events: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const statuses = new Uint8Array(events).fill(UNANSWERED);
  await callEach(calls, routes, async ({ shard, batch, positions }) => {
    // Only a call that brings all of a request's events to the shard may say so.
    batch.token = batch.size <= SHARD_BATCH_EVENTS_MAX ? calls.token : "";
    for (const { bytes, from, to } of pack(batch)) {
      if (calls.deadline.hasPassed) return;
      const { traced } = calls;
      const answer = await callShard(calls, shard, (stub) =>
        traced.length === 0 ? stub.apply(bytes) : stub.apply(bytes, traced),
      );
      if (answer === undefined) return;
      for (let at = from; at < to; at++) statuses[positions[at] as number] = answer[at - from] ?? UNANSWERED;
    }
  });
  return statuses;
}

/**
 * Which of the requests each shard has counted all its events of, `counted` being what to ask of each. A shard that does not answer has
 * counted none as far as anybody knows: it is sent the events, which are duplicates then.
 */
export async function countedRequests(
  calls: Omit<ShardCalls, "token">,
  asked: Iterable<{ readonly shard: string; readonly tokens: readonly string[] }>,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const counted = new Map<string, ReadonlySet<string>>();
  await callEach(calls, asked, async ({ shard, tokens }) => {
    const known = await callShard(calls, shard, (stub) => stub.counted(tokens));
    if (known !== undefined) counted.set(shard, new Set(tokens.filter((_, at) => known[at] === 1)));
  });
  return counted;
}

/** Has `call` done for each, a few at a time, until the time is up. */
async function callEach<T>(
  { deadline }: Pick<ShardCalls, "deadline">,
  each: Iterable<T>,
  call: (one: T) => Promise<void>,
): Promise<void> {
  const pending = [...each];
  const worker = async () => {
    for (let next = pending.pop(); next !== undefined && !deadline.hasPassed; next = pending.pop()) await call(next);
  };
  await Promise.all(Array.from({ length: Math.min(SHARD_CALLS_CONCURRENT_MAX, pending.length) }, worker));
}

interface Packed {
  /** Its events' positions in the batch: from the first up to the last, excluded. */
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A batch as a shard takes it, in order: 5,000 events at a time, halved where those are too large. */
function* pack(batch: EventBatch): Generator<Packed> {
  for (let from = 0; from < batch.size; from += SHARD_BATCH_EVENTS_MAX) {
    yield* packPart(batch, from, Math.min(from + SHARD_BATCH_EVENTS_MAX, batch.size));
  }
}

function* packPart(batch: EventBatch, from: number, to: number): Generator<Packed> {
  const bytes = encodeShardBatch(to - from === batch.size ? batch : batch.slice(from, to));
  if (bytes.byteLength <= SHARD_BATCH_BYTES_MAX) {
    yield { from, to, bytes };
    return;
  }
  const middle = Math.ceil((from + to) / 2);
  yield* packPart(batch, from, middle);
  yield* packPart(batch, middle, to);
}

async function callShard<T>(
  { shards, caller, requests, deadline }: Omit<ShardCalls, "token">,
  shard: string,
  call: (stub: DurableObjectStub<Shard>) => Promise<T>,
): Promise<T | undefined> {
  const beganMs = Date.now();
  let answer: T | undefined;
  try {
    const stub = shards.get(shards.idFromName(shard));
    answer = await Promise.race([call(stub), deadline.passing]);
  } catch (error) {
    log("warn", "shard did not answer", { shard, requests, error });
  }
  isolateMeter.count("shard_calls", 1, caller, answer === undefined ? "failed" : "answered");
  isolateMeter.observe("shard_call_seconds", (Date.now() - beganMs) / 1000, caller);
  return answer;
}
