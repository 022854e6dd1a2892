import { glob, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

test("every test in workerd that asks a router has its answers held to the document", async () => {
  const files: string[] = [];
  for await (const file of glob("workers/**/*.ts")) {
    const isTest = file.endsWith(".workerd.test.ts") || /\/test-[a-z-]+\.ts$/.test(file);
    const text = isTest ? await readFile(file, "utf8") : "";
    const names = [...text.matchAll(/from "(\.[^"]*)"/g)].map(([, name = ""]) => join(dirname(file), name));
    if (names.some((name) => name === "workers/api/index.ts" || name === "workers/ingest/index.ts")) files.push(file);
  }
  expect(files).toEqual([]);
});
