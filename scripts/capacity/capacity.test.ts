import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { capacity } from "./capacity.ts";
import type { Item } from "./item.ts";
import type { OptionSpec } from "./option-spec.ts";
import { type CapacityOptions, DEFAULTS, OPTIONS } from "./options.ts";

const withOptions = (options: Partial<CapacityOptions>) => capacity({ ...DEFAULTS, ...options });

function valuesOf(options: Partial<CapacityOptions>): Record<string, number> {
  return Object.fromEntries(withOptions(options).items.map(({ name, value }) => [name, value]));
}

const SMALL = { "events-per-day": 100e6, merchants: 1e6, "reads-per-second": 40, batch: 100 };
const RUNS: readonly (readonly [string, Partial<CapacityOptions>])[] = [
  ["the full scale", {}],
  ["all asynchronous", { "async-share": 1 }],
  ["half asynchronous, four partitions", { "async-share": 0.5, partitions: 4, "raw-queues": 3 }],
  ["repartitioned", { "async-share": 1, partitions: 32, repartition: true }],
  ["large requests", { batch: 10_000, partitions: 8 }],
  ["a smaller deployment", SMALL],
  ["a shop", { "events-per-day": 500, merchants: 1, "reads-per-second": 0, batch: 1, "late-share": 0 }],
  ["given shards and a largest merchant", { shards: 100, "largest-merchant-share": 0.001 }],
];

/** Figures that are no formula of the printed numbers: a sum over all merchants, the result of a search, what was said, never. */
const NO_FORMULA = /^(Σ|fewest|as --|never)/;

