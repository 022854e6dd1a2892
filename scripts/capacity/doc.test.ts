import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { refreshed } from "./doc.ts";

test("every run and table in docs/capacity.md is what the command puts out (if not: node scripts/capacity-doc.ts)", async () => {
  const page = await readFile(join(import.meta.dirname, "../../docs/capacity.md"), "utf8");
  expect(page.split("\n")).toEqual(refreshed(page).split("\n"));
});

test("a stale run and a stale table are written anew, what stands around them stays", () => {
  const page = [
    "Before.",
    "```\n$ npm run capacity -- --shards 7\nstale\n```",
    "```\n$ npm run capacity -- --shards 8\n```",
    "Between.",
    "<!-- npm run capacity -- --events-per-day 1e6 -->\n| options | `shards` | `requests` | `broken` |\n| --- | --- | --- | --- |\n| `--shards 3` | 0 | | |\n| none | 0 | | |\n",
    "After.",
  ].join("\n");
  const fresh = refreshed(page);
  expect(fresh).toContain("$ npm run capacity -- --shards 7\nOptions: --shards 7; all others at their defaults.\n");
  expect(fresh).toContain("$ npm run capacity -- --shards 8\nOptions: --shards 8; all others at their defaults.\n");
  expect(fresh).toContain("\n```\nBetween.\n");
  expect(fresh).not.toContain("stale");
  expect(fresh).toMatch(/\| `--shards 3` \| 3 \| 1,000 \| \d+ \|\n\| none \| \d+ \| 1,000 \| \d+ \|\n\nAfter\.$/);
  expect(fresh.startsWith("Before.\n")).toBe(true);
  expect(refreshed(fresh)).toBe(fresh);
});

test("a table of a figure there is none of, or of wrong options, is an error", () => {
  const table = (column: string, options: string) =>
    `<!-- npm run capacity -- -->\n| options | \`${column}\` |\n| --- | --- |\n| \`${options}\` | 1 |\n`;
  expect(() => refreshed(table("shard", "--shards 3"))).toThrow("no figure shard");
  expect(() => refreshed(table("shards", "--shards 0"))).toThrow("--shards 0");
});
