import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { merchantId } from "./event.arbitrary.ts";
import { shardOf, type Topology, type TopologyEpoch, topologyEpochSchema, topologyOf } from "./topology.ts";
import { WINDOW_MS } from "./window.ts";

const epoch = (id: number, from_ms: number, shards: number, overrides = {}): TopologyEpoch =>
  topologyEpochSchema.parse({ id, from_ms, shards, overrides });
const start = fc.nat(10_000_000).map((n) => n * WINDOW_MS);
/** Epochs in any order, the first window's among them. */
const epochs = fc
  .uniqueArray(start, { maxLength: 6 })
  .chain((starts) => fc.shuffledSubarray([...new Set([0, ...starts])], { minLength: 1 }))
  .filter((starts) => starts.includes(0))
  .chain((starts) =>
    fc.tuple(...starts.map((from, id) => fc.integer({ min: 1, max: 200 }).map((n) => epoch(id + 1, from, n)))),
  );

/** Σ (observed − expected)² / expected. */
function chiSquare(topology: Topology, shards: number, merchants: number): number {
  const counts = new Map<string, number>();
  for (let i = 0; i < merchants; i++) {
    const shard = shardOf(topology, `merchant-${i}`, 0);
    counts.set(shard, (counts.get(shard) ?? 0) + 1);
  }
  const expected = merchants / shards;
  const seen = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return seen + (shards - counts.size) * expected;
}

describe("the shard of a merchant's window", () => {
  test("is one of the epoch's, for every merchant there can be, and always the same", () => {
    fc.assert(
      fc.property(epochs, merchantId, start, (all, merchant, window) => {
        const shard = shardOf(topologyOf(all), merchant, window);
        const shards = all.filter(({ from_ms }) => from_ms <= window).sort((a, b) => b.from_ms - a.from_ms)[0]?.shards;
        expect(shard).toMatch(/^shard-\d+$/);
        expect(Number(shard.slice(6))).toBeLessThan(shards ?? 0);
        expect(shardOf(topologyOf([...all].reverse()), merchant, window)).toBe(shard);
      }),
    );
  });

  test("is spread evenly: 20,000 merchants with consecutive names differ from the mean as chance would have it", () => {
    // For k − 1 degrees of freedom the mean is k − 1, the standard deviation √(2(k − 1)); five of them are never seen by chance.
    for (const shards of [2, 16, 64, 1_000]) {
      const spread = chiSquare(topologyOf([epoch(1, 0, shards)]), shards, 20_000);
      expect(Math.abs(spread - (shards - 1))).toBeLessThan(5 * Math.sqrt(2 * (shards - 1)));
    }
  });

  test("is another from the start of a new epoch on, and for no window before it", () => {
    const changeMs = 1_000 * WINDOW_MS;
    const before = topologyOf([epoch(1, 0, 64)]);
    const after = topologyOf([epoch(1, 0, 64), epoch(2, changeMs, 100)]);
    fc.assert(
      fc.property(merchantId, fc.nat(2_000), (merchant, window) => {
        const startMs = window * WINDOW_MS;
        const expected = startMs < changeMs ? before : topologyOf([epoch(2, 0, 100)]);
        expect(shardOf(after, merchant, startMs)).toBe(shardOf(expected, merchant, startMs));
      }),
    );
  });

  test("is the one an override names, for that merchant and that epoch alone", () => {
    const topology = topologyOf([epoch(1, 0, 64), epoch(2, WINDOW_MS, 64, { whale: 1_000 })]);
    expect(shardOf(topology, "whale", WINDOW_MS)).toBe("shard-1000");
    expect(shardOf(topology, "whale", 0)).toBe(shardOf(topologyOf([epoch(1, 0, 64)]), "whale", 0));
    expect(shardOf(topology, "minnow", WINDOW_MS)).toBe(shardOf(topologyOf([epoch(1, 0, 64)]), "minnow", 0));
  });
});

test("a topology without an epoch for the first window is refused, whatever else it has", () => {
  expect(() => topologyOf([])).toThrow("must start at 0");
  expect(() => topologyOf([epoch(1, WINDOW_MS, 64)])).toThrow("must start at 0");
});

test.each([
  { shards: 0 },
  { shards: 100_001 },
  { from_ms: -1 },
  { id: 0 },
  { overrides: { "a b": 1 } },
  { overrides: { a: -1 } },
])("an epoch with %j is refused", (wrong) => {
  expect(topologyEpochSchema.safeParse({ id: 1, from_ms: 0, shards: 64, overrides: {}, ...wrong }).success).toBe(false);
});
