import { z } from "zod";
import { epochAt, shardName, type Topology } from "../../shared/topology.ts";
import { LATENESS_HORIZON_MS, windowStart } from "../../shared/window.ts";
import type { Shard } from "../aggregate/shard.ts";
import type { ShardStatus } from "../aggregate/shard-status.ts";
import { operatingState } from "../directory/operating-state.ts";
import { loadTopology } from "../directory/topology.ts";
import { type HistoryEnv, historyClient } from "../history-client.ts";
import { METERS, type MeterEnv, meterName } from "../meter/isolate-meter.ts";
import { type MeterState, MINUTE_MS, type Reading, readingOf } from "../meter/meter-state.ts";
import { type Answered, answeredWithin } from "./answered.ts";
import type { Health } from "./health-schema.ts";
import { type Findings, judgeHealth, type QueueState } from "./judge-health.ts";

/** Nobody is waited for any longer; what nobody answered is `unknown`. Two of them follow one another at most: the topology, and its shards. */
const ASK_TIMEOUT_MS = 3_000;
/** How far back rates look. */
const RECENT_MINUTES = 5;
/** Shards asked in one look. Of more, each look asks the next ones: an invocation may make some thousand calls, and waits for six at a time. */
export const SHARDS_ASKED_MAX = 128;
/** Six calls are on their way at a time, whatever is asked. */
const SHARDS_ASKED_AT_ONCE = 6;

/** What a Worker needs to look at the pipeline; queues it does not produce to are not asked. */
export interface HealthEnv extends HistoryEnv, MeterEnv {
  readonly DIRECTORY: D1Database;
  readonly SHARD: DurableObjectNamespace<Shard>;
  readonly RAW?: Queue;
  readonly WINDOWS?: Queue;
}

export interface Look {
  readonly health: Health;
  /** What all isolates have counted, as far as the meters answered. */
  readonly reading: Reading;
}

/** How the pipeline is now. Answers within some seconds whatever hangs, and throws for nothing but a bug. */
export async function lookAtHealth(env: HealthEnv, nowMs: number): Promise<Look> {
  const [directory, meters, shards, history, log, windowsQueue] = await Promise.all([
    answeredWithin(ASK_TIMEOUT_MS, () => operatingState(env.DIRECTORY, nowMs)),
    askMeters(env),
    askShards(env, nowMs),
    answeredWithin(ASK_TIMEOUT_MS, () => newestWindow(env)),
    askQueue(env.RAW),
    askQueue(env.WINDOWS),
  ]);
  const known = meters.flatMap((meter) => (meter.ok ? [meter.value.value] : []));
  const reading = readingOf(known, RECENT_MINUTES, nowMs);
  const findings: Findings = { nowMs, directory, meters, reading, shards, history, log, windowsQueue };
  return { health: judgeHealth(findings), reading };
}

async function askMeters({ METER }: HealthEnv): Promise<Answered<MeterState>[]> {
  if (METER === undefined) return [];
  return await Promise.all(
    Array.from({ length: METERS }, (_, at) =>
      answeredWithin(ASK_TIMEOUT_MS, async () => await METER.get(METER.idFromName(meterName(at))).read()),
    ),
  );
}

async function askShards(env: HealthEnv, nowMs: number): Promise<Findings["shards"]> {
  const topology = await answeredWithin(ASK_TIMEOUT_MS, () => loadTopology(env.DIRECTORY, nowMs));
  if (!topology.ok) return topology;
  const names = shardsInUse(topology.value.value, nowMs);
  // By the minute, so that looks a minute apart go through all of them.
  const first = (Math.floor(nowMs / MINUTE_MS) * SHARDS_ASKED_MAX) % names.length;
  const asked = [...names.slice(first), ...names.slice(0, first)].slice(0, SHARDS_ASKED_MAX);
  const answers = new Map<string, Answered<ShardStatus>>();
  const endMs = Date.now() + ASK_TIMEOUT_MS;
  const askNext = async (): Promise<void> => {
    for (let name = asked.pop(); name !== undefined; name = asked.pop()) {
      const shard = env.SHARD.get(env.SHARD.idFromName(name));
      answers.set(name, await answeredWithin(Math.max(1, endMs - Date.now()), async () => await shard.status()));
    }
  };
  await Promise.all(Array.from({ length: SHARDS_ASKED_AT_ONCE }, askNext));
  return { ok: true, value: { shards: names.length, answers } };
}

/** Names of the shards that own windows which are not final yet, the open ones' first. */
export function shardsInUse(topology: Topology, nowMs: number): string[] {
  const newest = epochAt(topology, windowStart(nowMs));
  const oldest = epochAt(topology, Math.max(0, windowStart(nowMs - LATENESS_HORIZON_MS)));
  const epochs = topology.epochs.filter(({ from_ms }) => from_ms >= oldest.from_ms && from_ms <= newest.from_ms);
  const numbers = new Set<number>();
  for (const { shards, overrides } of epochs.reverse()) {
    for (let shard = 0; shard < shards; shard++) numbers.add(shard);
    for (const shard of Object.values(overrides)) numbers.add(shard);
  }
  return [...numbers].map(shardName);
}

const newestSchema = z.tuple([z.object({ windows: z.coerce.number(), newest_s: z.coerce.number() })]);

/** Start of the latest window that history has, from what it keeps of each part: no row is read. */
async function newestWindow(env: HealthEnv): Promise<number | null> {
  const client = historyClient(env, ASK_TIMEOUT_MS, {
    max_execution_time: ASK_TIMEOUT_MS / 1000,
    wait_end_of_query: 1,
  });
  try {
    const query = "SELECT count() AS windows, toUnixTimestamp(max(window_start)) AS newest_s FROM windows";
    const answer = await client.query({ query, format: "JSONEachRow" });
    const [{ windows, newest_s }] = newestSchema.parse(await answer.json());
    return windows === 0 ? null : newest_s * 1000;
  } finally {
    await client.close();
  }
}

/** The platform tells of a queue to whoever may send to it; the local stand-in for queues does not. */
async function askQueue(queue: Queue | undefined): Promise<Answered<QueueState> | undefined> {
  if (queue?.metrics === undefined) return undefined;
  return await answeredWithin(ASK_TIMEOUT_MS, async () => {
    const { backlogCount, backlogBytes, oldestMessageTimestamp } = await queue.metrics();
    const oldestMs = oldestMessageTimestamp === undefined ? null : new Date(oldestMessageTimestamp).getTime();
    return { messages: backlogCount, bytes: backlogBytes, oldestMs: oldestMs === 0 ? null : oldestMs };
  });
}
