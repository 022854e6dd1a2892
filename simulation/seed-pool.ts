import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { SeedOrder, SeedOutcome } from "./seed-order.ts";

const SEED_PROCESS = join(import.meta.dirname, "seed-process.ts");

export interface PoolOptions {
  readonly processes: number;
  readonly plant: string | undefined;
  /** Aborted, nothing more is begun, and what runs is let go. */
  readonly signal: AbortSignal;
}

/**
 * Has processes work through orders, each one at a time, and hands over outcomes as they come. Ends with the first failure, once those
 * under way before it have ended. Rejects when a process dies.
 */
export async function runOrders(
  orders: readonly SeedOrder[],
  { processes, plant, signal }: PoolOptions,
  onOutcome: (outcome: SeedOutcome) => void,
): Promise<void> {
  const left = [...orders].reverse();
  let hasFailed = false;
  const work = async () => {
    if (left.length === 0) return;
    const child = fork(SEED_PROCESS, plant === undefined ? [] : [plant], {
      // Most of what a run makes is soon garbage, which a larger young generation collects in fewer rounds.
      execArgv: ["--max-semi-space-size=32"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    try {
      while (!(hasFailed || signal.aborted)) {
        const order = left.pop();
        if (order === undefined) break;
        const outcome = await answerOf(child, order, signal);
        if (outcome === undefined) break;
        hasFailed ||= outcome.failure !== undefined;
        onOutcome(outcome);
      }
    } finally {
      child.kill();
    }
  };
  await Promise.all(Array.from({ length: Math.min(processes, orders.length) }, work));
}

/** `undefined` once aborted. */
async function answerOf(child: ChildProcess, order: SeedOrder, signal: AbortSignal): Promise<SeedOutcome | undefined> {
  const answered = Promise.withResolvers<SeedOutcome | undefined>();
  const onExit = (code: number | null) =>
    answered.reject(new Error(`the process of seed ${order.seed} ended with ${code}`));
  const onAbort = () => answered.resolve(undefined);
  const onMessage = (outcome: SeedOutcome) => answered.resolve(outcome);
  child.once("message", onMessage).once("exit", onExit);
  signal.addEventListener("abort", onAbort);
  child.send(order);
  try {
    return await answered.promise;
  } finally {
    child.off("message", onMessage).off("exit", onExit);
    signal.removeEventListener("abort", onAbort);
  }
}
