import { cp, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const PROJECT_DIR = join(import.meta.dirname, "..");
/** What wrangler.toml names as the api Worker's assets. */
const SITE_DIR = join(PROJECT_DIR, "dist", "site");
/** Of swagger-ui-dist: what the reference page loads, and nothing else. */
const SWAGGER_FILES = ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"];

/** Puts together the pages that the api Worker serves. */
async function buildSite(): Promise<void> {
  const swagger = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  await mkdir(SITE_DIR, { recursive: true });
  await cp(join(PROJECT_DIR, "workers", "api", "site"), SITE_DIR, { recursive: true });
  for (const name of SWAGGER_FILES) await cp(join(swagger, name), join(SITE_DIR, "docs", name));
}

await buildSite();
