import { join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_DIR } from "./build.ts";

export const HELP = `Starts Tally on this machine: a real ClickHouse, the three Workers in workerd, demo merchants and live payments.

  npm start [-- OPTIONS]

  --quiet            no demo payments (the demo merchants and keys are there all the same)
  --no-history       no past of the demo merchants but the last day
  --history-days N   days of past that the first start makes, 1 to 365; default 56
  --state DIR        where everything is kept between starts (default .tally)
  --bundles DIR      where the Workers are built already, as "bundles" in the state folder of an earlier start; built unless given
  --ingest-port N    default 8787
  --api-port N       default 8788
  --clickhouse-port N  default 8123
  --help             this text

Ctrl-C stops all of it. The next start goes on where this one ends. To start afresh, remove the state folder.
`;

const HISTORY_DAYS_MAX = 365;

export interface StartOptions {
  readonly quiet: boolean;
  /** 0 for none. */
  readonly historyDays: number;
  readonly stateDir: string;
  /** Workers that are built already. */
  readonly bundleDir: string | undefined;
  readonly ports: { readonly ingest: number; readonly api: number; readonly clickhouse: number };
}

/** What the command line asks for; `undefined` for help. Throws with a sentence on what is wrong. */
export function parseStartOptions(args: readonly string[]): StartOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quiet: { type: "boolean", default: false },
      "no-history": { type: "boolean", default: false },
      "history-days": { type: "string", default: "56" },
      state: { type: "string", default: join(PROJECT_DIR, ".tally") },
      bundles: { type: "string" },
      "ingest-port": { type: "string", default: "8787" },
      "api-port": { type: "string", default: "8788" },
      "clickhouse-port": { type: "string", default: "8123" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const days = parseNumber("history-days", values["history-days"], 1, HISTORY_DAYS_MAX);
  return {
    quiet: values.quiet,
    historyDays: values["no-history"] ? 0 : days,
    stateDir: values.state,
    bundleDir: values.bundles,
    ports: {
      ingest: parseNumber("ingest-port", values["ingest-port"], 0, 65_535),
      api: parseNumber("api-port", values["api-port"], 0, 65_535),
      clickhouse: parseNumber("clickhouse-port", values["clickhouse-port"], 0, 65_535),
    },
  };
}

function parseNumber(name: string, text: string, min: number, max: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max)) throw new Error(`--${name} is a number, ${min} to ${max}, not ${text}`);
  return number;
}
