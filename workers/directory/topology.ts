import { asc } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { err, type Result } from "../../shared/result.ts";
import { type Topology, type TopologyEpoch, topologyEpochSchema, topologyOf } from "../../shared/topology.ts";
import { type EpochFault, planEpoch, TOPOLOGY_READ_MS_MAX, TOPOLOGY_TTL_MS } from "../../shared/topology-plan.ts";
import { askDirectory } from "./ask-directory.ts";
import { directoryCache } from "./isolate-cache.ts";
import { topologyEpochs } from "./schema.ts";
import { DirectoryUnavailable } from "./unavailable.ts";

/** The topology, read from the directory at most once a minute by each isolate. */
export async function loadTopology(directory: D1Database, nowMs: number): Promise<Topology> {
  const cache = directoryCache();
  if (cache.topology !== undefined && nowMs < cache.topology.readMs + TOPOLOGY_TTL_MS) return cache.topology.topology;
  const topology = await readTopology(directory);
  cache.topology = { topology, readMs: nowMs };
  return topology;
}

/** The same for who only reads what has begun: while the directory does not answer, an older one is as good. */
export async function loadReadTopology(directory: D1Database, nowMs: number): Promise<Topology> {
  try {
    return await loadTopology(directory, nowMs);
  } catch (error) {
    const known = directoryCache().topology;
    const isGood = known !== undefined && nowMs < known.readMs + TOPOLOGY_READ_MS_MAX;
    if (!(isGood && error instanceof DirectoryUnavailable)) throw error;
    return known.topology;
  }
}

/** The topology as it stands in the directory now. */
export async function readTopology(directory: D1Database): Promise<Topology> {
  const query = drizzle(directory).select().from(topologyEpochs).orderBy(asc(topologyEpochs.fromMs));
  const rows = await askDirectory(directory, () => query.execute());
  const epochs = rows.map((row) =>
    topologyEpochSchema.parse({ id: row.id, from_ms: row.fromMs, shards: row.shards, overrides: row.overrides }),
  );
  return topologyOf(epochs);
}

/**
 * Adds an epoch, or says why that is unsafe. Of two operators who add one at the same time one gets `changed_meanwhile`: the id is
 * taken then.
 */
export async function addEpoch(
  directory: D1Database,
  request: Omit<TopologyEpoch, "id">,
  nowMs: number,
): Promise<Result<TopologyEpoch, EpochFault | { readonly reason: "changed_meanwhile" }>> {
  const planned = planEpoch(await readTopology(directory), request, nowMs);
  if (!planned.ok) return planned;
  const { id, from_ms: fromMs, shards, overrides } = planned.value;
  const added = await drizzle(directory)
    .insert(topologyEpochs)
    .values({ id, fromMs, shards, overrides })
    .onConflictDoNothing()
    .returning({ id: topologyEpochs.id });
  return added.length === 1 ? planned : err({ reason: "changed_meanwhile" });
}
