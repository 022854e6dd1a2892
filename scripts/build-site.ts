import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { build } from "vite";
import { z } from "zod";
import { PAGE_PATHS } from "../workers/api/dashboard/page-paths.ts";
import { filesIn, moveFiles, removeOthers } from "./replace-files.ts";

const PROJECT_DIR = join(import.meta.dirname, "..");
/** What wrangler.toml names as the api Worker's assets. */
const SITE_DIR = join(PROJECT_DIR, "dist", "site");
/** Of swagger-ui-dist: what the reference page loads, and nothing else. */
const SWAGGER_FILES = ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"];

/**
 * Puts together the pages that the api Worker serves: the dashboard and the API's reference. In a folder beside, whose files then take the places of
 * those before: a build of the same changes nothing, and a Worker that serves them meanwhile lacks none.
 */
async function buildSite(): Promise<void> {
  await mkdir(dirname(SITE_DIR), { recursive: true });
  const made = await mkdtemp(`${SITE_DIR}-`);
  try {
    await makeSite(made);
    const assets = new Set(await filesIn(join(made, "assets")));
    // Before the pages that name them.
    await moveFiles(join(made, "assets"), join(SITE_DIR, "assets"));
    await moveFiles(made, SITE_DIR);
    // Their names change with what is in them: those of earlier builds would stay for ever.
    await removeOthers(join(SITE_DIR, "assets"), assets);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

async function makeSite(dir: string): Promise<void> {
  const configFile = join(PROJECT_DIR, "workers", "api", "dashboard", "vite.config.ts");
  // Whoever builds it, tests too, which would have another page under other names, in the place of the one that is served meanwhile.
  process.env.NODE_ENV = "production";
  await build({ configFile, logLevel: "warn", build: { outDir: dir } });
  await copyPages(dir);
  const swagger = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  await cp(join(PROJECT_DIR, "workers", "api", "site"), dir, { recursive: true });
  await writeFile(join(dir, "openapi.json"), JSON.stringify(await openApiDocument()));
  for (const name of SWAGGER_FILES) await cp(join(swagger, name), join(dir, "docs", name));
}

/** The dashboard is one page; it stands at the path of each of its pages, so that a link to any of them opens it. */
async function copyPages(dir: string): Promise<void> {
  const html = await readFile(join(dir, "index.html"));
  for (const path of Object.values(PAGE_PATHS))
    if (path !== "/") await writeFile(join(dir, `${path.slice(1)}.html`), html);
}

const documentSchema = z.looseObject({ info: z.looseObject({ version: z.string() }) });
/** The document is some 400 KB. */
const DOCUMENT_BYTES_MAX = 10_000_000;

/** Of the Workers, by a process of its own: they are not compiled with Node's types. */
async function openApiDocument(): Promise<z.output<typeof documentSchema>> {
  const print = join(PROJECT_DIR, "workers", "openapi", "print.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [print], { maxBuffer: DOCUMENT_BYTES_MAX });
  const document = documentSchema.parse(JSON.parse(stdout));
  return { ...document, info: { ...document.info, version: await packageVersion() } };
}

async function packageVersion(): Promise<string> {
  const text = await readFile(join(PROJECT_DIR, "package.json"), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

await buildSite();
