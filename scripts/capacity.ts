import { capacity } from "./capacity/capacity.ts";
import { HELP, parseCapacityCommand } from "./capacity/options.ts";
import { capacityJson, capacityText } from "./capacity/print.ts";

function main(args: readonly string[]): number {
  const parsed = parseCapacityCommand(args);
  if ("help" in parsed) {
    process.stdout.write(HELP);
    return 0;
  }
  if ("wrong" in parsed) {
    process.stderr.write(`${parsed.wrong}\nnpm run capacity -- --help says more.\n`);
    return 2;
  }
  const { options, json } = parsed.command;
  const print = json ? capacityJson : capacityText;
  process.stdout.write(print(options, capacity(options)));
  return 0;
}

process.exitCode = main(process.argv.slice(2));
