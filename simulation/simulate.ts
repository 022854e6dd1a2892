import { availableParallelism } from "node:os";
import { progressBar } from "../scripts/progress-bar.ts";
import type { SeedOutcome } from "./seed-order.ts";
import { runOrders } from "./seed-pool.ts";
import { HELP, parseSimulateCommand, type SimulateCommand } from "./simulate-options.ts";
import { describeFailure, describeReport, describeTrace, reportOf } from "./simulate-report.ts";

const parsed = parseSimulateCommand(process.argv.slice(2), availableParallelism());
if ("help" in parsed) {
  process.stdout.write(HELP);
} else if ("wrong" in parsed) {
  process.stderr.write(`${parsed.wrong}\n\n${HELP}`);
  process.exitCode = 2;
} else {
  process.exitCode = await simulate(parsed.command);
}

async function simulate(command: SimulateCommand): Promise<number> {
  const { seeds, firstSeed, steps, processes, plant, shrink, trace } = command;
  const orders = Array.from({ length: seeds }, (_, i) => ({
    seed: firstSeed + i,
    steps,
    shrink,
    trace,
  }));
  const outcomes: SeedOutcome[] = [];
  const interrupt = new AbortController();
  process.once("SIGINT", () => interrupt.abort());
  const bar = progressBar(seeds, "seeds");
  const beganMs = performance.now();
  await runOrders(orders, { processes, plant, signal: interrupt.signal }, (outcome) => {
    outcomes.push(outcome);
    bar?.update(outcomes.length);
  });
  bar?.stop();
  const report = reportOf(command, outcomes, (performance.now() - beganMs) / 1000);
  if (command.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
  } else {
    for (const outcome of outcomes) {
      if (outcome.failure !== undefined) process.stdout.write(describeFailure(outcome, command));
      else if (trace) process.stdout.write(describeTrace(outcome));
    }
    process.stdout.write(describeReport(report));
  }
  if (interrupt.signal.aborted) return 130;
  return report.failures.length > 0 ? 1 : 0;
}
