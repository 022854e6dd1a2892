import { execFile } from "node:child_process";
import { mkdir, rename } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { PROJECT_DIR, type WorkerName, WRANGLER_CONFIG } from "./build.ts";

/** The real Workers, by the names under which an entry that stands in for one can import them (`tally.d.ts`). */
export const REAL_ENTRIES = {
  "tally-ingest": join(PROJECT_DIR, "workers/ingest/index.ts"),
  "tally-aggregate": join(PROJECT_DIR, "workers/aggregate/index.ts"),
  "tally-api": join(PROJECT_DIR, "workers/api/index.ts"),
} as const;

/** What stands in for the `main` of an environment, with that environment's bindings. */
export interface Bundle {
  readonly worker: WorkerName;
  readonly entry: string;
}

/** Bundles as a deploy would, each into `outDir/<worker>/index.js`, where the runtime looks for it. Throws with wrangler's words. */
export async function bundleEntries(outDir: string, bundles: readonly Bundle[]): Promise<void> {
  await Promise.all(bundles.map((bundle) => bundleEntry(outDir, bundle)));
}

async function bundleEntry(outDir: string, { worker, entry }: Bundle): Promise<void> {
  const dir = join(outDir, worker);
  await mkdir(dir, { recursive: true });
  const wrangler = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin", "wrangler.js");
  const args = [wrangler, "deploy", entry, "--dry-run", "-e", worker, "--outdir", dir, "--config", WRANGLER_CONFIG];
  const aliases = Object.entries(REAL_ENTRIES).flatMap(([name, path]) => ["--alias", `${name}:${path}`]);
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true", NO_COLOR: "1" };
  try {
    await promisify(execFile)(process.execPath, [...args, ...aliases], { cwd: PROJECT_DIR, env });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${entry} does not build:\n${stdout}${stderr}`);
  }
  const name = basename(entry, ".ts");
  if (name !== "index") await rename(join(dir, `${name}.js`), join(dir, "index.js"));
}
