import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

export const WORKERS = ["ingest", "aggregate", "api"] as const;
export type WorkerName = (typeof WORKERS)[number];

export const PROJECT_DIR = join(import.meta.dirname, "..");
export const WRANGLER_CONFIG = join(PROJECT_DIR, "wrangler.toml");

/** Bundles the three Workers as a deploy would, each into `outDir/<name>/index.js`. Throws with wrangler's words when one does not build. */
export async function buildWorkers(outDir: string): Promise<void> {
  await mkdir(outDir, { recursive: true });
  await Promise.all(WORKERS.map((worker) => buildWorker(worker, join(outDir, worker))));
}

async function buildWorker(worker: WorkerName, outDir: string): Promise<void> {
  const wrangler = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin", "wrangler.js");
  const args = [wrangler, "deploy", "--dry-run", "-e", worker, "--outdir", outDir, "--config", WRANGLER_CONFIG];
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true", NO_COLOR: "1" };
  try {
    await promisify(execFile)(process.execPath, args, { cwd: PROJECT_DIR, env });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`the ${worker} Worker does not build:\n${stdout}${stderr}`);
  }
}
