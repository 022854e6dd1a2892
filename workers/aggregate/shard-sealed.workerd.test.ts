import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import type { Env } from "./env.ts";
import { REBUILD_OBJECTS_PER_ALARM } from "./rebuild.ts";
import { bytesOf, HOUR_MS, MINUTE_MS, NOON_MS } from "./sample-payments.ts";
import { Shard } from "./shard.ts";
import {
  damage,
  logged,
  numbers,
  OLD_MS,
  ofShop,
  openShards,
  REFUSAL,
  rebuild,
  reported,
  shard,
  shop,
} from "./test-damage.ts";
import { workerEnv } from "./test-shard.ts";

const { accepted, duplicate, conflict } = STATUS;
const BATCH_EVENTS = 500;
const BATCHES = 40;
/** Twenty thousand identities take some 400 KB in memory, and 50 KB once they are sealed. */
const SMALL = { RESIDENT_BYTES_MAX: "0", SHARD_BYTES_MAX: "90000", SEALED_EVENTS_MIN: String(BATCH_EVENTS) };

openShards();

const batch = (number: number, occurred_at = NOON_MS) => ofShop(`b${number}`, BATCH_EVENTS, { occurred_at });
const numbersOf = Array.from({ length: BATCHES }, (_, number) => number);

/** Runs a small shard on the storage of the one under test. */
async function small<T>(use: (shard: Shard) => T): Promise<T> {
  return await runInDurableObject(shard.stub, (_, state) => use(new Shard(state, { ...workerEnv, ...SMALL })));
}

describe("a window with more events than fit in memory", () => {
  test("is counted in full, each event once, and knows its repeats after a restart", async () => {
    await small((small) => {
      for (const number of numbersOf) {
        expect([...small.apply(bytesOf(batch(number)))]).toEqual(Array(BATCH_EVENTS).fill(accepted));
      }
      expect(small.status().bytes).toBeLessThan(Number(SMALL.SHARD_BYTES_MAX));
      for (const number of numbersOf) {
        expect([...small.apply(bytesOf(batch(number)))]).toEqual(Array(BATCH_EVENTS).fill(duplicate));
      }
    });
    expect(await shard.rows("sealed")).toBeGreaterThan(5);
    await shard.evict();
    const { windows } = await shard.read(shop);
    expect(windows.map((row) => row.payments_count)).toEqual([BATCHES * BATCH_EVENTS]);
    for (const number of numbersOf) {
      expect(await shard.apply(batch(number))).toEqual(Array(BATCH_EVENTS).fill(duplicate));
    }
    const [first = expect.fail()] = batch(0);
    expect(await shard.apply([{ ...first, amount: 1 }])).toEqual([conflict]);
    expect(await shard.apply([{ ...first, occurred_at: NOON_MS - 20 * MINUTE_MS }])).toEqual([conflict]);
  });

  test("leaves no row behind when it leaves the shard", async () => {
    await logged(batch(0, OLD_MS));
    await shard.writePages({ SEALED_EVENTS_MIN: "1" });
    expect(await shard.rows("sealed")).toBe(2);
    await shard.catchWindows();
    await shard.ringUntilSent();
    await shard.confirmAll();
    vi.setSystemTime(NOON_MS + 25 * HOUR_MS);
    await shard.ring();
    expect(await shard.rows("page")).toBe(0);
    expect(await shard.rows("sealed")).toBe(0);
  });
});

describe("sealed identities that are damaged", () => {
  test("cost their window, which is rebuilt from the archive with each of its events once", async () => {
    for (const number of [0, 1, 2]) await logged(batch(number, OLD_MS));
    await shard.writePages({ SEALED_EVENTS_MIN: "1" });
    const before = await numbers();
    await damage("sealed", "data", "id % 128 = 0");
    await expect(shard.apply(batch(0, OLD_MS))).rejects.toThrow(REFUSAL);
    expect(String(reported)).toContain("window damaged");
    await rebuild();
    expect(await numbers()).toEqual(before);
    expect(await shard.apply([...batch(1, OLD_MS), ...ofShop("new", 1, { occurred_at: OLD_MS })])).toEqual([
      ...Array(BATCH_EVENTS).fill(duplicate),
      accepted,
    ]);
  });

  test.each(["to its end", "and ends in the middle of it"])(
    "are sealed anew while the rebuild goes on, %s",
    async (until) => {
      const objects = Array.from({ length: REBUILD_OBJECTS_PER_ALARM + 1 }, (_, n) => `o${n}`);
      for (const name of objects) await logged(ofShop(name, 5, { occurred_at: OLD_MS }));
      await shard.writePages({ SEALED_EVENTS_MIN: "1" });
      const before = await numbers();
      await shard.sql("DELETE FROM sealed");
      const first = ofShop("o0", 5, { occurred_at: OLD_MS });
      await expect(shard.apply(first)).rejects.toThrow(REFUSAL);
      await runInDurableObject(shard.stub, async (_, state) => {
        const WINDOWS = { send: async () => {}, sendBatch: async () => {} };
        const small = new Shard(state, { ...workerEnv, WINDOWS, SEALED_EVENTS_MIN: "50" } as unknown as Env);
        await small.alarm();
        const sealed = state.storage.sql.exec("SELECT count(*) AS n FROM sealed").one().n;
        // A part and a filter.
        expect(sealed).toBe(2);
        if (until === "to its end") await small.alarm();
      });
      await shard.evict();
      await rebuild();
      expect(await numbers()).toEqual(before);
      for (const name of objects) {
        expect(await shard.apply(ofShop(name, 5, { occurred_at: OLD_MS }))).toEqual(Array(5).fill(duplicate));
      }
    },
  );

  test("begin their rebuild anew when it has sealed them itself", async () => {
    for (let n = 0; n <= REBUILD_OBJECTS_PER_ALARM; n++) await logged(ofShop(`o${n}`, 5, { occurred_at: OLD_MS }));
    // The same once more, in the object that the second alarm reads.
    await logged(ofShop("o0", 5, { occurred_at: OLD_MS }));
    await shard.writePages({ SEALED_EVENTS_MIN: "1" });
    const before = await numbers();
    await damage("sealed", "data", "id % 128 = 0");
    await expect(shard.apply(ofShop("o0", 5, { occurred_at: OLD_MS }))).rejects.toThrow(REFUSAL);
    await runInDurableObject(shard.stub, async (_, state) => {
      const WINDOWS = { send: async () => {}, sendBatch: async () => {} };
      const small = new Shard(state, { ...workerEnv, WINDOWS, SEALED_EVENTS_MIN: "50" } as unknown as Env);
      await small.alarm();
      state.storage.sql.exec("UPDATE sealed SET data = zeroblob(12) WHERE id % 128 <> 127");
      await small.alarm();
      expect(String(reported)).toContain("what the rebuild has sealed is damaged");
      await small.alarm();
      await small.alarm();
      expect(state.storage.sql.exec("SELECT count(*) AS n FROM damaged").one().n).toBe(0);
    });
    await shard.evict();
    expect(await numbers()).toEqual(before);
  });
});
