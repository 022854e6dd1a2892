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

/** Of this process: each project has modules of its own, and would build its own. */
const shared = globalThis as { tallyBundles?: Promise<string> };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.tallyBundles ??= build();
  const bundleDir = await shared.tallyBundles;
  project.provide("bundleDir", bundleDir);
  project.provide("durableBundleDir", join(bundleDir, "durable"));
  return () => rm(bundleDir, { recursive: true, force: true });
}

async function build(): Promise<string> {
  const bundleDir = await mkdtemp(join(tmpdir(), "tally-bundles-"));
  await buildWorkers(bundleDir);
  return bundleDir;
}
