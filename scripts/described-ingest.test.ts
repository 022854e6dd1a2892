import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { siteWithIngestAt } from "./described-ingest.ts";

const DEFAULT_URL = "http://127.0.0.1:8787";
const servers = [{ url: "{ingest}", description: "ingest", variables: { ingest: { default: DEFAULT_URL } } }];
const paths = { "/v1/events": { post: { servers } }, "/v1/session": { get: { operationId: "session" } } };
const document = JSON.stringify({ openapi: "3.1.0", servers: [{ url: "/" }], paths });

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tally-site-"));
  await mkdir(join(dir, "site", "assets"), { recursive: true });
  await writeFile(join(dir, "site", "openapi.json"), document);
  await writeFile(join(dir, "site", "assets", "page.js"), "page");
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test("pages name the ingest of their own system, and those of others name theirs", async () => {
  const [site, copy] = [join(dir, "site"), join(dir, "copy")];
  const served = await siteWithIngestAt("http://127.0.0.1:9387", site, copy);
  expect(served).toBe(copy);
  const text = await readFile(join(served, "openapi.json"), "utf8");
  expect(text.split("http://127.0.0.1:9387")).toHaveLength(document.split(DEFAULT_URL).length);
  expect(text.replaceAll("http://127.0.0.1:9387", DEFAULT_URL)).toBe(document);
  expect(await readFile(join(served, "assets", "page.js"), "utf8")).toBe("page");
  expect(await readFile(join(site, "openapi.json"), "utf8")).toBe(document);
  // At its own ports it needs no copy, and one from before is no use.
  expect(await siteWithIngestAt(DEFAULT_URL, site, copy)).toBe(site);
  await expect(readFile(join(copy, "openapi.json"))).rejects.toThrow("ENOENT");
});
