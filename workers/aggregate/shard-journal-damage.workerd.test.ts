import { describe, expect, test, vi } from "vitest";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import { DAY_MS } from "../../shared/window.ts";
import { JOURNAL_SLOTS } from "./journal.ts";
import { HOUR_MS, NOON_MS, payment } from "./sample-payments.ts";
import {
  damage,
  expectDamaged,
  logged,
  numbers,
  OLD_MS,
  ofShop,
  openShards,
  other,
  REFUSAL,
  rebuild,
  reported,
  sendAndStore,
  shard,
  shop,
  WINDOW_MS,
} from "./test-damage.ts";

const { accepted, duplicate, conflict } = STATUS;

openShards();

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
    await expectDamaged();
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
    reported.length = 0;
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
      await expectRebuilt(before);
    });
  }

  test("keeps events of all windows waiting while a recent one is damaged: nobody else knows what was moved out of it", async () => {
    const before = await threeRows();
    await damage("journal", "batch", "seq = 1");
    await shard.evict();
    const moved = ofShop("a", 2, { occurred_at: NOON_MS - HOUR_MS });
    await expect(shard.apply(moved)).rejects.toThrow(REFUSAL);
    await rebuild();
    expect(await shard.apply(moved)).toEqual([conflict, conflict]);
    expect(await numbers()).toEqual(before);
  });

  test("has a repeat that was moved from one damaged window to another counted in one of them", async () => {
    vi.setSystemTime(NOON_MS - 0.8 * WINDOW_MS);
    await logged(ofShop("a", 1, { occurred_at: NOON_MS - WINDOW_MS }));
    vi.setSystemTime(NOON_MS);
    await logged([...ofShop("a", 1, { occurred_at: NOON_MS }), ...ofShop("b", 1, { occurred_at: NOON_MS })]);
    const before = await numbers();
    await damage("journal", "batch", "seq = 1");
    await damage("journal", "batch", "seq = 2");
    await shard.evict();
    await rebuild();
    const paid = (windows: unknown) =>
      (windows as { payments_count: number }[]).reduce((sum, { payments_count }) => sum + payments_count, 0);
    expect([paid(before[0]), paid((await numbers())[0])]).toEqual([2, 2]);
  });

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

  test("without a checkpoint has what it counted on the last moment of a window's day, and nothing else has, rebuilt hours later", async () => {
    await logged(ofShop("paged", 1, { occurred_at: OLD_MS }));
    await shard.writePages();
    const lastMs = NOON_MS - DAY_MS;
    await logged(ofShop("last", 2, { occurred_at: lastMs }));
    vi.setSystemTime(NOON_MS + 3 * HOUR_MS);
    await shard.sql("UPDATE checkpoint SET seq = seq - 1");
    await shard.evict();
    await rebuild();
    const [windows] = await numbers();
    expect(windows?.find((row) => Number(row.window_start) * 1000 === lastMs)?.payments_count).toBe(2);
  });

  test("without a checkpoint, and without a word of a batch, has rebuilt whatever that may have counted", async () => {
    await logged(ofShop("paged", 1, { occurred_at: OLD_MS }));
    await shard.writePages();
    const lastMs = NOON_MS - DAY_MS;
    await logged(ofShop("last", 2, { occurred_at: lastMs }));
    vi.setSystemTime(NOON_MS + 3 * HOUR_MS);
    await logged(ofShop("next", 1));
    await shard.sql("UPDATE checkpoint SET seq = seq - 1");
    await shard.sql("UPDATE journal SET windows = '1' WHERE seq = (SELECT max(seq) - 1 FROM journal)");
    await shard.evict();
    await rebuild();
    const [windows] = await numbers();
    expect(windows?.find((row) => Number(row.window_start) * 1000 === lastMs)?.payments_count).toBe(2);
  });

  test("before the first checkpoint has also what its first batch counted rebuilt, whenever the next one came", async () => {
    const lastMs = NOON_MS - DAY_MS;
    await logged(ofShop("last", 2, { occurred_at: lastMs }));
    vi.setSystemTime(NOON_MS + 2 * WINDOW_MS);
    await logged(ofShop("next", 1));
    await shard.sql("DELETE FROM journal WHERE seq = 1");
    await shard.evict();
    await rebuild();
    const [windows] = await numbers();
    expect(windows?.find((row) => Number(row.window_start) * 1000 === lastMs)?.payments_count).toBe(2);
  });

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
    await expectDamaged();
    expect(String(reported)).toContain("damage could not be noted");
    await shard.sql("DROP TRIGGER full");
    await expectRebuilt(before);
  });

  test("that could not be noted is noted by the next checkpoint, after which its rows are not read any more", async () => {
    await threeRows();
    await damage("journal", "batch", "seq = 2");
    await shard.sql("CREATE TRIGGER full BEFORE INSERT ON damaged BEGIN SELECT RAISE(FAIL, 'disk is full'); END");
    await shard.evict();
    await expectDamaged();
    await shard.sql("DROP TRIGGER full");
    // By then neither of the two is recent any more.
    const laterMs = NOON_MS + 3 * HOUR_MS;
    vi.setSystemTime(laterMs);
    for (let i = 0; i < JOURNAL_SLOTS; i++) {
      await shard.apply(ofShop(`elsewhere-${i}`, 1, { occurred_at: laterMs }));
    }
    await shard.evict();
    await expectDamaged();
    expect(await shard.sql("SELECT window FROM damaged ORDER BY window")).toEqual(
      [OLD_MS, NOON_MS].map((startMs) => ({ window: startMs / WINDOW_MS })),
    );
    await rebuild();
    const [windows] = await numbers();
    // OLD_MS is the other's; the shop has what stands elsewhere, and all nine of noon.
    expect(windows?.map((row) => row.payments_count)).toEqual([9, JOURNAL_SLOTS]);
  });
});
