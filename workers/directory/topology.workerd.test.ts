import { drizzle } from "drizzle-orm/d1";
import { expect, test } from "vitest";
import { TOPOLOGY_TTL_MS } from "../../shared/topology-plan.ts";
import { topologyEpochs } from "./schema.ts";
import { openDirectory } from "./test-directory.ts";
import { loadTopology } from "./topology.ts";

const nowMs = 1_795_000_000_000;
const first = { id: 1, from_ms: 0, shards: 2, overrides: {} };

test("the topology is the directory's, in order of time, asked for once a minute", async () => {
  const directory = await openDirectory();
  expect(await loadTopology(directory, nowMs)).toEqual({ epochs: [first] });
  const later = { id: 2, fromMs: nowMs, shards: 128, overrides: { constructor: 7 } };
  await drizzle(directory).insert(topologyEpochs).values(later);
  expect(await loadTopology(directory, nowMs + TOPOLOGY_TTL_MS - 1)).toEqual({ epochs: [first] });
  expect(await loadTopology(directory, nowMs + TOPOLOGY_TTL_MS)).toEqual({
    epochs: [first, { id: 2, from_ms: nowMs, shards: 128, overrides: { constructor: 7 } }],
  });
});
