import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NARROW_LIMITS } from "./narrow-limits.ts";
import { PLANTS } from "./plants.ts";
import { edited } from "./source-edit.ts";
import { AT_ONCE, ISOLATE_MEMORY } from "./stand-ins.ts";

const edit = { file: "a.ts", find: "= 256", replace: "= 16" };

test("an edit whose text is gone, or stands there twice, stops everything", () => {
  expect(edited("const SLOTS = 256;", edit)).toBe("const SLOTS = 16;");
  expect(() => edited("const SLOTS = 512;", edit)).toThrow("stands 0 times in a.ts");
  expect(() => edited("const A = 256, B = 256;", edit)).toThrow("stands 2 times in a.ts");
});

test("every limit that is narrowed, and every bug that is planted, still has its place in the source", async () => {
  for (const each of [...NARROW_LIMITS, ...ISOLATE_MEMORY, ...AT_ONCE, ...PLANTS.flatMap(({ edits }) => edits)]) {
    const source = await readFile(join(import.meta.dirname, "..", each.file), "utf8");
    expect(edited(source, each)).not.toBe(source);
  }
});
