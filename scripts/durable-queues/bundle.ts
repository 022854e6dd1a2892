import { join } from "node:path";
import { bundleEntries, REAL_ENTRIES } from "../bundle-entry.ts";

const WORKERS_DIR = join(import.meta.dirname, "workers");

/** Bundles the three Workers, their queues in the durable stand-in; otherwise as `buildWorkers`. */
export async function buildDurableWorkers(outDir: string): Promise<void> {
  await bundleEntries(outDir, [
    { worker: "ingest", entry: join(WORKERS_DIR, "ingest.ts") },
    { worker: "aggregate", entry: join(WORKERS_DIR, "aggregate.ts") },
    { worker: "api", entry: REAL_ENTRIES["tally-api"] },
  ]);
}
