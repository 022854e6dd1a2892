import { type ParseArgsConfig, parseArgs } from "node:util";
import { z } from "zod";

/** By name; a default that is true or false makes a switch, which `--no-` turns off. */
type Defaults = Readonly<Record<string, string | boolean>>;

/**
 * The options of a benchmark as its schema has them. Where there is nothing to run the process ends here: after the help if that was asked for,
 * with exit code 2 and a sentence if an option is wrong.
 */
export function optionsOf<Schema extends z.ZodObject>(
  usage: string,
  schema: Schema,
  defaults: Defaults,
): z.output<Schema> {
  const parsed = parse(process.argv.slice(2), schema, defaults);
  if ("options" in parsed) return parsed.options;
  if ("wrong" in parsed) {
    process.stderr.write(`${parsed.wrong}\n\n${usage}\n`);
    process.exit(2);
  }
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}

function parse<Schema extends z.ZodObject>(
  args: string[],
  schema: Schema,
  defaults: Defaults,
): { readonly options: z.output<Schema> } | { readonly help: true } | { readonly wrong: string } {
  const given = readArgs(args, declared({ ...defaults, help: false }));
  if ("wrong" in given) return given;
  if (given.values.help === true) return { help: true };
  const options = schema.safeParse(given.values);
  return options.success ? { options: options.data } : { wrong: z.prettifyError(options.error) };
}

function readArgs(
  args: string[],
  options: NonNullable<ParseArgsConfig["options"]>,
): { readonly values: Readonly<Record<string, unknown>> } | { readonly wrong: string } {
  try {
    return { values: parseArgs({ args, allowNegative: true, options }).values };
  } catch (error) {
    // An option it does not know, or one without its value.
    if (error instanceof TypeError) return { wrong: error.message };
    throw error;
  }
}

function declared(defaults: Defaults): NonNullable<ParseArgsConfig["options"]> {
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      typeof value === "boolean"
        ? { type: "boolean" as const, default: value }
        : { type: "string" as const, default: value },
    ]),
  );
}
