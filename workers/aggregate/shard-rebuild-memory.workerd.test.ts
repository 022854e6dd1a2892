import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import type { Env } from "./env.ts";
import { REBUILD_OBJECTS_PER_ALARM, ROOM_WAIT_MS } from "./rebuild.ts";
import { TURN_MS, turnOf } from "./rebuild-turn.ts";
import { bytesOf, HOUR_MS } from "./sample-payments.ts";
import { Shard } from "./shard.ts";
import { logged, numbers, OLD_MS, ofShop, openShards, pageOf, reported, shard, WINDOW_MS } from "./test-damage.ts";
import { TestShard, workerEnv } from "./test-shard.ts";

const EVENTS = 400;
const WINDOWS = { send: async () => {}, sendBatch: async () => {} };
/** All windows of an hour, and one of the hour before it, which knows of moved repeats. */
const WINDOWS_OF_HOUR = [0, 1, 2, 3, 4, 5].map((n) => OLD_MS + n * WINDOW_MS);
const NEAR_MS = OLD_MS - WINDOW_MS;

openShards();

const eventsOf = (startMs: number) => ofShop(`w${startMs}`, EVENTS, { occurred_at: startMs });

/** Windows in pages, and the hour's six damaged. */
async function damagedHour(): Promise<void> {
  for (const startMs of [NEAR_MS, ...WINDOWS_OF_HOUR]) await logged(eventsOf(startMs));
  // Repeats that moved from one of them to another.
  const [first = expect.fail()] = eventsOf(WINDOWS_OF_HOUR[4] ?? 0);
  await logged([{ ...first, occurred_at: WINDOWS_OF_HOUR[5] ?? 0 }]);
  await shard.writePages();
}

async function loseHour(): Promise<void> {
  await shard.sql(`UPDATE page SET data = zeroblob(12) WHERE ${WINDOWS_OF_HOUR.map(pageOf).join(" OR ")}`);
}

/** Runs a shard with these limits on the storage of the one under test. */
async function limited<T>(limits: Partial<Env>, use: (shard: Shard, env: Env) => Promise<T>): Promise<T> {
  const env = { ...workerEnv, WINDOWS, ...limits } as unknown as Env;
  return await runInDurableObject(shard.stub, async (_, state) => await use(new Shard(state, env), env));
}

/** Has the damage noticed: what is refused is one window's. */
function notice(small: Shard): void {
  for (const startMs of WINDOWS_OF_HOUR) {
    expect(() => small.apply(bytesOf(eventsOf(startMs).slice(0, 1)))).toThrow("is being rebuilt");
  }
}

const rebuilt = () => reported.map(String).filter((line) => line.includes("windows rebuilt from the archive")).length;

describe("a rebuild", () => {
  test("counts as many windows at a time as its memory may have, and comes to the same", async () => {
    await damagedHour();
    const before = await numbers();
    await loseHour();
    await limited({ REBUILD_BYTES_MAX: "20000" }, async (small) => {
      notice(small);
      for (let rings = 0; small.status().damaged > 0; rings++) {
        if (rings > 20) throw new Error(`still damaged; ${reported}`);
        await small.alarm();
      }
    });
    expect(rebuilt()).toBeGreaterThan(1);
    await shard.evict();
    expect(await numbers()).toEqual(before);
  });

  test("has its part of the shard's memory, in which the windows that are asked take turns", async () => {
    await damagedHour();
    const before = await numbers();
    await loseHour();
    const most = 45_000;
    await limited({ RESIDENT_BYTES_MAX: "0", SHARD_BYTES_MAX: String(most) }, async (small) => {
      notice(small);
      for (let rings = 0; small.status().damaged > 0; rings++) {
        if (rings > 20) throw new Error(`still damaged; ${reported}`);
        await small.alarm();
        expect(small.status().bytes).toBeLessThanOrEqual(most);
      }
    });
    expect(rebuilt()).toBeGreaterThan(1);
    await shard.evict();
    expect(await numbers()).toEqual(before);
  });

  test("is let go of for a batch that does not fit beside it, and goes on once there is room", async () => {
    await damagedHour();
    // More objects than one alarm reads.
    for (let n = 0; n < REBUILD_OBJECTS_PER_ALARM; n++) await logged(ofShop(`o${n}`, 1, { occurred_at: OLD_MS }));
    await shard.writePages();
    const before = await numbers();
    await shard.evict();
    await loseHour();
    const now = ofShop("now", 2_000);
    await limited({ RESIDENT_BYTES_MAX: "0", SHARD_BYTES_MAX: "90000" }, async (small) => {
      notice(small);
      await small.alarm();
      expect(small.status().bytes).toBeGreaterThan(50_000);
      expect([...small.apply(bytesOf(now))]).toEqual(now.map(() => STATUS.accepted));
      expect([...small.apply(bytesOf(ofShop("more", 1)))]).toEqual([STATUS.accepted]);
      expect(String(reported)).toContain("a rebuild waits for room in memory");
      expect(small.status()).toMatchObject({ damaged: 6 });
      await small.alarm();
      expect(rebuilt()).toBe(0);
      // What is recent leaves memory in time.
      vi.setSystemTime(Date.now() + 3 * HOUR_MS + ROOM_WAIT_MS);
      for (let rings = 0; small.status().damaged > 0; rings++) {
        if (rings > 20) throw new Error(`still damaged; ${reported}`);
        await small.alarm();
      }
    });
    await shard.evict();
    const [[nowRow, ...rows] = [], others] = [(await numbers())[0]?.toReversed() ?? [], before[1]];
    expect(nowRow).toMatchObject({ payments_count: now.length + 1 });
    expect([rows.toReversed(), others]).toEqual(before);
  });

  test("waits for its turn while another shard of the isolate has one, which a shard that is gone loses", async () => {
    await damagedHour();
    const before = await numbers();
    await loseHour();
    const another = new TestShard("shard-62");
    await limited({}, async (small, env) => {
      notice(small);
      expect(turnOf(env).take(another.stub.id.toString(), true, Date.now())).toBe(true);
      await small.alarm();
      expect(small.status().damaged).toBe(6);
      vi.setSystemTime(Date.now() + TURN_MS);
      await small.alarm();
      expect(small.status().damaged).toBe(0);
      expect(turnOf(env).take(another.stub.id.toString(), true, Date.now())).toBe(true);
    });
    await shard.evict();
    expect(await numbers()).toEqual(before);
  });
});

test("shards of an isolate share their bindings, by which they take turns", async () => {
  const envs: object[] = [];
  for (const name of ["shard-60", "shard-61"]) {
    await runInDurableObject(new TestShard(name).stub, (instance) => {
      envs.push((instance as unknown as { env: object }).env);
    });
  }
  expect(envs[0]).toBe(envs[1]);
});
