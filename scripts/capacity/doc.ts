import { type Capacity, capacity } from "./capacity.ts";
import { n } from "./item.ts";
import { type CapacityOptions, parseCapacityCommand } from "./options.ts";
import { capacityText } from "./print.ts";

const RUN = /^```\n\$ npm run capacity(?: -- (?<args>.*))?\n(?:[\s\S]*?\n)??```$/gm;
/** A table of runs: its first column is the options of a row, on top of the comment's; its other columns are named after figures. */
const TABLE = /^<!-- npm run capacity --(?<base>.*)-->\n(?<head>\|.*\n\|[-:| ]+\n)(?<rows>(?:\|.*(?:\n|$))+)/gm;

/** The page with every run and every table of runs as the command puts them out today. */
export function refreshed(markdown: string): string {
  return markdown
    .replaceAll(RUN, (block, args: string | undefined) => {
      const { options, result } = run(args ?? "");
      return `${block.slice(0, block.indexOf("\n", 4))}\n${capacityText(options, result)}\`\`\``;
    })
    .replaceAll(TABLE, (_, base: string, head: string, rows: string) => {
      const columns = cellsOf(head.slice(0, head.indexOf("\n"))).slice(1);
      const filled = rows
        .trimEnd()
        .split("\n")
        .map((row) => filledRow(base, columns, row));
      return `<!-- npm run capacity --${base}-->\n${head}${filled.join("\n")}\n`;
    });
}

function filledRow(base: string, columns: readonly string[], row: string): string {
  const [label = ""] = cellsOf(row);
  const args = /`(?<args>--[^`]*)`/.exec(label)?.groups?.args ?? "";
  const { result } = run(`${base} ${args}`);
  const cells = columns.map((column) => figureOf(result, column.replaceAll("`", "")));
  return `| ${[label, ...cells].join(" | ")} |`;
}

function figureOf({ items }: Capacity, name: string): string {
  if (name === "broken") return String(items.filter(({ broken }) => broken).length);
  const item = items.find((other) => other.name === name);
  if (item === undefined) throw new Error(`no figure ${name}`);
  return n(item.value);
}

function cellsOf(row: string): string[] {
  return row
    .slice(1, row.lastIndexOf("|"))
    .split("|")
    .map((cell) => cell.trim());
}

function run(args: string): { options: CapacityOptions; result: Capacity } {
  const parsed = parseCapacityCommand(args.split(" ").filter((word) => word !== ""));
  if (!("command" in parsed)) throw new Error("wrong" in parsed ? parsed.wrong : "help is no run");
  const { options } = parsed.command;
  return { options, result: capacity(options) };
}
