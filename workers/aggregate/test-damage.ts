import { afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import type { PaymentEvent } from "../../shared/event.ts";
import { batchOf } from "../../shared/event-batch.ts";
import { EventLines } from "../../shared/event-lines.ts";
import { shardOf } from "../../shared/topology.ts";
import { isClosed } from "../../shared/window.ts";
import { openDirectory } from "../directory/test-directory.ts";
import { loadTopology } from "../directory/topology.ts";
import { packEvents } from "../ingest/log-events.ts";
import { HOUR_MS, IDENTITY_KEY, MINUTE_MS, NOON_MS, payments } from "./sample-payments.ts";
import { deliver } from "./test-queue.ts";
import { TestShard, workerEnv } from "./test-shard.ts";

export const WINDOW_MS = 10 * MINUTE_MS;
/** Long closed, and not final. */
export const OLD_MS = NOON_MS - 5 * HOUR_MS;
/** What a call is told of a damaged window. */
export const REFUSAL = /is being rebuilt from the archive/;

/** The shard of the test that runs. */
export let shard: TestShard;
/** Two merchants of it, and one of another shard. */
export let shop: string;
export let other: string;
export let stranger: string;
/** The lines it has logged. */
export const reported: unknown[] = [];

let shards = 0;

/** Before the tests of a file: each has a shard and merchants of its own, an empty archive, and begins at noon. */
export function openShards(): void {
  beforeAll(async () => {
    const directory = await openDirectory();
    // More shards than there are tests; the stranger's is the last.
    await directory.exec("UPDATE topology_epochs SET shards = 64");
  });
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: NOON_MS });
    reported.length = 0;
    for (const level of ["info", "warn", "error"] as const) {
      vi.spyOn(console, level).mockImplementation((line) => void reported.push(line));
    }
    // Every test has a shard of its own.
    const name = `shard-${shards++}`;
    const topology = await loadTopology(workerEnv.DIRECTORY, NOON_MS);
    let merchants = 0;
    const next = (owner: string): string => {
      for (;;) {
        const merchant = `merchant-${merchants++}`;
        if (shardOf(topology, merchant, NOON_MS) === owner) return merchant;
      }
    };
    [shop, other, stranger] = [next(name), next(name), next("shard-63")];
    shard = new TestShard(name);
  });
  afterEach(async () => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    const { objects } = await workerEnv.ARCHIVE.list();
    await workerEnv.ARCHIVE.delete(objects.map(({ key }) => key));
  });
}

/** Sends events through the log, a little later than the last ones: they are archived, and counted by their shards. */
export async function logged(events: readonly PaymentEvent[]): Promise<void> {
  vi.setSystemTime(Date.now() + 1);
  const batch = `request-${crypto.randomUUID()}`;
  const lines = new EventLines({ batch, source: "pos", receivedAtMs: Date.now() });
  for (const event of events) lines.add(event);
  const logged = { batch: batchOf(events, IDENTITY_KEY), lines };
  const bodies = packEvents(logged, { request: batch, receivedAtMs: Date.now(), token: "" });
  await deliver(
    "tally-raw",
    bodies.map((body, i) => ({ id: `${batch}-${i}`, body: body.buffer })),
  );
}

export const ofShop = (name: string, n: number, fields: Partial<PaymentEvent> = {}) =>
  payments(name, n, { merchant_id: shop, ...fields });

/** Everything that is said of the merchants, but for the moments. */
export async function numbers() {
  const readings = [await shard.read(shop, true), await shard.read(other, true)];
  return readings.map(({ windows }) => windows.map(({ revision, ...row }) => row));
}

/** Sends all windows that have closed, and has history confirm them; then all of it, and how far it is stored, is in pages. */
export async function sendAndStore(): Promise<void> {
  await shard.catchWindows();
  const startsOf = (rows: readonly { readonly window_start?: unknown }[]) =>
    rows.map((row) => Number(row.window_start) * 1000);
  const unsent = async () => {
    const sent = new Set(shard.messages().flatMap(({ rows }) => startsOf(rows)));
    const windows = [...(await shard.read(shop, true)).windows, ...(await shard.read(other, true)).windows];
    return startsOf(windows).filter((startMs) => isClosed(startMs, Date.now()) && !sent.has(startMs)).length;
  };
  while ((await unsent()) > 0) await shard.ringUntilSent();
  await shard.confirmAll();
  await logged(ofShop("sent", 1, { occurred_at: Date.now() }));
  await shard.writePages();
}

/** Flips a bit of a blob in the middle. */
export async function damage(table: string, column: string, where: string): Promise<void> {
  const [row] = await shard.sql(`SELECT ${column} AS blob FROM ${table} WHERE ${where}`);
  if (row === undefined) throw new Error(`no ${table} where ${where}`);
  const bytes = new Uint8Array(row.blob as ArrayBuffer);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await shard.sql(`UPDATE ${table} SET ${column} = ? WHERE ${where}`, bytes.buffer);
}

/** Windows of the shop are damaged: what there is of them is history's. */
export async function expectDamaged(): Promise<void> {
  const { damaged_from, windows } = await shard.read(shop, true);
  expect(damaged_from).toBeDefined();
  expect(windows.map((row) => Number(row.window_start) * 1000)).not.toContain(damaged_from);
}

export const pageOf = (startMs: number) => `id / 1024 = ${startMs / WINDOW_MS}`;

/** Rings until nothing is damaged any more. */
export async function rebuild(): Promise<number> {
  await shard.catchWindows();
  for (let rings = 0; ; rings++) {
    if ((await shard.rows("damaged")) === 0) return rings;
    if (rings > 100) throw new Error(`still damaged; ${reported}`);
    expect(await shard.alarmMs()).toBeLessThanOrEqual(Date.now());
    await shard.ring();
  }
}
