import { afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import type { PaymentEvent } from "../../shared/event.ts";
import { EventLines } from "../../shared/event-lines.ts";
import { decodeShardBatch, encodeShardBatch } from "../../shared/messages/shard-batch.ts";
import { shardOf } from "../../shared/topology.ts";
import { openDirectory } from "../directory/test-directory.ts";
import { loadTopology } from "../directory/topology.ts";
import { gunzip } from "../gzip.ts";
import { packEvents } from "../ingest/log-events.ts";
import { batchOf, NOON_MS } from "./sample-payments.ts";
import type { ShardReading } from "./shard.ts";
import type { TestMessage } from "./test-queue.ts";
import { workerEnv } from "./test-shard.ts";

/** The log, as its consumer meets it in tests. */
export const QUEUE = "tally-raw";
export const NOON_PREFIX = "raw/v1/2031/03/05/12/";

/** Before the tests of a file: a directory, and for each of them noon, and a log that is not printed. */
export function openLog(): void {
  beforeAll(async () => {
    await openDirectory();
  });
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: NOON_MS });
    for (const level of ["warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => {});
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

let requests = 0;
/** Every test has merchants of its own: shards, archive and directory are shared. */
export const nextMerchant = () => `merchant-${requests++}`;

export function linesOf(events: readonly PaymentEvent[], batch: string): EventLines {
  const lines = new EventLines({ batch, source: "pos", receivedAtMs: NOON_MS });
  for (const event of events) lines.add(event);
  return lines;
}

export function messageOf(events: readonly PaymentEvent[], token = ""): TestMessage {
  const id = `request-${requests++}`;
  const [body, ...more] = packEvents(
    { batch: batchOf(events), lines: linesOf(events, id) },
    { request: id, receivedAtMs: NOON_MS, token },
  );
  if (body === undefined || more.length > 0) throw new Error("one message was meant");
  return { id, body: body.buffer };
}

export async function shardNameOf(merchant: string, startMs = NOON_MS): Promise<string> {
  return shardOf(await loadTopology(workerEnv.DIRECTORY, Date.now()), merchant, startMs);
}

/** Counts events directly, as ingest does. */
export async function applyDirectly(merchant: string, events: readonly PaymentEvent[], token: string): Promise<void> {
  const batch = batchOf(events);
  batch.token = token;
  await workerEnv.SHARD.get(workerEnv.SHARD.idFromName(await shardNameOf(merchant))).apply(encodeShardBatch(batch));
}

/** The shards as they are; keeps the calls, those of `apply` with the number of events. */
export function watchedShards() {
  const calls: string[] = [];
  const { SHARD } = workerEnv;
  const watched = {
    idFromName: (name: string) => name,
    get: (name: string) => {
      const stub = SHARD.get(SHARD.idFromName(name));
      return {
        apply: async (bytes: Uint8Array) => {
          const batch = decodeShardBatch(bytes);
          calls.push(`apply ${batch.ok ? batch.value.size : "nothing"}`);
          return await stub.apply(bytes);
        },
        counted: async (tokens: readonly string[]) => {
          calls.push(`counted ${tokens.length}`);
          return await stub.counted(tokens);
        },
      };
    },
  };
  return { calls, broken: { SHARD: watched } };
}

let tokens = 0;
export const nextToken = () => `f${String(tokens++).padStart(31, "0")}`;

export async function counted(merchant: string, startMs = NOON_MS): Promise<number> {
  const shard = shardOf(await loadTopology(workerEnv.DIRECTORY, Date.now()), merchant, startMs);
  const stub = workerEnv.SHARD.get(workerEnv.SHARD.idFromName(shard));
  const reading: ShardReading = JSON.parse(await stub.read(merchant, startMs, startMs + 1));
  return reading.windows.reduce((sum, row) => sum + Number(row.payments_count), 0);
}

/** Ids of the archived events of a merchant, repeats included, in order. */
export async function archived(merchant: string, prefix = NOON_PREFIX): Promise<string[]> {
  const ids: string[] = [];
  for (const { key } of (await workerEnv.ARCHIVE.list({ prefix })).objects) {
    expect(key).toMatch(/\/\d+-[0-9a-f]{24}\.ndjson\.gz$/);
    const object = await workerEnv.ARCHIVE.get(key);
    const text = new TextDecoder().decode(gunzip(new Uint8Array((await object?.arrayBuffer()) ?? []), 10_000_000));
    for (const line of text.split("\n").slice(0, -1)) {
      const event = JSON.parse(line);
      if (event.merchant_id === merchant) ids.push(event.event_id);
    }
  }
  return ids.sort();
}
