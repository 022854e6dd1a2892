import { loadWith } from "./module-hooks.ts";
import { NARROW_LIMITS } from "./narrow-limits.ts";
import { PLANTS } from "./plants.ts";
import type { SeedOrder, SeedOutcome } from "./seed-order.ts";
import { shortestFailingPrefix } from "./shrink.ts";
import { AT_ONCE, ISOLATE_MEMORY } from "./stand-ins.ts";

/** A process that runs seeds one after another, as it is told, and says what became of each. Its argument is a plant's name, if any. */
const plantName = process.argv[2];
const plant = PLANTS.find(({ name }) => name === plantName);
if (plantName !== undefined && plant === undefined) throw new Error(`there is no plant ${plantName}`);

/** Hundreds of errors a run are made on purpose, and where is only read in a trace. */
const STACK_LINES = 12;

const checkEdits = loadWith([...NARROW_LIMITS, ...ISOLATE_MEMORY, ...AT_ONCE, ...(plant?.edits ?? [])]);
const { run } = await import("./world/run.ts");
checkEdits();

const send = (outcome: SeedOutcome) => process.send?.(outcome);

/** Orders come one at a time. */
process.on("message", (order: SeedOrder) => {
  void obey(order);
});
process.on("disconnect", () => process.exit());
/** Ctrl-C goes to every process of a terminal; it is for the one that gives the orders to decide. */
process.on("SIGINT", () => {});

async function obey({ seed, steps, shrink, trace }: SeedOrder): Promise<void> {
  Error.stackTraceLimit = trace ? STACK_LINES : 0;
  const result = await run(seed, steps);
  const { digest } = result;
  if (result.failure === undefined) {
    send({ seed, steps, digest, ...(trace ? { trace: result.trace } : {}) });
    return;
  }
  const shortest = shrink ? await shortestFailingPrefix(result, async (prefix) => await run(seed, prefix)) : result;
  send({ seed, steps: shortest.steps, digest, failure: shortest.failure ?? result.failure, trace: shortest.trace });
}
