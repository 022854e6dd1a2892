import { createHash } from "node:crypto";
import { checkStorage, settle } from "./settle.ts";
import { simulateGlobals } from "./simulated-globals.ts";
import { moodOf, step } from "./steps.ts";
import { World } from "./world.ts";

/** A step between two looks at what is stored. */
const CHECK_EVERY = 10;

export interface RunResult {
  readonly seed: number;
  readonly steps: number;
  /** Why the run failed; absent when everything held. */
  readonly failure?: string;
  /** Steps made when it failed; all of them when it failed in the end. */
  readonly failedAfter?: number;
  readonly trace: readonly string[];
  /** SHA-256 of the trace: two runs that did the same have the same. */
  readonly digest: string;
}

/** One run: so many steps from a seed, then everything settles and is checked. The same arguments give the same run. */
export async function run(seed: number, steps: number): Promise<RunResult> {
  const world = new World(seed);
  const restore = simulateGlobals({
    scheduler: world.scheduler,
    chance: world.chance,
    fetch: world.history.fetch,
  });
  const onStray = (reason: unknown) => world.violate(new Error("a promise nobody waits for fails", { cause: reason }));
  process.on("unhandledRejection", onStray);
  let made = 0;
  try {
    await world.prepare();
    const mood = moodOf(world);
    for (; made < steps; made++) {
      world.note(`— step ${made + 1}`);
      await step(world, mood);
      world.noteEpochs();
      if (made % CHECK_EVERY === 0) checkStorage(world);
    }
    await settle(world);
    return { seed, steps, trace: world.trace, digest: digestOf(world.trace) };
  } catch (error) {
    const failure = error instanceof Error ? describe(error) : String(error);
    const digest = digestOf(world.trace);
    const stack = error instanceof Error ? (error.stack ?? "").split("\n").slice(1) : [];
    return { seed, steps, failure, failedAfter: made, trace: [...world.trace, ...stack], digest };
  } finally {
    restore();
    process.off("unhandledRejection", onStray);
  }
}

function describe(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${describe(error.cause)}` : error.message;
}

function digestOf(trace: readonly string[]): string {
  return createHash("sha256").update(trace.join("\n")).digest("hex").slice(0, 16);
}
