import { parseArgs } from "node:util";
import { GIVEN } from "./given.ts";
import { KNOBS } from "./knobs.ts";
import type { OptionSpec } from "./option-spec.ts";
import { LIMITS, PRICES } from "./platform.ts";

export const OPTIONS = { ...GIVEN, ...KNOBS };

type Name = keyof typeof OPTIONS;
/** Worked out when nobody says. */
type Derived = "shards" | "largest-merchant-share";

/** What the arithmetic starts from, by the options' names. */
export type CapacityOptions = { readonly [name in Exclude<Name, Derived>]: number } & {
  readonly [name in Derived]: number | undefined;
} & {
  /** The RAW consumer archives, and sends the events on to `partitions` queues; without, ingest fills the partitions. */
  readonly repartition: boolean;
};

export type CapacityCommand = { readonly options: CapacityOptions; readonly json: boolean };

const specs = Object.entries(OPTIONS) as [Name, OptionSpec][];

export const DEFAULTS: CapacityOptions = {
  ...(Object.fromEntries(specs.map(([name, spec]) => [name, spec.default])) as Omit<CapacityOptions, "repartition">),
  repartition: false,
};

/** The command line as data: what to work out, a request for help, or one sentence on what is wrong with it. */
export function parseCapacityCommand(
  args: readonly string[],
): { command: CapacityCommand } | { help: true } | { wrong: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...Object.fromEntries(specs.map(([name]) => [name, { type: "string" as const }])),
        repartition: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return { help: true };
    const given = specs.flatMap(([name, spec]) => {
      const text = (values as Readonly<Record<string, unknown>>)[name];
      return typeof text === "string" ? [[name, numberOf(name, spec, text)]] : [];
    });
    const options = { ...DEFAULTS, ...Object.fromEntries(given), repartition: values.repartition === true };
    return { command: { options, json: values.json === true } };
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return { wrong: error.message };
    throw error;
  }
}

function numberOf(name: string, { min, max, whole = false }: OptionSpec, text: string): number {
  const number = /^\d+(\.\d+)?(e-?\d{1,2})?$/i.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max) || (whole && !Number.isInteger(number))) {
    throw new RangeError(`--${name} ${text}: a ${whole ? "whole " : ""}number from ${min} to ${max} is expected`);
  }
  return number;
}

export const HELP = `Works out what a load takes of the platform: shards, memory, calls, rows, operations and dollars a day, each with its
arithmetic, held against the platform's limits. Nothing is measured and nothing is called.

  npm run capacity -- --events-per-day 30e9 --merchants 100e6 --reads-per-second 12000 --batch 1000

Rates are means of the day; limits are held against the peak. Numbers may be written 30e9. In brackets the default, below it
where it comes from.
${[...new Set(specs.map(([, { group }]) => group))].map(helpOfGroup).join("")}
Output
  --json
      one JSON object on one line: {options, shards, usd_per_day, usd_per_billion_events, broken, items}; what is infinite is null
  --help
      this text

List prices
${Object.values(PRICES)
  .map(({ usd, per, unit, source }) => `  $${usd} for ${per.toLocaleString("en-US")} ${unit}: ${source}`)
  .join("\n")}

Limits
${Object.values(LIMITS)
  .map(({ value, unit, of, source }) => `  ${value.toLocaleString("en-US")} ${unit}, ${of}: ${source}`)
  .join("\n")}

Exit code: 0, broken limits or not; 2 wrong usage.
`;

function helpOfGroup(group: string): string {
  const own = specs.filter(([, spec]) => spec.group === group);
  const repartition =
    group === "Log"
      ? `  --repartition (no)
      let the RAW consumer archive, and send the events on to the partitions' queues in full messages (to be built)
      from: docs/capacity.md\n`
      : "";
  return `\n${group}\n${own.map(([name, spec]) => helpOf(name, spec)).join("")}${repartition}`;
}

function helpOf(name: string, { value, default: fallback, what, from }: OptionSpec): string {
  const shown = fallback === undefined ? "" : ` (${fallback.toLocaleString("en-US", { maximumFractionDigits: 6 })})`;
  return `  --${name} ${value}${shown}\n      ${what}\n      from: ${from}\n`;
}
