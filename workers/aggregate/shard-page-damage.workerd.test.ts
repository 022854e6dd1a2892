import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import { archivePrefix, manifestKey } from "../../shared/archive-key.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { batchOf } from "../../shared/event-batch.ts";
import { encodeShardBatch, STATUS } from "../../shared/messages/shard-batch.ts";
import { gzip } from "../gzip.ts";
import { JOURNAL_SLOTS } from "./journal.ts";
import { REBUILD_OBJECTS_PER_ALARM } from "./rebuild.ts";
import { IDENTITY_KEY, MINUTE_MS, NOON_MS, payment, payments } from "./sample-payments.ts";
import { ALARM_RETRY_MS, type Shard } from "./shard.ts";
import {
  damage,
  expectDamaged,
  logged,
  numbers,
  OLD_MS,
  ofShop,
  openShards,
  other,
  pageOf,
  REFUSAL,
  rebuild,
  reported,
  sendAndStore,
  shard,
  shop,
  stranger,
  WINDOW_MS,
} from "./test-damage.ts";
import { workerEnv } from "./test-shard.ts";

const { accepted, duplicate } = STATUS;

openShards();

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
    expect(reading.damaged_from).toBe(OLD_MS);
    shard.sent.length = 0;
    await rebuild();
    expect((await shard.read(shop, true)).damaged_from).toBeUndefined();
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

  test("is history's also where history has nothing of it, and said to be damaged", async () => {
    await logged(ofShop("old", 2, { occurred_at: OLD_MS }));
    await shard.catchWindows();
    await shard.ringUntilSent();
    await shard.writePages();
    await damage("page", "data", pageOf(OLD_MS));
    await shard.evict();
    await expectDamaged();
    await rebuild();
    expect((await numbers())[0]?.map((row) => row.payments_count)).toEqual([2]);
  });

  test("or its description is, or a part of it missing, is as good as none", async () => {
    const before = await withDamagedPage();
    await shard.sql(`UPDATE page SET revision = revision + 1 WHERE ${pageOf(OLD_MS + WINDOW_MS)}`);
    await shard.sql(`UPDATE page SET id = id + 1 WHERE ${pageOf(NOON_MS)}`);
    await shard.evict();
    await shard.stub.read(shop, 0, NOON_MS, true);
    await expectDamaged();
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

  test("is not rebuilt from what objects are left of an hour that was compacted", async () => {
    await withDamagedPage();
    await numbers();
    await workerEnv.ARCHIVE.put(manifestKey(OLD_MS), "{}");
    await shard.ring();
    expect(String(reported)).toContain("is compacted");
    expect(await shard.rows("damaged")).toBe(1);
  });

  test("is left to history once it is final, when its hour was compacted: nothing waits for it any more", async () => {
    await withDamagedPage();
    await numbers();
    await workerEnv.ARCHIVE.put(manifestKey(OLD_MS), "{}");
    vi.setSystemTime(OLD_MS + 240 * WINDOW_MS);
    await shard.ring();
    expect(await shard.rows("damaged")).toBe(0);
    expect(await shard.apply(ofShop("late", 1, { occurred_at: OLD_MS }))).toEqual([STATUS.late]);
    await shard.evict();
    expect(await shard.rows("damaged")).toBe(0);
    expect(
      (await shard.read("shop", true)).windows.filter(({ window_start }) => window_start === OLD_MS / 1000),
    ).toEqual([]);
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
  await expectDamaged();
  await rebuild();
  expect(await numbers()).toEqual(before);
});
