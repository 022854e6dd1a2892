import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { capacity } from "./capacity.ts";
import { n } from "./item.ts";
import { type CapacityOptions, DEFAULTS } from "./options.ts";
import { capacityJson, capacityText } from "./print.ts";

const textOf = (options: CapacityOptions) => capacityText(options, capacity(options));
const SHOP: CapacityOptions = {
  ...DEFAULTS,
  "events-per-day": 10_000,
  merchants: 10,
  "reads-per-second": 1,
  batch: 10,
};

describe("the text", () => {
  test("has a line for each figure, with its arithmetic and its limit", () => {
    const text = textOf(DEFAULTS);
    for (const { name, value, unit, arithmetic } of capacity(DEFAULTS).items) {
      expect(text).toContain(`${n(value)} ${unit}`);
      expect(text).toMatch(new RegExp(`^[ !] ${name} .* = `, "m"));
      expect(text).toContain(`= ${arithmetic}`);
    }
  });

  test("marks what is broken, and says at the end what mends it and what the bill is made of", () => {
    const text = textOf(DEFAULTS);
    expect(text).toMatch(/^! windows_consumers_peak .*; BROKEN: limit 2$/m);
    expect(text).toMatch(/^! windows_consumers_peak: .* limit 2 \(.*\)\n {4}.*--windows-consumers/m);
    expect(text).toMatch(/^Most of the bill: usd_shard_rows \d+ %/m);
    expect(textOf(SHOP)).toMatch(/\nEvery limit is kept\.\n$/);
  });

  test("says which options are not at their defaults", () => {
    expect(textOf(DEFAULTS)).toMatch(/^All options at their defaults\.\n/);
    expect(textOf({ ...DEFAULTS, "async-share": 1, repartition: true })).toMatch(
      /^Options: --async-share 1 --repartition; all others at their defaults\.\n/,
    );
  });
});

test("the JSON is one line that says it all", () => {
  const line = capacityJson(DEFAULTS, capacity(DEFAULTS));
  expect(line.trimEnd()).not.toContain("\n");
  const { options, broken, items, shards, usd_per_day, usd_per_billion_events } = JSON.parse(line);
  expect(options.batch).toBe(1_000);
  expect(items.find(({ name }: { name: string }) => name === "shards").value).toBe(shards);
  expect(items.find(({ name }: { name: string }) => name === "usd_per_day").value).toBe(usd_per_day);
  expect(usd_per_billion_events).toBeLessThan(usd_per_day);
  expect(broken).toContain("windows_consumers_peak");
});

describe("the command", () => {
  const run = promisify(execFile);
  const command = (...args: string[]) => run(process.execPath, [join(import.meta.dirname, "../capacity.ts"), ...args]);

  test("prints text, JSON and help", async () => {
    expect((await command()).stdout).toBe(textOf(DEFAULTS));
    expect(JSON.parse((await command("--json", "--shards", "9")).stdout).shards).toBe(9);
    expect((await command("--help")).stdout).toContain("npm run capacity -- --events-per-day 30e9");
  });

  test("answers wrong usage with one sentence and exit code 2", async () => {
    await expect(command("--batch", "0")).rejects.toMatchObject({
      code: 2,
      stdout: "",
      stderr: "--batch 0: a whole number from 1 to 10000 is expected\nnpm run capacity -- --help says more.\n",
    });
  });
});
