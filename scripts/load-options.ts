import { parseArgs } from "node:util";
import { eventsUrl } from "../clients/typescript/src/post-events.ts";
import { BATCH_EVENTS_MAX } from "./ndjson-batches.ts";

/** More requests at a time than this help no server that batches anyway, and each may hold one batch of 8 MB. */
export const CONCURRENCY_MAX = 64;

export const HELP = `Posts a file of payment events to Tally.

  npm run load -- FILE --url URL --key KEY [options]

  FILE                 one event a line (NDJSON), or CSV whose columns are named as an event's fields (amount, user.id, …);
                       gzip is recognised; - reads standard input
  --url URL            where ingest answers, such as http://127.0.0.1:8787
  --key KEY            a source's key; without it, the environment's TALLY_KEY
  --async              ask for an answer as soon as events are queued, before they are counted
  --batch N            events a request, 1 to ${BATCH_EVENTS_MAX} (1000)
  --concurrency N      requests at a time, 1 to ${CONCURRENCY_MAX} (8)
  --no-gzip            send requests uncompressed
  --json               print the sums as JSON instead of a table
  --errors FILE        write every error as a line of NDJSON: line, event_id, code, path, message
  --help               this text

429, 503, other 5xx and network errors are retried. Sending a file twice is harmless: events carry their ids.
Exit code: 0 all is well, 1 something was not sent (or no receipt speaks of it), 2 wrong usage, 3 all was sent but some events were rejected, 130 Ctrl-C.
`;

export type LoadCommand = {
  file: string;
  url: string;
  key: string;
  async: boolean;
  batchEvents: number;
  concurrency: number;
  gzip: boolean;
  json: boolean;
  errorsFile: string | undefined;
};

/** The command line as data: what to do, a request for help, or one sentence on what is wrong with it. */
export function parseLoadCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): { command: LoadCommand } | { help: true } | { wrong: string } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      allowNegative: true,
      options: {
        url: { type: "string" },
        key: { type: "string" },
        async: { type: "boolean", default: false },
        batch: { type: "string", default: "1000" },
        concurrency: { type: "string", default: "8" },
        gzip: { type: "boolean", default: true },
        json: { type: "boolean", default: false },
        errors: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return { help: true };
    const [file, ...more] = positionals;
    if (file === undefined) throw new RangeError("which file? give its name, or - for standard input");
    if (more.length > 0) throw new RangeError(`one file at a time: ${more.join(" ")} is too much`);
    if (values.url === undefined) throw new RangeError("where to? give --url, such as --url http://127.0.0.1:8787");
    eventsUrl(values.url);
    return {
      command: {
        file,
        url: values.url,
        key: checkedKey(values.key ?? env.TALLY_KEY),
        async: values.async,
        batchEvents: wholeNumber("--batch", values.batch, BATCH_EVENTS_MAX),
        concurrency: wholeNumber("--concurrency", values.concurrency, CONCURRENCY_MAX),
        gzip: values.gzip,
        json: values.json,
        errorsFile: values.errors,
      },
    };
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return { wrong: error.message };
    throw error;
  }
}

function checkedKey(key: string | undefined): string {
  if (key === undefined || key === "") throw new RangeError("with which key? give --key, or set TALLY_KEY");
  if (!/^[\x21-\x7e]+$/.test(key)) throw new RangeError("--key: a key has no spaces and no characters beyond ASCII");
  return key;
}

function wholeNumber(option: string, text: string, max: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > max)
    throw new RangeError(`${option} ${text}: a whole number from 1 to ${max} is expected`);
  return number;
}
