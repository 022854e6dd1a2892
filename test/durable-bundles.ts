import { existsSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { buildDurableWorkers } from "../scripts/durable-queues/bundle.ts";

/** Where the Workers' bundles for the durable stand-in stand, built by the first test that asks for them. Tests run one file at a time. */
export async function durableBundles(): Promise<string> {
  const dir = inject("durableBundleDir");
  if (!existsSync(join(dir, "ingest", "index.js"))) await buildDurableWorkers(dir);
  return dir;
}
