import { parseArgs } from "node:util";
import { PLANTS } from "./plants.ts";

export const HELP = `Runs all of Tally over simulated storage, queues, clocks and network, with everything going wrong that may, and checks what it says.

  npm run simulate -- [options]

  --seeds N      how many seeds (200)
  --seed S       the first of them (1)
  --steps M      steps each (500)
  --processes P  seeds at a time (one a core)
  --no-shrink    do not look for the shortest failing prefix
  --trace        print whole traces, of what does not fail, too
  --json         print the outcome as JSON
  --plant NAME   plant a bug, to see it found: ${PLANTS.map(({ name }) => name).join(", ")}
  --help         this text

The same seed and steps give the same run. It ends with the first seed that fails: its shortest failing prefix, the end of the trace, and the
command that repeats it. Exit code: 0 no violation, 1 a seed failed, 2 wrong usage, 130 Ctrl-C.
`;

export interface SimulateCommand {
  readonly seeds: number;
  readonly firstSeed: number;
  readonly steps: number;
  readonly processes: number;
  readonly shrink: boolean;
  readonly trace: boolean;
  readonly json: boolean;
  readonly plant: string | undefined;
}

/** The command line as data: what to do, a request for help, or one sentence on what is wrong with it. */
export function parseSimulateCommand(
  args: readonly string[],
  cores: number,
): { readonly command: SimulateCommand } | { readonly help: true } | { readonly wrong: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      allowNegative: true,
      options: {
        seeds: { type: "string", default: "200" },
        seed: { type: "string", default: "1" },
        steps: { type: "string", default: "500" },
        processes: { type: "string", default: String(cores) },
        shrink: { type: "boolean", default: true },
        trace: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        plant: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return { help: true };
    if (values.plant !== undefined && !PLANTS.some(({ name }) => name === values.plant)) {
      throw new RangeError(`--plant ${values.plant}: one of ${PLANTS.map(({ name }) => name).join(", ")}`);
    }
    return {
      command: {
        seeds: wholeNumber("--seeds", values.seeds, 1, 10_000_000),
        firstSeed: wholeNumber("--seed", values.seed, 0, 2 ** 31),
        steps: wholeNumber("--steps", values.steps, 0, 1_000_000),
        processes: wholeNumber("--processes", values.processes, 1, 64),
        shrink: values.shrink,
        trace: values.trace,
        json: values.json,
        plant: values.plant,
      },
    };
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return { wrong: error.message };
    throw error;
  }
}

function wholeNumber(option: string, text: string, min: number, max: number): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max))
    throw new RangeError(`${option} ${text}: a whole number from ${min} to ${max}`);
  return number;
}
