import { join } from "node:path";

export { type Bundle, bundleEntries, REAL_ENTRIES } from "../scripts/bundle-entry.ts";

export const BENCH_WORKERS_DIR = join(import.meta.dirname, "workers");
