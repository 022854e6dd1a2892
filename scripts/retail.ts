import { createWriteStream } from "node:fs";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { createGzip } from "node:zlib";
import { csvRows, decoded } from "./csv-rows.ts";
import { failureText } from "./failure-text.ts";
import { openFile } from "./open-file.ts";
import {
  invoicedMs,
  type Move,
  ontoLast24h,
  RETAIL_COLUMNS,
  type RetailRow,
  retailEvent,
  weeksForward,
  weeksUntil,
} from "./retail-event.ts";

const HELP = `Turns the UCI Online Retail data set into payment events, one a line.

  npm run retail -- FILE.csv[.gz] --out FILE.ndjson[.gz] [options]

  --out FILE           where to; gzip if it ends in .gz; - is standard output
  --onto-last-24h      move every row onto the last 24 hours before now, keeping its time of day (UTC)
  --weeks-forward N    otherwise: move rows by so many whole weeks (default: the last row ends up in the week before now)
  --now TIME           take this for now, such as 2026-11-23T12:00:00Z
`;

/** Lines are written this many at a time: a write for each of half a million would cost more than making them. */
const LINES_A_WRITE = 1_000;

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      out: { type: "string" },
      "onto-last-24h": { type: "boolean", default: false },
      "weeks-forward": { type: "string" },
      now: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [path] = positionals;
  if (values.help || path === undefined || values.out === undefined || positionals.length > 1) {
    (values.help ? process.stdout : process.stderr).write(HELP);
    if (!values.help) process.exitCode = 2;
    return;
  }
  const nowMs = values.now === undefined ? Date.now() : Date.parse(values.now);
  if (Number.isNaN(nowMs)) throw new RangeError(`--now ${values.now}: a time such as 2026-11-23T12:00:00Z is expected`);
  const move = values["onto-last-24h"]
    ? ontoLast24h(nowMs)
    : weeksForward(await weeksFor(values["weeks-forward"], path, nowMs));
  process.stderr.write(`${(await convert(path, values.out, move)).toLocaleString("en-US")} events\n`);
}

async function weeksFor(option: string | undefined, path: string, nowMs: number): Promise<number> {
  if (option !== undefined) {
    if (!/^\d{1,5}$/.test(option)) throw new RangeError(`--weeks-forward ${option}: a whole number is expected`);
    return Number(option);
  }
  let lastMs = Number.NEGATIVE_INFINITY;
  for await (const row of retailRows(path)) lastMs = Math.max(lastMs, invoicedMs(row));
  if (lastMs === Number.NEGATIVE_INFINITY) throw new RangeError(`${path} has no rows`);
  return weeksUntil(lastMs, nowMs);
}

/** Writes the events of all rows, in the file's order; returns how many there are. */
async function convert(path: string, out: string, move: Move): Promise<number> {
  let count = 0;
  async function* written(): AsyncGenerator<string> {
    let lines: string[] = [];
    for await (const row of retailRows(path)) {
      lines.push(`${JSON.stringify(retailEvent(row, move))}\n`);
      count += 1;
      if (lines.length < LINES_A_WRITE) continue;
      yield lines.join("");
      lines = [];
    }
    yield lines.join("");
  }
  const sink: Writable = out === "-" ? process.stdout : createWriteStream(out);
  const source = Readable.from(written());
  await (out.endsWith(".gz") ? pipeline(source, createGzip(), sink) : pipeline(source, sink));
  return count;
}

/** The rows of the file by column name, whatever order the columns are in. */
async function* retailRows(path: string): AsyncGenerator<RetailRow> {
  const { chunks } = await openFile(path);
  let at: readonly number[] | undefined;
  for await (const { fields } of csvRows(decoded(chunks))) {
    if (at === undefined) {
      at = RETAIL_COLUMNS.map((column) => fields.indexOf(column));
      const missing = RETAIL_COLUMNS.filter((_, index) => at?.[index] === -1);
      if (missing.length > 0) throw new Error(`${path} has no column ${missing.join(", ")}`);
      continue;
    }
    const places = at;
    yield Object.fromEntries(
      RETAIL_COLUMNS.map((column, index) => [column, fields[places[index] ?? -1] ?? ""]),
    ) as RetailRow;
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${failureText(error)}\n`);
  process.exitCode = 1;
}
