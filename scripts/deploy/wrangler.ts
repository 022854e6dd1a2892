import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PROJECT_DIR, type WorkerName } from "../build.ts";

/** What wrangler prints is kept up to here, to be shown when it fails. */
const OUTPUT_CHARS_MAX = 20_000;

export interface Wrangler {
  /** Of the account, in the project's folder: paths in it are relative to that. */
  readonly configFile: string;
  readonly token: string;
  readonly accountId: string;
  readonly apiUrl: string | undefined;
}

/** Bundles a Worker as a deployment would, and uploads nothing. Needs no account. */
export async function checkBuild(configFile: string, worker: WorkerName): Promise<void> {
  await run(["deploy", "--dry-run", "-e", worker, "-c", configFile], {});
}

/** Uploads a Worker, with secrets that it does not have yet. */
export async function deployWorker(
  wrangler: Wrangler,
  worker: WorkerName,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "tally-secrets-"));
  try {
    const file = join(dir, "secrets.json");
    await writeFile(file, JSON.stringify(secrets), { mode: 0o600 });
    const given = Object.keys(secrets).length === 0 ? [] : ["--secrets-file", file];
    await run(["deploy", "-e", worker, "-c", wrangler.configFile, ...given], environmentOf(wrangler));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Applies the migrations that the account's database has not had. */
export async function migrateDirectory(wrangler: Wrangler, database: string): Promise<void> {
  const args = ["d1", "migrations", "apply", database, "--remote", "-e", "api", "-c", wrangler.configFile];
  await run(args, environmentOf(wrangler));
}

function environmentOf({ token, accountId, apiUrl }: Wrangler): Record<string, string> {
  return {
    CLOUDFLARE_API_TOKEN: token,
    CLOUDFLARE_ACCOUNT_ID: accountId,
    ...(apiUrl === undefined ? {} : { CLOUDFLARE_API_BASE_URL: apiUrl }),
  };
}

async function run(args: readonly string[], environment: Record<string, string>): Promise<void> {
  const wrangler = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin", "wrangler.js");
  const child = spawn(process.execPath, [wrangler, ...args], {
    cwd: PROJECT_DIR,
    // `CI`: asks no questions.
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true", NO_COLOR: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      output = (output + text).slice(-OUTPUT_CHARS_MAX);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`wrangler ${args.slice(0, 3).join(" ")} ended with ${code}:\n${output.trim()}`);
}
