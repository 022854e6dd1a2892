import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { filesIn, moveFiles, removeOthers } from "./replace-files.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tally-files-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function folder(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const dir = join(root, name);
  await mkdir(join(dir, "assets"), { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(dir, file), text);
  return dir;
}

test("what is the same stays the same file; what is not is another, whole; what is new comes, and the rest goes when it is asked for", async () => {
  const site = await folder("site", { "index.html": "page 1", "assets/same.js": "same", "assets/old.js": "old" });
  const made = await folder("made", { "index.html": "page 2", "assets/same.js": "same", "assets/new.js": "new" });
  const [page, same] = await Promise.all(["index.html", "assets/same.js"].map((name) => stat(join(site, name))));
  const names = new Set(await filesIn(join(made, "assets")));
  await moveFiles(made, site);
  expect((await filesIn(site)).sort()).toEqual(["assets/new.js", "assets/old.js", "assets/same.js", "index.html"]);
  expect((await stat(join(site, "assets/same.js"))).ino).toBe(same?.ino);
  expect((await stat(join(site, "index.html"))).ino).not.toBe(page?.ino);
  expect(await readFile(join(site, "index.html"), "utf8")).toBe("page 2");
  await removeOthers(join(site, "assets"), names);
  expect((await filesIn(join(site, "assets"))).sort()).toEqual(["new.js", "same.js"]);
});

test("a folder that is not there has no files, and is made", async () => {
  expect(await filesIn(join(root, "nowhere"))).toEqual([]);
  await moveFiles(await folder("first", { "index.html": "page", "assets/a.js": "a" }), join(root, "fresh"));
  expect((await filesIn(join(root, "fresh"))).sort()).toEqual(["assets/a.js", "index.html"]);
});
