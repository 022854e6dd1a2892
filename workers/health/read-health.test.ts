import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { topologyOf } from "../../shared/topology.ts";
import { DAY_MS, HOUR_MS } from "../../shared/window.ts";
import { type HealthEnv, lookAtHealth, shardsInUse } from "./read-health.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const never = () => new Promise<never>(() => {});
/** Whatever is asked of it, it does not answer. */
const hanging: unknown = new Proxy(() => {}, { get: () => hanging, apply: never });

test("with everything hanging the answer comes all the same, and says of each part who did not answer", async () => {
  vi.stubGlobal("fetch", never);
  const env = {
    DIRECTORY: { prepare: () => ({ bind: () => ({ all: never, raw: never, first: never, run: never }) }) },
    SHARD: { idFromName: () => "", get: () => ({ status: never }) },
    METER: { idFromName: () => "", get: () => ({ read: never }) },
    RAW: { metrics: never },
    CLICKHOUSE_URL: "http://127.0.0.1:1",
    CLICKHOUSE_USER: "u",
    CLICKHOUSE_PASSWORD: "",
    CLICKHOUSE_DATABASE: "tally",
  } as unknown as HealthEnv;
  const looking = lookAtHealth(env, Date.now());
  await vi.advanceTimersByTimeAsync(6_100);
  const { health } = await looking;
  expect(health.verdict).toBe("down");
  const verdicts = Object.entries(health.parts).map(([name, { verdict, reason }]) => [name, verdict, reason !== null]);
  expect(verdicts).not.toContainEqual([expect.anything(), "ok", expect.anything()]);
  expect(health.parts.directory.reason).toBe("D1: no answer in 3 s");
  expect(health.parts.history.reason).toMatch(/^ClickHouse: /);
});

test("the shards that are asked own a window that is not final yet: those of an epoch before last are left alone", () => {
  const nowMs = 100 * DAY_MS;
  const epoch = (id: number, from_ms: number, shards: number, overrides = {}) => ({ id, from_ms, shards, overrides });
  const topology = topologyOf([
    epoch(1, 0, 9),
    epoch(2, 50 * DAY_MS, 2),
    epoch(3, nowMs - HOUR_MS, 1, { big: 4 }),
    epoch(4, nowMs + HOUR_MS, 30),
  ]);
  expect(shardsInUse(topology, nowMs)).toEqual(["shard-0", "shard-4", "shard-1"]);
});
