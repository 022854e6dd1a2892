import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { PROJECT_DIR } from "../build.ts";
import type { Remembered } from "./options.ts";
import type { Config } from "./wanted.ts";

/** Not in git. */
const DEPLOY_DIR = process.env.TALLY_DEPLOY_DIR ?? join(PROJECT_DIR, ".deploy");
/** In the project's folder, since the paths in it are relative to where it stands. Not in git. */
const DEPLOY_CONFIG = process.env.TALLY_DEPLOY_CONFIG ?? "wrangler.deploy.json";
const PLAN_CONFIG = "wrangler.plan.json";

const rememberedSchema = z.object({
  clickhouseUrl: z.string().optional(),
  database: z.string().optional(),
  ingestUrl: z.string().optional(),
  apiUrl: z.string().optional(),
});
const secretsSchema = z.record(z.string(), z.string());

/** What stands on this machine about an account. */
export class LocalFiles {
  readonly #dir: string;

  constructor(accountId: string, dir = DEPLOY_DIR) {
    this.#dir = join(dir, accountId);
  }

  async remembered(): Promise<Remembered> {
    return rememberedSchema.parse(await this.#read("settings.json"));
  }

  async remember(settings: Remembered): Promise<void> {
    await this.#write("settings.json", settings);
  }

  /** Secrets that were generated here, which Cloudflare shows to nobody. */
  async secrets(): Promise<Readonly<Record<string, string>>> {
    return secretsSchema.parse(await this.#read("secrets.json"));
  }

  /** Before a secret is used for the first time: a run that dies afterwards is gone on with. */
  async keepSecret(name: string, value: string): Promise<void> {
    await this.#write("secrets.json", { ...(await this.secrets()), [name]: value });
  }

  get secretsFile(): string {
    return join(this.#dir, "secrets.json");
  }

  async #read(name: string): Promise<unknown> {
    try {
      return JSON.parse(await readFile(join(this.#dir, name), "utf8"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
      throw new Error(`${join(this.#dir, name)} cannot be read`, { cause: error });
    }
  }

  async #write(name: string, value: object): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const path = join(this.#dir, name);
    await writeFile(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    await chmod(`${path}.new`, 0o600);
    await rename(`${path}.new`, path);
  }
}

/** Answers the file's path. */
export async function writeDeployConfig(config: Config): Promise<string> {
  return await writeConfig(DEPLOY_CONFIG, config);
}

/** For an account that has no database yet: removed when `use` is done, so that no command takes its zeros for an account's. */
export async function withPlanConfig<T>(config: Config, use: (path: string) => Promise<T>): Promise<T> {
  const path = await writeConfig(PLAN_CONFIG, config);
  try {
    return await use(path);
  } finally {
    await rm(path, { force: true });
  }
}

async function writeConfig(name: string, config: Config): Promise<string> {
  const path = join(PROJECT_DIR, name);
  await writeFile(path, `${JSON.stringify(config, null, 2)}\n`);
  return path;
}
