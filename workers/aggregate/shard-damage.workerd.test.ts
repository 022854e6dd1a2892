import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { archivePrefix } from "../../shared/archive-key.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { batchOf } from "../../shared/event-batch.ts";
import { EventLines } from "../../shared/event-lines.ts";
import { encodeShardBatch, STATUS } from "../../shared/messages/shard-batch.ts";
import { shardOf } from "../../shared/topology.ts";
import { isClosed } from "../../shared/window.ts";
import { openDirectory } from "../directory/test-directory.ts";
import { loadTopology } from "../directory/topology.ts";
import { gzip } from "../gzip.ts";
import { packEvents } from "../ingest/log-events.ts";
import { JOURNAL_SLOTS } from "./journal.ts";
import { REBUILD_OBJECTS_PER_ALARM } from "./rebuild.ts";
import { HOUR_MS, IDENTITY_KEY, MINUTE_MS, NOON_MS, payment, payments } from "./sample-payments.ts";
import { ALARM_RETRY_MS, type Shard } from "./shard.ts";
import { deliver } from "./test-queue.ts";
import { TestShard, workerEnv } from "./test-shard.ts";

const WINDOW_MS = 10 * MINUTE_MS;
const OLD_MS = NOON_MS - 5 * HOUR_MS;
const { accepted, duplicate } = STATUS;
const REFUSAL = /is being rebuilt from the archive/;

let shards = 0;
let shard: TestShard;
/** Two merchants of the shard under test, and one of another shard. */
let shop: string;
let other: string;
let stranger: string;
let reported: unknown[];

beforeAll(async () => {
  const directory = await openDirectory();
  // More shards than there are tests; the stranger's is the last.
  await directory.exec("UPDATE topology_epochs SET shards = 64");
});
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON_MS });
  reported = [];
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

