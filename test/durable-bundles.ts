import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { inject } from "vitest";
import { buildDurableWorkers } from "../scripts/durable-queues/bundle.ts";

/** Where the Workers' bundles for the durable stand-in stand, built by the first test that asks for them; of two that ask at the same time by both. */
export async function durableBundles(): Promise<string> {
  const dir = inject("durableBundleDir");
  if (existsSync(dir)) return dir;
  const own = `${dir}-${process.pid}`;
  await buildDurableWorkers(own);
  // In one piece, so that nobody finds half of them. If others were sooner, theirs are the same.
  await rename(own, dir).catch(() => rm(own, { recursive: true, force: true }));
  return dir;
}
