import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { edited, type SourceEdit } from "../../../simulation/source-edit.ts";
import type { CachedReads } from "./cached-reads.ts";
import { readFrom, SampleWorld, shownBy } from "./sample-world.ts";

/** Beside the original, so that what it imports is found. */
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(import.meta.dirname, ".planted-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const FILE = "workers/api/cache/cached-reads.ts";
const READ_BEFORE = "    const corrected = this.#corrections.seq;\n";
const READ_AFTER = "      corrected,\n      mark,";

async function withEdits(name: string, edits: readonly Omit<SourceEdit, "file">[]): Promise<new () => CachedReads> {
  const source = await readFile(join(import.meta.dirname, basename(FILE)), "utf8");
  const planted = edits.reduce((text, edit) => edited(text, { file: FILE, ...edit }), source);
  const path = join(dir, `${name}.ts`);
  await writeFile(path, planted.replaceAll('from "../../', 'from "../../../').replaceAll('from "./', 'from "../'));
  return ((await import(pathToFileURL(path).href)) as { CachedReads: new () => CachedReads }).CachedReads;
}

/** A correction is written and noted while an answer is being made of the old numbers. What is read afterwards? */
async function readAfterwards(Reads: new () => CachedReads): Promise<number> {
  const world = new SampleWorld();
  const reads = new Reads();
  const { promise, resolve } = Promise.withResolvers<void>();
  world.meanwhile = () => promise;
  const slow = readFrom(reads, world.question(), world.around);
  while (world.computed === 0) await Promise.resolve();
  world.value = 2;
  world.correct();
  world.later();
  world.meanwhile = () => {};
  // Another question lets the isolate learn of it meanwhile.
  await readFrom(reads, world.question(11 * 86_400_000), world.around);
  resolve();
  await slow;
  world.later();
  return shownBy((await readFrom(reads, world.question(), world.around)).answer);
}

test("an answer that a correction overtook is not given again", async () => {
  expect(await readAfterwards(await withEdits("original", []))).toBe(2);
});

test("were the number of the last correction read after the answer, it would be", async () => {
  const late = await withEdits("read-late", [
    { find: READ_BEFORE, replace: "" },
    { find: READ_AFTER, replace: "      corrected: this.#corrections.seq,\n      mark," },
  ]);
  expect(await readAfterwards(late)).toBe(1);
});