/** Sends events through the log, a little later than the last ones: they are archived, and counted by their shards. */
async function logged(events: readonly PaymentEvent[]): Promise<void> {
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

const ofShop = (name: string, n: number, fields: Partial<PaymentEvent> = {}) =>
  payments(name, n, { merchant_id: shop, ...fields });

/** Everything that is said of the merchants, but for the moments. */
async function numbers() {
  const readings = [await shard.read(shop, true), await shard.read(other, true)];
  return readings.map(({ windows }) => windows.map(({ revision, ...row }) => row));
}

/** Sends all windows that have closed, and has history confirm them; then all of it, and how far it is stored, is in pages. */
async function sendAndStore(): Promise<void> {
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
async function damage(table: string, column: string, where: string): Promise<void> {
  const [row] = await shard.sql(`SELECT ${column} AS blob FROM ${table} WHERE ${where}`);
  if (row === undefined) throw new Error(`no ${table} where ${where}`);
  const bytes = new Uint8Array(row.blob as ArrayBuffer);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await shard.sql(`UPDATE ${table} SET ${column} = ? WHERE ${where}`, bytes.buffer);
}

const pageOf = (startMs: number) => `id / 1024 = ${startMs / WINDOW_MS}`;

/** Rings until nothing is damaged any more. */
async function rebuild(): Promise<number> {
  await shard.catchWindows();
  for (let rings = 0; ; rings++) {
    if ((await shard.rows("damaged")) === 0) return rings;
    if (rings > 100) throw new Error(`still damaged; ${reported}`);
    expect(await shard.alarmMs()).toBeLessThanOrEqual(Date.now());
    await shard.ring();
  }
}

describe("a page that is damaged", () => {
  async function withDamagedPage() {
    await logged([
      ...ofShop("old", 5, { occurred_at: OLD_MS, user: { id: "00112233445566ff", gender: "female" } }),
      ...payments("old", 2, { merchant_id: other, occurred_at: OLD_MS, amount: 7 }),
      ...payments("old", 2, { merchant_id: stranger, occurred_at: OLD_MS }),
      payment({ event_id: "neighbour", merchant_id: shop, occurred_at: OLD_MS + WINDOW_MS }),
    ]);
    await logged(ofShop("old", 3, { occurred_at: OLD_MS }));
    await logged(ofShop("now", 1));
    await sendAndStore();
    const before = await numbers();
    await damage("page", "data", pageOf(OLD_MS));
    await shard.evict();
    return before;
  }

  test("costs its window only, and that is rebuilt from the archive to the same numbers", async () => {
    const before = await withDamagedPage();
    // It is found out by the first who asks: the log has these events again, the shard refuses them.
    await expect(shard.apply(ofShop("old", 5, { occurred_at: OLD_MS }))).rejects.toThrow(REFUSAL);
    expect(String(reported)).toContain("window damaged");
    expect(await shard.apply(ofShop("now", 1))).toEqual([duplicate]);
    expect(await shard.apply(ofShop("more", 1))).toEqual([accepted]);
    await shard.evict();
    await expect(shard.apply(ofShop("old", 5, { occurred_at: OLD_MS }))).rejects.toThrow(REFUSAL);
    expect(await rebuild()).toBe(1);
    expect(String(reported)).toContain("windows rebuilt from the archive");
    expect(await shard.apply(ofShop("old", 5, { occurred_at: OLD_MS }))).toEqual(Array(5).fill(duplicate));
    await shard.evict();
    expect(await shard.apply(ofShop("more", 1))).toEqual([duplicate]);
    const after = await numbers();
    expect(after[0]?.slice(0, -1)).toEqual(before[0]?.slice(0, -1));
    expect(after[1]).toEqual(before[1]);
    expect((await shard.read(stranger, true)).windows).toEqual([]);
  });

  test("is history's meanwhile, if it was stored; and what was rebuilt goes there under a larger revision", async () => {
    await withDamagedPage();
    const stored = Math.max(...shard.messages().flatMap(({ rows }) => rows.map((row) => Number(row.revision))));
    const reading = await shard.read(shop, true);
    expect(reading.history.some(([fromMs, toMs]) => fromMs <= OLD_MS && OLD_MS < toMs)).toBe(true);
    expect(reading.windows.map((row) => Number(row.window_start) * 1000)).toEqual([OLD_MS + WINDOW_MS, NOON_MS]);
    shard.sent.length = 0;
    await rebuild();
    await shard.ringUntilSent();
    const rows = shard.messages().flatMap((message) => message.rows);
    const sent = rows.filter((row) => Number(row.window_start) * 1000 === OLD_MS);
    expect(sent.map((row) => [row.merchant_id, row.payments_count]).sort()).toEqual(
      [
        [other, 2],
        [shop, 5],
      ].sort(),
    );
    for (const row of sent) expect(Number(row.revision)).toBeGreaterThan(stored);
  });

  test("cannot be read while nothing else has the window", async () => {
    await logged(ofShop("old", 2, { occurred_at: OLD_MS }));
    await shard.catchWindows();
    await shard.ringUntilSent();
    await shard.writePages();
    await damage("page", "data", pageOf(OLD_MS));
    await shard.evict();
    await expect(shard.read(shop)).rejects.toThrow(REFUSAL);
    await rebuild();
    expect((await numbers())[0]?.map((row) => row.payments_count)).toEqual([2]);
  });

  test("or its description is, or a part of it missing, is as good as none", async () => {
    const before = await withDamagedPage();
    await shard.sql(`UPDATE page SET revision = revision + 1 WHERE ${pageOf(OLD_MS + WINDOW_MS)}`);
    await shard.sql(`UPDATE page SET id = id + 1 WHERE ${pageOf(NOON_MS)}`);
    await shard.evict();
    await shard.stub.read(shop, 0, NOON_MS, true);
    // The last one is open still, so nothing else has it.
    await expect(shard.read(shop, true)).rejects.toThrow(REFUSAL);
    expect(await shard.rows("damaged")).toBe(3);
    await rebuild();
    expect(await numbers()).toEqual(before);
  });

  test("stays noted while the archive is away, and is rebuilt when it is back", async () => {
    const before = await withDamagedPage();
    await numbers();
    await runInDurableObject(shard.stub, (instance: Shard) => {
      const list = () => Promise.reject(new Error("the archive is away"));
      (instance as unknown as { env: unknown }).env = { ...workerEnv, ARCHIVE: { list } };
    });
    await shard.ring();
    expect(String(reported)).toContain("the archive is away");
    expect(await shard.alarmMs()).toBe(Date.now() + ALARM_RETRY_MS);
    expect(await shard.apply(ofShop("more", 1))).toEqual([accepted]);
    await shard.evict();
    vi.setSystemTime(Date.now() + ALARM_RETRY_MS);
    await rebuild();
    expect((await numbers())[0]?.[0]).toEqual(before[0]?.[0]);
  });

  test("is rebuilt from more objects than one alarm reads, repeats, conflicts and moved repeats as they were judged", async () => {
    for (let i = 0; i < REBUILD_OBJECTS_PER_ALARM + 3; i++) {
      await logged(ofShop(`o${i}`, 2, { occurred_at: OLD_MS }));
    }
    const [first] = ofShop("now", 1);
    await logged([first ?? expect.fail()]);
    vi.setSystemTime(NOON_MS + MINUTE_MS);
    await logged([
      ...ofShop("o1", 2, { occurred_at: OLD_MS, amount: 999 }),
      payment({ event_id: first?.event_id ?? "", merchant_id: shop, occurred_at: OLD_MS }),
    ]);
    await sendAndStore();
    const before = await numbers();
    expect(before[0]?.[0]?.payments_count).toBe(2 * (REBUILD_OBJECTS_PER_ALARM + 3));
    await damage("page", "data", pageOf(OLD_MS));
    await shard.evict();
    await numbers();
    expect(await rebuild()).toBe(2);
    expect(await numbers()).toEqual(before);
  });

  test("is rebuilt as far as the archive can be read, and what cannot is reported", async () => {
    await withDamagedPage();
    await numbers();
    const whole = gzip("not an event\n");
    for (const [name, bytes] of Object.entries({ text: whole, cut: whole.subarray(0, 20), none: new Uint8Array(9) })) {
      await workerEnv.ARCHIVE.put(`${archivePrefix(OLD_MS)}0-${name}.ndjson.gz`, bytes);
    }
    await rebuild();
    for (const name of ["text", "cut", "none"]) expect(String(reported)).toContain(`0-${name}.ndjson.gz`);
    expect((await numbers())[0]?.[0]?.payments_count).toBe(5);
  });

  test("whose rebuilt state cannot be written stays damaged, and is rebuilt when it can", async () => {
    const before = await withDamagedPage();
    await numbers();
    await shard.sql("CREATE TRIGGER full BEFORE INSERT ON checkpoint BEGIN SELECT RAISE(FAIL, 'disk is full'); END");
    await shard.catchWindows();
    await shard.ring();
    expect(String(reported)).toContain("disk is full");
    expect(await shard.rows("damaged")).toBe(1);
    await expect(shard.apply(ofShop("old", 1, { occurred_at: OLD_MS }))).rejects.toThrow(REFUSAL);
    await shard.sql("DROP TRIGGER full");
    vi.setSystemTime(Date.now() + ALARM_RETRY_MS);
    await rebuild();
    expect((await numbers())[0]?.[0]).toEqual(before[0]?.[0]);
  });
});

test("a request that the log would pass over, as counted directly, is brought again once anything is lost", async () => {
  const direct = async (token: string, events: readonly PaymentEvent[]) => {
    const batch = batchOf(events, IDENTITY_KEY);
    batch.token = token;
    await shard.stub.apply(encodeShardBatch(batch));
  };
  const FIRST = "5a".repeat(16);
  const isCounted = async (token: string) => [...(await shard.stub.counted([token]))];
  await logged(ofShop("old", 2, { occurred_at: OLD_MS }));
  await sendAndStore();
  await damage("page", "data", pageOf(OLD_MS));
  await shard.evict();
  await direct(FIRST, ofShop("now", 1));
  expect(await isCounted(FIRST)).toEqual([1]);
  await shard.evict();
  expect(await isCounted(FIRST)).toEqual([1]);
  // Found while it runs, and found again in each start until it is rebuilt.
  await expect(shard.apply(ofShop("old", 1, { occurred_at: OLD_MS }))).rejects.toThrow(REFUSAL);
  expect(await isCounted(FIRST)).toEqual([0]);
  await shard.evict();
  expect(await isCounted(FIRST)).toEqual([0]);
});

test("a repeat that was moved stays a conflict, though the window of the event it repeats is damaged since", async () => {
  const FIRST_MS = NOON_MS - 2 * WINDOW_MS;
  await logged(ofShop("first", 1, { occurred_at: FIRST_MS }));
  // Until the journal is full, and the first window in pages.
  for (let i = 0; i < JOURNAL_SLOTS; i++) await shard.apply(ofShop(`old-${i}`, 1, { occurred_at: OLD_MS }));
  // The one of that name again, at another time, and one that is new.
  await logged([...ofShop("first", 1), ...ofShop("next", 1)]);
  const before = await numbers();
  expect(before[0]?.map((row) => row.payments_count)).toEqual([JOURNAL_SLOTS, 1, 1]);
  await damage("page", "data", pageOf(FIRST_MS));
  await shard.evict();
  await expect(shard.read(shop)).rejects.toThrow(REFUSAL);
  await rebuild();
  expect(await numbers()).toEqual(before);
});

describe("a journal that is damaged", () => {
  /** Three rows of the journal, the second of which says what the others do not. */
  async function threeRows() {
    await logged(ofShop("a", 2));
    vi.setSystemTime(NOON_MS + 1_000);
    await logged([
      ...ofShop("b", 3),
      payment({ event_id: "b", merchant_id: other, occurred_at: OLD_MS }),
      payment({ event_id: "late", merchant_id: shop, occurred_at: OLD_MS - 72 * HOUR_MS }),
    ]);
    vi.setSystemTime(NOON_MS + 2_000);
    await logged(ofShop("c", 4));
    expect(await shard.rows("journal")).toBe(3);
    return await numbers();
  }

  /** The shard starts, says so, gives no wrong number, and has the right ones again after a while; then it counts on, and starts again. */
  async function expectRebuilt(before: unknown) {
    await shard.evict();
    await expect(shard.read(shop)).rejects.toThrow(REFUSAL);
    await expect(shard.apply(ofShop("new", 1))).rejects.toThrow(REFUSAL);
    expect(String(reported)).toContain("state damaged");
    await rebuild();
    expect(await numbers()).toEqual(before);
    expect(await shard.apply([...ofShop("b", 3), ...ofShop("new", 1)])).toEqual([
      duplicate,
      duplicate,
      duplicate,
      accepted,
    ]);
    const after = await numbers();
    reported = [];
    await shard.evict();
    expect(await numbers()).toEqual(after);
    expect(reported).toEqual([]);
  }

  for (const [fault, query] of Object.entries({
    "the moment of a row": "UPDATE journal SET at_ms = at_ms + 1 WHERE seq = 2",
    "the number of a row": "UPDATE journal SET seq = 900 WHERE seq = 2",
    "the number of the last row": "UPDATE journal SET seq = 900 WHERE seq = 3",
    "what a row says of its conflicts": "UPDATE journal SET conflicts = '0' WHERE seq = 2",
    "what a row says of its windows": "UPDATE journal SET windows = windows || '1' WHERE seq = 1",
    "a row, which is missing,": "DELETE FROM journal WHERE seq = 2",
  })) {
    test(`in ${fault} is rebuilt from the archive`, async () => {
      const before = await threeRows();
      await shard.sql(query);
      await expectRebuilt(before);
    });
  }

  for (const seq of [1, 2, 3]) {
    test(`in a byte of batch ${seq} of 3 costs the windows of the batch, and those are rebuilt from the archive`, async () => {
      const before = await threeRows();
      await damage("journal", "batch", `seq = ${seq}`);
      await shard.evict();
      const noted = await shard.sql("SELECT window FROM damaged ORDER BY window");
      const lost = seq === 2 ? [OLD_MS, NOON_MS] : [NOON_MS];
      expect(noted).toEqual(lost.map((startMs) => ({ window: startMs / WINDOW_MS })));
      expect(await shard.apply(ofShop("elsewhere", 1, { occurred_at: NOON_MS - HOUR_MS }))).toEqual([accepted]);
      await expectRebuilt([[expect.objectContaining({ payments_count: 1 }), ...(before[0] ?? [])], before[1]]);
    });
  }

  test("in a batch that cannot be counted any more costs the windows of the batch", async () => {
    const before = await threeRows();
    await shard.sql("UPDATE journal SET batch = 'text' WHERE seq = 2");
    await expectRebuilt(before);
  });

  for (const [fault, query] of Object.entries({
    "whose checkpoint is another": "UPDATE checkpoint SET seq = seq - 1",
    "without a checkpoint": "DELETE FROM checkpoint",
  })) {
    test(`${fault} is rebuilt from the archive, pages and all`, async () => {
      await threeRows();
      await sendAndStore();
      const before = await numbers();
      await shard.sql(query);
      await expectRebuilt(before);
    });
  }

  test("after it has wrapped is rebuilt from the archive", async () => {
    await logged(ofShop("a", 2));
    for (let i = 0; i < JOURNAL_SLOTS + 5; i++) await shard.apply(ofShop(`${i}`, 1, { occurred_at: OLD_MS }));
    await logged(
      Array.from({ length: JOURNAL_SLOTS + 5 }, (_, i) => ofShop(`${i}`, 1, { occurred_at: OLD_MS })).flat(),
    );
    const before = await numbers();
    await damage("journal", "batch", `seq = ${JOURNAL_SLOTS + 4}`);
    await shard.evict();
    await rebuild();
    expect(await numbers()).toEqual(before);
  });

  test("starts also where damage cannot be noted, and notes it when it can", async () => {
    const before = await threeRows();
    await damage("journal", "batch", "seq = 2");
    await shard.sql("CREATE TRIGGER full BEFORE INSERT ON damaged BEGIN SELECT RAISE(FAIL, 'disk is full'); END");
    await shard.evict();
    await expect(shard.read(shop)).rejects.toThrow(REFUSAL);
    expect(String(reported)).toContain("damage could not be noted");
    await shard.sql("DROP TRIGGER full");
    await expectRebuilt(before);
  });

  test("that could not be noted is noted by the next checkpoint, after which its rows are not read any more", async () => {
    await threeRows();
    await damage("journal", "batch", "seq = 2");
    await shard.sql("CREATE TRIGGER full BEFORE INSERT ON damaged BEGIN SELECT RAISE(FAIL, 'disk is full'); END");
    await shard.evict();
    await expect(shard.read(shop)).rejects.toThrow(REFUSAL);
    await shard.sql("DROP TRIGGER full");
    for (let i = 0; i < JOURNAL_SLOTS; i++) {
      await shard.apply(ofShop(`elsewhere-${i}`, 1, { occurred_at: NOON_MS - HOUR_MS }));
    }
    await shard.evict();
    await expect(shard.read(shop)).rejects.toThrow(REFUSAL);
    expect(await shard.sql("SELECT window FROM damaged ORDER BY window")).toEqual(
      [OLD_MS, NOON_MS].map((startMs) => ({ window: startMs / WINDOW_MS })),
    );
    await rebuild();
    const [windows] = await numbers();
    // OLD_MS is the other's; the shop has what stands elsewhere, and all nine of noon.
    expect(windows?.map((row) => row.payments_count)).toEqual([JOURNAL_SLOTS, 9]);
  });
});
