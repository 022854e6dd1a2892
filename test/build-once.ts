import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { buildWorkers } from "../scripts/build.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the Workers' bundles stand, built once for all system tests. */
    bundleDir: string;
    /** For those that `durableBundles` builds. */
    durableBundleDir: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const bundleDir = await mkdtemp(join(tmpdir(), "tally-bundles-"));
  await buildWorkers(bundleDir);
  project.provide("bundleDir", bundleDir);
  project.provide("durableBundleDir", join(bundleDir, "durable"));
  return () => rm(bundleDir, { recursive: true, force: true });
}
