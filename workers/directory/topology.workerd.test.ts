import { drizzle } from "drizzle-orm/d1";
import { beforeAll, expect, test } from "vitest";
import { EPOCH_LEAD_MS, TOPOLOGY_READ_MS_MAX, TOPOLOGY_TTL_MS } from "../../shared/topology-plan.ts";
import { topologyEpochs } from "./schema.ts";
import { openDirectory } from "./test-directory.ts";
import { loadReadTopology, loadTopology } from "./topology.ts";

const nowMs = 1_795_000_000_000;
let directory: D1Database;
beforeAll(async () => {
  directory = await openDirectory();
});
const first = { id: 1, from_ms: 0, shards: 2, overrides: {} };

test("the topology is the directory's, in order of time, asked for once a minute", async () => {
  expect(await loadTopology(directory, nowMs)).toEqual({ epochs: [first] });
  const later = { id: 2, fromMs: nowMs, shards: 128, overrides: { constructor: 7 } };
  await drizzle(directory).insert(topologyEpochs).values(later);
  expect(await loadTopology(directory, nowMs + TOPOLOGY_TTL_MS - 1)).toEqual({ epochs: [first] });
  expect(await loadTopology(directory, nowMs + TOPOLOGY_TTL_MS)).toEqual({
    epochs: [first, { id: 2, from_ms: nowMs, shards: 128, overrides: { constructor: 7 } }],
  });
});

test("while the directory does not answer what has begun is read by the last one, for as long as no epoch that it lacks can have begun", async () => {
  const away = new Proxy({} as D1Database, {
    get: () => {
      throw new Error("D1 is away");
    },
  });
  const known = await loadTopology(directory, nowMs + TOPOLOGY_TTL_MS);
  const goodUntilMs = nowMs + TOPOLOGY_TTL_MS + TOPOLOGY_READ_MS_MAX;
  expect(TOPOLOGY_READ_MS_MAX).toBeLessThan(EPOCH_LEAD_MS);
  expect(await loadReadTopology(away, goodUntilMs - 1)).toEqual(known);
  await expect(loadReadTopology(away, goodUntilMs)).rejects.toThrow();
  // An event may lie ahead of the clock: it is not counted by an old one.
  await expect(loadTopology(away, goodUntilMs - 1)).rejects.toThrow();
});
