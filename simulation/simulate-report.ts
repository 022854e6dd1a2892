import { createHash } from "node:crypto";
import type { SeedOutcome } from "./seed-order.ts";
import type { SimulateCommand } from "./simulate-options.ts";

/** Lines of a failing trace that are shown when not all are asked for. */
const TRACE_LINES = 40;

/** What a simulation came to, as `--json` prints it. */
export interface SimulateReport {
  readonly first_seed: number;
  readonly seeds: number;
  readonly steps: number;
  /** Seeds that were run to their end without a violation. */
  readonly passed: number;
  readonly failures: readonly { readonly seed: number; readonly steps: number; readonly failure: string }[];
  /** Of the traces of all seeds, in their order: the same command gives the same. */
  readonly digest: string;
  readonly seconds: number;
}

export function reportOf(
  { firstSeed, seeds, steps }: SimulateCommand,
  outcomes: readonly SeedOutcome[],
  seconds: number,
): SimulateReport {
  const ordered = [...outcomes].sort((a, b) => a.seed - b.seed);
  return {
    first_seed: firstSeed,
    seeds,
    steps,
    passed: ordered.filter(({ failure }) => failure === undefined).length,
    failures: ordered.flatMap(({ seed, steps, failure }) => (failure === undefined ? [] : [{ seed, steps, failure }])),
    digest: createHash("sha256")
      .update(ordered.map(({ seed, digest }) => `${seed} ${digest}`).join("\n"))
      .digest("hex"),
    seconds: Math.round(seconds * 10) / 10,
  };
}

/** A failing seed for people: what is wrong, how it came to that, and how to see it again. */
export function describeFailure(outcome: SeedOutcome, command: SimulateCommand): string {
  const { seed, steps, failure = "", trace = [] } = outcome;
  const shown = command.trace ? trace : trace.slice(-TRACE_LINES);
  const plant = command.plant === undefined ? "" : ` --plant ${command.plant}`;
  return [
    `seed ${seed} fails after ${steps} steps: ${failure}`,
    ...(shown.length < trace.length ? [`  … ${trace.length - shown.length} lines before`] : []),
    ...shown.map((line) => `  ${line}`),
    `again: npm run simulate -- --seed ${seed} --seeds 1 --steps ${steps}${plant}`,
    "",
  ].join("\n");
}

export function describeTrace({ seed, trace = [] }: SeedOutcome): string {
  return `seed ${seed}:\n${trace.map((line) => `  ${line}\n`).join("")}`;
}

export function describeReport({ passed, seeds, steps, failures, seconds }: SimulateReport): string {
  const rest = seeds - passed - failures.length;
  const parts = [
    `${passed} of ${seeds} seeds × ${steps} steps without a violation`,
    ...(failures.length > 0 ? [`${failures.length} failed`] : []),
    ...(rest > 0 ? [`${rest} not run`] : []),
    `${seconds} s`,
  ];
  return `${parts.join(", ")}\n`;
}
