import { LRUCache } from "lru-cache";
import { z } from "zod";
import { shardOf, type Topology } from "../../shared/topology.ts";
import { fromRow, type MerchantWindow } from "../../shared/window-row.ts";
import type { Shard } from "../aggregate/shard.ts";
import { CircuitBreaker } from "../circuit-breaker.ts";
import type { HistorySpan } from "./tiers.ts";

export interface ShardsEnv {
  readonly SHARD: DurableObjectNamespace<Shard>;
}

/** A shard did not answer; what is not in history yet cannot be told right now. */
export class ShardUnavailable extends Error {}

/** A merchant's windows that the shards answer for, and what of the range is history's. */
export interface HotWindows {
  readonly asOfMs: number;
  readonly windows: readonly MerchantWindow[];
  /**
   * Parts of the range that the shards do not have any more, or have paged out and in history: disjoint, in order. Together with
   * `windows` they leave no gap and no overlap.
   */
  readonly history: readonly HistorySpan[];
  /** From this window on some that are history's are being counted anew: history may lack what came last. */
  readonly damagedFromMs?: number | undefined;
}

const readingSchema = z.object({
  as_of: z.int(),
  history: z.array(z.tuple([z.int(), z.int()])),
  damaged_from: z.int().optional(),
  windows: z.array(z.unknown()),
});

/**
 * Asks every shard that owns the merchant somewhere in `[fromMs, toMs)`, which is one unless the topology changed within. With
 * `bringBack` they answer for all they retain, which costs them more: for when history cannot be asked.
 */
export async function readHotWindows(
  env: ShardsEnv,
  topology: Topology,
  merchantId: string,
  fromMs: number,
  toMs: number,
  bringBack: boolean,
): Promise<HotWindows> {
  const readings = await Promise.all(
    ownersOf(topology, merchantId, fromMs, toMs).map((part) => readShard(env, merchantId, part, bringBack)),
  );
  return {
    asOfMs: Math.min(...readings.map(({ asOfMs }) => asOfMs)),
    windows: readings.flatMap(({ windows }) => windows),
    history: readings.flatMap(({ history }) => history),
    // Owners of parts stand in order.
    damagedFromMs: readings.find(({ damagedFromMs }) => damagedFromMs !== undefined)?.damagedFromMs,
  };
}

/**
 * What the shards that own a merchant in the span say of its windows there: another text once any of them has changed, `null` when there is no
 * telling. What they answer to a read is not older than the text, if it is asked afterwards.
 */
export async function readMark(
  env: ShardsEnv,
  topology: Topology,
  merchantId: string,
  fromMs: number,
  toMs: number,
): Promise<string | null> {
  try {
    const marks = await Promise.all(
      ownersOf(topology, merchantId, fromMs, toMs).map(({ shard, fromMs, toMs }) =>
        askShard(env, shard, (stub) => stub.mark(merchantId, fromMs, toMs)),
      ),
    );
    return marks.includes(null) ? null : marks.join();
  } catch {
    // Whoever reads next finds out why, and says so.
    return null;
  }
}

export interface OwnedPart {
  readonly shard: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Who answers for which part of a range, in order. */
export function ownersOf(topology: Topology, merchantId: string, fromMs: number, toMs: number): OwnedPart[] {
  return topology.epochs.flatMap((epoch, at) => {
    const from = Math.max(fromMs, epoch.from_ms);
    const to = Math.min(toMs, topology.epochs[at + 1]?.from_ms ?? toMs);
    return from < to ? [{ shard: shardOf(topology, merchantId, from), fromMs: from, toMs: to }] : [];
  });
}

/** Of the shards that an isolate has read from lately. */
const CIRCUITS_MAX = 10_000;
const circuits = new LRUCache<string, CircuitBreaker>({ max: CIRCUITS_MAX });

/** What a shard answers. While it hangs this throws `Unanswered`: at first within two seconds, then at once. */
export async function askShard<T>(
  { SHARD }: ShardsEnv,
  shard: string,
  ask: (stub: DurableObjectStub<Shard>) => Promise<T>,
): Promise<T> {
  const circuit = circuits.get(shard) ?? new CircuitBreaker(shard);
  circuits.set(shard, circuit);
  const stub = SHARD.get(SHARD.idFromName(shard));
  return await circuit.call(
    () => ask(stub),
    () => stub.counted([]),
  );
}

async function readShard(
  env: ShardsEnv,
  merchantId: string,
  { shard, fromMs, toMs }: OwnedPart,
  bringBack: boolean,
): Promise<HotWindows> {
  let text: string;
  try {
    text = await askShard(env, shard, (stub) => stub.read(merchantId, fromMs, toMs, bringBack));
  } catch (cause) {
    throw new ShardUnavailable(`${shard} does not answer`, { cause });
  }
  const reading = readingSchema.parse(JSON.parse(text));
  return {
    asOfMs: reading.as_of,
    windows: reading.windows.map(fromRow),
    history: reading.history.map(([fromMs, toMs]) => ({ fromMs, toMs })),
    damagedFromMs: reading.damaged_from,
  };
}
