import { asc } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { type Topology, topologyEpochSchema, topologyOf } from "../../shared/topology.ts";
import { topologyEpochs } from "./schema.ts";

/** An epoch must start further ahead than this, so that no isolate can miss it. */
export const TOPOLOGY_TTL_MS = 60_000;

let cached: { readonly topology: Topology; readonly expiresMs: number } | undefined;

/** The topology, read from the directory at most once a minute by each isolate. */
export async function loadTopology(directory: D1Database, nowMs: number): Promise<Topology> {
  if (cached !== undefined && cached.expiresMs > nowMs) return cached.topology;
  const rows = await drizzle(directory).select().from(topologyEpochs).orderBy(asc(topologyEpochs.fromMs));
  const epochs = rows.map((row) =>
    topologyEpochSchema.parse({ id: row.id, from_ms: row.fromMs, shards: row.shards, overrides: row.overrides }),
  );
  cached = { topology: topologyOf(epochs), expiresMs: nowMs + TOPOLOGY_TTL_MS };
  return cached.topology;
}
