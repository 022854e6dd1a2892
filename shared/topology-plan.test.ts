import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AHEAD_MAX_MS } from "./accept-event.ts";
import { shardOf, topologyOf } from "./topology.ts";
import { EPOCH_LEAD_MS, EPOCHS_MAX, planEpoch, TOPOLOGY_TTL_MS } from "./topology-plan.ts";
import { WINDOW_MS, windowStart } from "./window.ts";

const NOW = Date.UTC(2026, 10, 23, 12, 3);
const first = { id: 1, from_ms: 0, shards: 64, overrides: {} };
const topology = topologyOf([first]);
const soonest = Math.ceil((NOW + EPOCH_LEAD_MS) / WINDOW_MS) * WINDOW_MS;
const plan = (over: object, known = topology) =>
  planEpoch(known, { from_ms: soonest, shards: 128, overrides: {}, ...over }, NOW);

describe("an epoch", () => {
  test("may begin at the first window that no isolate can miss, with the next id", () => {
    expect(plan({})).toEqual({ ok: true, value: { id: 2, from_ms: soonest, shards: 128, overrides: {} } });
  });

  test.each([
    [{ from_ms: soonest - WINDOW_MS }, { reason: "too_soon", earliestMs: soonest }],
    [{ from_ms: soonest + 1 }, { reason: "not_on_a_window" }],
    [{ overrides: { huge: 256 } }, { reason: "override_out_of_range", merchant: "huge", shards: 128 }],
  ])("%j is refused", (over, error) => {
    expect(plan(over)).toEqual({ ok: false, error });
  });

  test("is refused before one that is planned already, and beyond the limit", () => {
    const later = topologyOf([first, { id: 2, from_ms: soonest + WINDOW_MS, shards: 128, overrides: {} }]);
    expect(plan({}, later)).toMatchObject({ error: { reason: "before_the_last" } });
    const full = topologyOf(
      Array.from({ length: EPOCHS_MAX }, (_, i) => ({ ...first, id: i + 1, from_ms: i * WINDOW_MS })),
    );
    expect(plan({}, full)).toMatchObject({ error: { reason: "too_many_epochs" } });
  });

  test("never changes the shard of a window that an isolate with an old topology may still send", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.nat(TOPOLOGY_TTL_MS),
        (merchant, shards, age) => {
          const planned = plan({ shards });
          if (!planned.ok) throw new Error(planned.error.reason);
          const grown = topologyOf([first, planned.value]);
          // The stale isolate accepts events up to the limit ahead of its clock until its copy expires.
          const furthest = windowStart(NOW + age + AHEAD_MAX_MS);
          expect(shardOf(grown, merchant, furthest)).toBe(shardOf(topology, merchant, furthest));
        },
      ),
    );
  });
});