/** What a reader gets who types a line into a calculator, leaving out the words. */
function calculated(arithmetic: string): number {
  const expression = arithmetic
    .replaceAll(/(?<=\d),(?=\d{3})/g, "")
    .replaceAll(/(?<![\d.\w])(?!(?:max|min|ceil|floor|exp)\()[a-z][\w-]*(?:\/[a-z]+)?/gi, "")
    .replaceAll("$", "")
    .replaceAll("×", "*")
    .replaceAll("−", "-")
    .replaceAll("^", "**");
  const { max, min, ceil, floor, exp } = Math;
  return runInNewContext(expression, { max, min, ceil, floor, exp }) as number;
}

describe.each(RUNS)("of %s", (_, options) => {
  const result = withOptions(options);

  test("each line of arithmetic, typed into a calculator, gives its figure", () => {
    for (const { name, value, arithmetic } of result.items) {
      if (NO_FORMULA.test(arithmetic)) continue;
      const typed = calculated(arithmetic);
      expect(Math.abs(typed - value), `${name}: ${arithmetic} = ${typed}, not ${value}`).toBeLessThanOrEqual(
        0.003 * Math.abs(value),
      );
    }
  });

  test("no figure has two names, and what is broken says whose limit it is and what mends it", () => {
    expect(new Set(result.items.map(({ name }) => name)).size).toBe(result.items.length);
    for (const item of result.items) {
      expect(item.broken ?? false).toBe(item.limit !== undefined && item.value > item.limit);
      if (item.broken) expect(item.mend).toMatch(/--[a-z]|to be built/);
      if (item.limit !== undefined) expect(item.limit_of).toMatch(/: \S+/);
    }
  });
});

test("whatever the options, figures are numbers, and the bill is the sum of its parts", () => {
  fc.assert(
    fc.property(anyOptions(), (options) => {
      const { items, shards, usdPerDay } = capacity(options);
      for (const { name, value } of items) {
        expect(value, name).toBeGreaterThanOrEqual(0);
        if (name !== "catching_up") expect(value, name).toBeLessThan(Number.POSITIVE_INFINITY);
      }
      expect(Number.isInteger(shards)).toBe(true);
      expect(sumOf(items.filter(isPaid)) / usdPerDay).toBeCloseTo(1, 9);
    }),
    { numRuns: 50 },
  );
});

const NOT_PAID_TODAY = ["usd_of_events", "usd_of_reads", "usd_per_day", "usd_per_billion_events", "usd_archive_kept"];
const isPaid = ({ name }: Item) => name.startsWith("usd_") && !NOT_PAID_TODAY.includes(name);
const sumOf = (items: readonly Item[]) => items.reduce((sum, { value }) => sum + value, 0);

/** Options anywhere within their bounds, small ones as often as large ones. */
function anyOptions(): fc.Arbitrary<CapacityOptions> {
  const numbers = Object.entries(OPTIONS as Record<string, OptionSpec>).map(([name, { min, max, whole }]) => {
    const within = fc.double({ min: Math.log1p(min), max: Math.log1p(max), noNaN: true }).map((x) => Math.expm1(x));
    const clamped = within.map((x) => Math.min(max, Math.max(min, whole === true ? Math.round(x) : x)));
    return [name, clamped] as const;
  });
  return fc.record({ ...Object.fromEntries(numbers), repartition: fc.boolean() } as {
    [name in keyof CapacityOptions]: fc.Arbitrary<CapacityOptions[name]>;
  });
}

test("a thousand events a second through one shard, worked out by hand", () => {
  const day = valuesOf({
    "events-per-day": 86.4e6,
    merchants: 1e6,
    shards: 1,
    batch: 1_000,
    "async-share": 1,
    "late-share": 0,
    "reads-per-second": 0,
    "gzip-bytes": 70,
    "column-bytes": 45,
  });
  expect(day.requests).toBe(86_400);
  // A request is one message of 115,220 bytes, two pieces of 64 KB, each written, read and deleted.
  expect(day.raw_message).toBe(115_220);
  expect(day.raw_operations).toBe(6 * 86_400);
  // The queue waits five seconds: the message it began with and five more, 6,000 events, which take two calls.
  expect(day.raw_batch).toBe(6);
  expect(day.log_calls).toBeCloseTo((86_400 / 6) * 2);
  expect(day.journal_rows).toBeCloseTo((86_400 / 6) * 2);
  // An emission for each window, and an alarm for it and for the corrections that do not come. What is stored is noted in rows that are written anyway.
  expect(day.emission_rows).toBe(2 * 144);
  expect(day.usd_archive_writes).toBeCloseTo(((86_400 / 6) * 2 * 4.5) / 1e6);
});

test("a request is one message while it fits, and halved when it is too large", () => {
  const cut = (options: Partial<CapacityOptions>) => {
    const { raw_messages_per_request, raw_message } = valuesOf({ "gzip-bytes": 75, "column-bytes": 45, ...options });
    return [raw_messages_per_request, raw_message];
  };
  expect(cut({ batch: 1_060, "line-bytes": 400 })).toEqual([1, 1_060 * 120 + 220]); // 127,420 bytes
  expect(cut({ batch: 1_061, "line-bytes": 400 })).toEqual([2, 530.5 * 120 + 220]);
  // 4 MB of lines are eight parts of 520,000, each of which is halved.
  expect(cut({ batch: 10_000, "line-bytes": 400 })).toEqual([16, 625 * 120 + 220]);
});

test("a full batch of the queue is one group, and calls each shard once, or once for 5,000 events", () => {
  const { raw_group, raw_groups_per_batch, calls_per_batch } = valuesOf({ "async-share": 1, shards: 1_000 });
  expect(raw_group).toBeGreaterThanOrEqual(100);
  expect(raw_groups_per_batch).toBe(1);
  expect(calls_per_batch).toBeCloseTo(1_000);
  expect(valuesOf({ "async-share": 1, shards: 2 }).calls_per_batch).toBeCloseTo(100_000 / 5_000);
});

test("smaller groups call the shards anew, each of them", () => {
  const { raw_groups_per_batch, calls_per_batch } = valuesOf({ "async-share": 1, shards: 10, "group-mb": 2 });
  expect(raw_groups_per_batch).toBe(7); // 16 × 124,220 = 1.99 MB
  expect(calls_per_batch).toBeCloseTo(70);
});

test("about what is counted directly the log only asks, each shard once a batch, whatever the events", () => {
  const { asks_per_batch, counts_per_batch } = valuesOf({ shards: 2 });
  expect(asks_per_batch).toBeCloseTo(2);
  expect(counts_per_batch).toBe(0);
});

test("every event is journaled by the call that brings it, the direct one or the log's, and by no other", () => {
  const sync = valuesOf({ ...SMALL, "async-share": 0 });
  expect(sync.journal_rows).toBe(sync.direct_calls);
  const async = valuesOf({ ...SMALL, "async-share": 1 });
  expect(async.direct_calls).toBe(0);
  expect(async.asks_per_batch).toBe(0);
  expect(async.journal_rows).toBeCloseTo(async.log_calls ?? 0);
  const mixed = valuesOf({ ...SMALL, "async-share": 0.5 });
  const rowsOfLog = (mixed.raw_batches ?? 0) * (mixed.counts_per_batch ?? 0);
  expect(mixed.journal_rows).toBeCloseTo((mixed.direct_calls ?? 0) + rowsOfLog);
  expect(mixed.log_calls).toBeCloseTo(rowsOfLog + (mixed.raw_batches ?? 0) * (mixed.asks_per_batch ?? 0));
});

test("pages are written for room only where the recent windows fill the memory", () => {
  const checkpointsForRoom = (shards: number) =>
    (withOptions({ shards }).items.find(({ name }) => name === "checkpoints")?.arithmetic ?? "").match(
      /(\d+) for room$/,
    )?.[1];
  expect(checkpointsForRoom(2_846)).toBe("144");
  expect(checkpointsForRoom(10_000)).toBe("0");
});

test("further messages of windows are filled to what the queue counts as one", () => {
  const { windows_messages, windows_operations } = valuesOf({ ...SMALL, shards: 10, "late-share": 0 });
  // 16,782 windows a shard: 800 at first, then 19 messages of 857, each of two pieces.
  expect(windows_messages).toBe(10 * 144 * 20);
  expect(windows_operations).toBe(10 * 144 * (2 + 19 * 2) * 3);
});

test.each([
  ["the full scale", {}] as const,
  ["much in few windows", { "id-windows": 1, "counter-windows": 1 }] as const,
])("of %s, one shard fewer would break a limit", (_, options) => {
  const { shards } = withOptions(options);
  const { items } = withOptions({ ...options, shards: shards - 1 });
  const broken = items.filter((item) => item.broken).map(({ name }) => name);
  const busy = items.find(({ name }) => name === "calls_per_shard_peak")?.value ?? 0;
  expect(broken.includes("memory") || busy > 500).toBe(true);
});

test("shards cost: once every group reaches all of them, rows grow with their number", () => {
  const few = valuesOf({ "async-share": 1, shards: 1_000 });
  const many = valuesOf({ "async-share": 1, shards: 2_000 });
  expect((many.journal_rows ?? 0) / (few.journal_rows ?? 1)).toBeGreaterThan(1.9);
});

test("partitions cut the calls, repartitioned ones by as much as there are, at the price of the second queue", () => {
  const one = valuesOf({ "async-share": 1, shards: 2_846 });
  const split = valuesOf({ "async-share": 1, shards: 2_846, partitions: 32, repartition: true });
  expect((one.log_calls ?? 0) / (split.log_calls ?? 1)).toBeGreaterThan(15);
  expect((split.usd_queues ?? 0) / (one.usd_queues ?? 1)).toBeGreaterThan(1.4);
});
