import { join } from "node:path";
import { type Bundle, REAL_ENTRIES } from "../scripts/bundle-entry.ts";

export { type Bundle, bundleEntries, REAL_ENTRIES } from "../scripts/bundle-entry.ts";

export const BENCH_WORKERS_DIR = join(import.meta.dirname, "workers");

/** The three Workers as they are. */
export const REAL_BUNDLES: readonly Bundle[] = [
  { worker: "ingest", entry: REAL_ENTRIES["tally-ingest"] },
  { worker: "aggregate", entry: REAL_ENTRIES["tally-aggregate"] },
  { worker: "api", entry: REAL_ENTRIES["tally-api"] },
];
