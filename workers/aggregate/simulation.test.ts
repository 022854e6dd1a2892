import { afterEach, beforeEach, describe, test, vi } from "vitest";
import { World } from "./simulated-world.ts";

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

const seeds = Array.from({ length: Number(process.env.SEEDS ?? 40) }, (_, i) => i + 1);

describe("whatever is lost, repeated, reordered or crashes between shard, queue and history", () => {
  test("every event is served exactly once, at every moment, and all of it is in history in the end", async () => {
    for (const seed of seeds) await run(seed, 200, 5);
  });

  test("also when an emission takes several messages, of which some arrive", async () => {
    for (const seed of seeds.slice(0, 3)) await run(seed, 120, 60, true);
  });
});
