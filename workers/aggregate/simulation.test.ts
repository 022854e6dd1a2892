import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Env } from "./env.ts";
import { bytesOf, NOON_MS, payments } from "./sample-payments.ts";
import { SimulatedObject } from "./simulated-object.ts";
import { World } from "./simulated-world.ts";
import { Slice } from "./slice.ts";

vi.mock("cloudflare:workers", () => ({
  DurableObject: class {
    readonly ctx: unknown;
    readonly env: unknown;
    constructor(ctx: unknown, env: unknown) {
      this.ctx = ctx;
      this.env = env;
    }
  },
}));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  // Failures are what this is about; the log would be full of them.
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function run(seed: number, steps: number, checkEvery: number, isCrowded = false): Promise<void> {
  const world = new World({ seed, isCrowded, setClock: (ms) => vi.setSystemTime(ms) });
  try {
    for (let step = 0; step < steps; step++) {
      await world.step();
      if (step % checkEvery === 0) await world.check();
    }
    await world.settle();
  } catch (cause) {
    throw new Error(`seed ${seed}: ${String(cause)}\n  after\n  ${world.trace.slice(-15).join("\n  ")}`, { cause });
  }
}

const seeds = Array.from({ length: Number(process.env.SEEDS ?? 30) }, (_, i) => i + 1);

describe("whatever is lost, repeated, reordered or crashes between shard, queue and history", () => {
  test("every event is served exactly once, at every moment, and all of it is in history in the end", async () => {
    for (const seed of seeds) await run(seed, 200, 5);
  });

  test("also when an emission takes several messages, of which some arrive", async () => {
    for (const seed of seeds.slice(0, 3)) await run(seed, 120, 60, true);
  });
});

test("a batch that cannot be counted to its end leaves no row behind, which every start after it would stumble over", async () => {
  vi.setSystemTime(NOON_MS);
  const settings = { CLICKHOUSE_URL: "http://history", CLICKHOUSE_USER: "writer", CLICKHOUSE_DATABASE: "tally" };
  const secrets = { CLICKHOUSE_PASSWORD: "", IDENTITY_KEY: "00".repeat(16), CORRECTION_DELAY_MS: "0" };
  const object = new SimulatedObject({ ...settings, ...secrets } as unknown as Env);
  const broken = vi.spyOn(Slice.prototype, "count").mockImplementation(() => {
    throw new Error("a bug");
  });
  const before = await object.shard();
  expect(() => before.apply(bytesOf(payments("a", 2)))).toThrow("a bug");
  expect(object.rows("journal")).toEqual([]);
  broken.mockRestore();
  const after = await object.shard();
  expect(after).not.toBe(before);
  expect([...after.apply(bytesOf(payments("a", 2)))]).toEqual([0, 0]);
});
