import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CALLS_AT_A_TIME, GROUP_TIMEOUT_MS } from "./counting.ts";
import { LINE_BYTES_TARGET } from "./flow.ts";
import { SMALL_EVENTS_MAX } from "./load.ts";
import { DEFAULTS, HELP, OPTIONS, parseCapacityCommand } from "./options.ts";

test("numbers may be written as people say them", () => {
  const args =
    "--events-per-day 30e9 --merchants 100E6 --async-share 0.25 --past-horizon-share 1e-5 --repartition --json";
  expect(parseCapacityCommand(args.split(" "))).toEqual({
    command: { options: { ...DEFAULTS, "async-share": 0.25, repartition: true }, json: true },
  });
});

test("without options, all are at their defaults, which are within their own bounds", () => {
  expect(parseCapacityCommand([])).toEqual({ command: { options: DEFAULTS, json: false } });
  for (const [name, spec] of Object.entries(OPTIONS)) {
    if (spec.default !== undefined)
      expect(parseCapacityCommand([`--${name}`, String(spec.default)])).toHaveProperty("command");
  }
});

test.each([
  ["--batch 10001", "--batch 10001: a whole number from 1 to 10000 is expected"],
  ["--batch 1.5", "--batch 1.5: a whole number from 1 to 10000 is expected"],
  ["--async-share 2", "--async-share 2: a number from 0 to 1 is expected"],
  ["--merchants many", "--merchants many: a whole number from 1 to 1000000000000 is expected"],
  ["--peak NaN", "--peak NaN: a number from 1 to 100 is expected"],
  ["--shards 0", "--shards 0: a whole number from 1 to 100000 is expected"],
])("%s is wrong usage, in one sentence", (line, wrong) => {
  expect(parseCapacityCommand(line.split(" "))).toEqual({ wrong });
});

test.each(["--shard 3", "--batch", "file.ndjson"])("%s is wrong usage", (line) => {
  expect(parseCapacityCommand(line.split(" "))).toEqual({ wrong: expect.any(String) });
});

test("help names every option with its default and where that comes from", () => {
  expect(parseCapacityCommand(["--help"])).toEqual({ help: true });
  for (const [name, { what, from }] of Object.entries(OPTIONS)) {
    expect(HELP).toContain(`\n  --${name} `);
    expect(HELP).toContain(`${what}\n      from: ${from}\n`);
  }
  expect(HELP).toContain("$1 for 1,000,000 rows: developers.cloudflare.com");
});

const ROOT = join(import.meta.dirname, "../..");

/** A default that the code or the configuration has moved away from makes docs/capacity.md wrong. */
test.each([
  ["journal-slots", "workers/aggregate/journal.ts", /JOURNAL_SLOTS = ([\d_]+)/, 1],
  ["journal-mb", "workers/aggregate/journal.ts", /JOURNAL_BYTES_MAX = ([\d_]+)/, 1e-6],
  ["page-bytes", "workers/aggregate/page.ts", /PAGE_BYTES_MAX = ([\d_]+)/, 1],
  ["group-mb", "workers/aggregate/raw-consumer.ts", /GROUP_BYTES_MAX = ([\d_]+)/, 1e-6],
  ["windows-group-mb", "workers/aggregate/windows-consumer.ts", /GROUP_BYTES_MAX = ([\d_]+)/, 1e-6],
  ["message-rows-first", "workers/aggregate/send-windows.ts", /MESSAGE_ROWS_FIRST = ([\d_]+)/, 1],
  ["message-rows", "workers/aggregate/send-windows.ts", /MESSAGE_ROWS_MAX = ([\d_]+)/, 1],
  ["message-kb", "workers/aggregate/send-windows.ts", /MESSAGE_BYTES_TARGET = ([\d_]+)/, 1e-3],
  ["correction-delay-s", "wrangler.toml", /CORRECTION_DELAY_MS = "(\d+)"/, 1e-3],
  ["retention-days", "wrangler.toml", /HISTORY_AGE_MAX_DAYS = "(\d+)"/, 1],
  ["consumer-batch", "wrangler.toml", /queue = "tally-raw"\nmax_batch_size = (\d+)/, 1],
  [
    "consumer-wait-s",
    "wrangler.toml",
    /queue = "tally-raw"\nmax_batch_size = \d+\n(?:#.*\n)*max_batch_timeout = (\d+)/,
    1,
  ],
  ["windows-wait-s", "wrangler.toml", /queue = "tally-windows"\nmax_batch_size = \d+\nmax_batch_timeout = (\d+)/, 1],
  ["windows-consumers", "wrangler.toml", /queue = "tally-windows"[^[]*max_concurrency = (\d+)/, 1],
] as const)("the default of --%s is what %s says", async (name, file, pattern, factor) => {
  const said = pattern.exec(await readFile(join(ROOT, file), "utf8"))?.[1];
  expect(Number(said?.replaceAll("_", "")) * factor).toBeCloseTo(DEFAULTS[name]);
});

/** Constants that are no options, because the code does not export them or cannot be loaded outside of Workers. */
test.each([
  ["workers/ingest/log-events.ts", /LINE_BYTES_TARGET = ([\d_]+)/, LINE_BYTES_TARGET],
  ["workers/aggregate/window-table.ts", /SMALL_EVENTS_MAX = ([\d_]+)/, SMALL_EVENTS_MAX],
  ["workers/aggregate/raw-consumer.ts", /SHARD_TIMEOUT_MS = ([\d_]+)/, GROUP_TIMEOUT_MS],
  ["workers/apply-to-shards.ts", /SHARD_CALLS_CONCURRENT_MAX = ([\d_]+)/, CALLS_AT_A_TIME],
] as const)("what the arithmetic takes from %s still stands there: %s", async (file, pattern, value) => {
  const said = pattern.exec(await readFile(join(ROOT, file), "utf8"))?.[1];
  expect(Number(said?.replaceAll("_", ""))).toBe(value);
});
