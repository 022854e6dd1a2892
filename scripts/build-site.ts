import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { build } from "vite";
import { z } from "zod";
import { PAGE_PATHS } from "../workers/api/dashboard/page-paths.ts";

const PROJECT_DIR = join(import.meta.dirname, "..");
/** What wrangler.toml names as the api Worker's assets. */
const SITE_DIR = join(PROJECT_DIR, "dist", "site");
/** Of swagger-ui-dist: what the reference page loads, and nothing else. */
const SWAGGER_FILES = ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"];

/** Puts together the pages that the api Worker serves: the dashboard and the API's reference. */
async function buildSite(): Promise<void> {
  await mkdir(SITE_DIR, { recursive: true });
  // Their names change with what is in them: those of earlier builds would stay for ever.
  await rm(join(SITE_DIR, "assets"), { recursive: true, force: true });
  await build({ configFile: join(PROJECT_DIR, "workers", "api", "dashboard", "vite.config.ts"), logLevel: "warn" });
  await copyPages();
  const swagger = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  await cp(join(PROJECT_DIR, "workers", "api", "site"), SITE_DIR, { recursive: true });
  await writeFile(join(SITE_DIR, "openapi.json"), JSON.stringify(await openApiDocument()));
  for (const name of SWAGGER_FILES) await cp(join(swagger, name), join(SITE_DIR, "docs", name));
}

/** The dashboard is one page; it stands at the path of each of its pages, so that a link to any of them opens it. */
async function copyPages(): Promise<void> {
  const html = await readFile(join(SITE_DIR, "index.html"));
  for (const path of Object.values(PAGE_PATHS))
    if (path !== "/") await writeFile(join(SITE_DIR, `${path.slice(1)}.html`), html);
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
