import { parseArgs } from "node:util";

export const HELP = `Sends hostile requests to a whole local system, on every route and as every media type, and checks each answer and what was counted.

  npm run fuzz -- [options]

  --cases N   how many (100000)
  --seed S    what they are made of (1)
  --first I   the number of the first case (0): a long run may be done in parts
  --case I    that one case alone
  --json      print the outcome as JSON
  --help      this text

The same seed and number make the same request. Exit code: 0 nothing found, 1 something was, 2 wrong usage, 130 Ctrl-C.
After Ctrl-C the cases so far are checked and reported; again, and it ends at once, leaving its state in the folder for temporary files.
`;

export interface FuzzCommand {
  readonly cases: number;
  readonly seed: number;
  readonly first: number;
  readonly json: boolean;
}

/** The command line as data: what to do, a request for help, or one sentence on what is wrong with it. */
export function parseFuzzCommand(
  args: readonly string[],
): { readonly command: FuzzCommand } | { readonly help: true } | { readonly wrong: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        cases: { type: "string", default: "100000" },
        seed: { type: "string", default: "1" },
        first: { type: "string", default: "0" },
        case: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return { help: true };
    const one = values.case;
    return {
      command: {
        cases: one === undefined ? wholeNumber("--cases", values.cases, 1) : 1,
        seed: wholeNumber("--seed", values.seed, 0),
        first: one === undefined ? wholeNumber("--first", values.first, 0) : wholeNumber("--case", one, 0),
        json: values.json,
      },
    };
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return { wrong: error.message };
    throw error;
  }
}

const NUMBER_MAX = 2 ** 31;

function wholeNumber(option: string, text: string, min: number): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= NUMBER_MAX))
    throw new RangeError(`${option} ${text}: a whole number from ${min} on`);
  return number;
}
