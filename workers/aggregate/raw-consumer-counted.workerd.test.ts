import { evictDurableObject } from "cloudflare:test";
import { drizzle } from "drizzle-orm/d1";
import { describe, expect, test, vi } from "vitest";
import { windowStart } from "../../shared/window.ts";
import { lateWindows } from "../directory/schema.ts";
import { HOUR_MS, NOON_MS, payment, payments } from "./sample-payments.ts";
import {
  applyDirectly,
  archived,
  counted,
  messageOf,
  nextMerchant,
  nextToken,
  openLog,
  QUEUE,
  shardNameOf,
  watchedShards,
} from "./test-log.ts";
import { deliver } from "./test-queue.ts";
import { workerEnv } from "./test-shard.ts";

openLog();

describe("what ingest had counted directly", () => {
  test("is not sent to the shard again: the message is archived and acknowledged, and asks nothing but whether it was counted", async () => {
    const merchant = nextMerchant();
    const events = payments("a", 3, { merchant_id: merchant });
    const token = nextToken();
    await applyDirectly(merchant, events, token);
    const message = messageOf(events, token);
    const { calls, broken } = watchedShards();
    expect(await deliver(QUEUE, [message], broken)).toEqual({ acknowledged: [message.id], retried: {} });
    expect(calls).toEqual(["counted 1"]);
    expect(await counted(merchant)).toBe(3);
    expect(await archived(merchant)).toEqual(["a-0", "a-1", "a-2"]);
  });

  test("is sent alone where only others were: those of the same shard that the log brings too are still counted", async () => {
    const merchant = nextMerchant();
    const token = nextToken();
    const direct = payments("direct", 3, { merchant_id: merchant });
    await applyDirectly(merchant, direct, token);
    const messages = [
      messageOf(payments("other", 2, { merchant_id: merchant }), nextToken()),
      messageOf(direct, token),
      messageOf(payments("async", 4, { merchant_id: merchant })),
    ];
    const { calls, broken } = watchedShards();
    expect((await deliver(QUEUE, messages, broken)).acknowledged).toEqual(messages.map(({ id }) => id));
    expect(calls).toEqual(["counted 2", "apply 6"]);
    expect(await counted(merchant)).toBe(9);
  });

  test("of a request that asked two shards, one of which failed, is sent to that one alone", async () => {
    const one = nextMerchant();
    let other = nextMerchant();
    while ((await shardNameOf(other)) === (await shardNameOf(one))) other = nextMerchant();
    const token = nextToken();
    const own = payments("a", 2, { merchant_id: one });
    await applyDirectly(one, own, token);
    const message = messageOf([...payments("b", 3, { merchant_id: other }), ...own], token);
    const { calls, broken } = watchedShards();
    expect((await deliver(QUEUE, [message], broken)).acknowledged).toEqual([message.id]);
    expect(calls.sort()).toEqual(["apply 3", "counted 1", "counted 1"]);
    expect([await counted(one), await counted(other)]).toEqual([2, 3]);
  });

  test("has its windows noted for a rebuild when the log brings it so late that they may have been rebuilt without it", async () => {
    const merchant = nextMerchant();
    const events = payments("a", 2, { merchant_id: merchant });
    const token = nextToken();
    await applyDirectly(merchant, events, token);
    vi.setSystemTime(NOON_MS + 25 * HOUR_MS);
    const message = messageOf(events, token);
    expect((await deliver(QUEUE, [message])).acknowledged).toEqual([message.id]);
    const noted = await drizzle(workerEnv.DIRECTORY).select().from(lateWindows);
    expect(noted.filter(({ merchantId }) => merchantId === merchant)).toMatchObject([{ windowStart: NOON_MS }]);
  });

  test("is sent once more when something in it was late, so that the late window is noted", async () => {
    const merchant = nextMerchant();
    const occurred_at = NOON_MS - 30 * HOUR_MS;
    // A merchant whose late window is the same shard's.
    expect(await shardNameOf(merchant, windowStart(occurred_at))).toBe(await shardNameOf(merchant));
    const token = nextToken();
    const events = [
      ...payments("a", 2, { merchant_id: merchant }),
      payment({ event_id: "late", merchant_id: merchant, occurred_at }),
    ];
    await applyDirectly(merchant, events, token);
    const message = messageOf(events, token);
    const { calls, broken } = watchedShards();
    expect((await deliver(QUEUE, [message], broken)).acknowledged).toEqual([message.id]);
    expect(calls).toEqual(["counted 1", "apply 3"]);
    expect(await counted(merchant)).toBe(2);
    const noted = (await drizzle(workerEnv.DIRECTORY).select().from(lateWindows)).filter(
      (row) => row.merchantId === merchant,
    );
    expect(noted.map((row) => row.windowStart)).toEqual([windowStart(occurred_at)]);
  });

  test("is counted once when the shard was evicted meanwhile, remembered or not", async () => {
    const merchant = nextMerchant();
    const token = nextToken();
    const events = payments("a", 3, { merchant_id: merchant });
    await applyDirectly(merchant, events, token);
    await applyDirectly(merchant, events, token);
    const { SHARD } = workerEnv;
    await evictDurableObject(SHARD.get(SHARD.idFromName(await shardNameOf(merchant))));
    const message = messageOf(events, token);
    expect((await deliver(QUEUE, [message])).acknowledged).toEqual([message.id]);
    expect(await counted(merchant)).toBe(3);
  });

  test("is sent once more when a shard does not say whether it was counted", async () => {
    const merchant = nextMerchant();
    const token = nextToken();
    const events = payments("a", 3, { merchant_id: merchant });
    await applyDirectly(merchant, events, token);
    const { calls, broken } = watchedShards();
    const { get } = broken.SHARD;
    const silent = {
      ...broken.SHARD,
      get: (name: string) => ({
        ...get(name),
        counted: async () => {
          throw new Error("overloaded");
        },
      }),
    };
    const message = messageOf(events, token);
    expect((await deliver(QUEUE, [message], { SHARD: silent })).acknowledged).toEqual([message.id]);
    expect(calls).toEqual(["apply 3"]);
    expect(await counted(merchant)).toBe(3);
  });
});
