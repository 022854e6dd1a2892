import type { Shard } from "../aggregate/shard.ts";
import type { ReadHistoryEnv } from "./retention.ts";

/** What `[env.api]` in wrangler.toml and its secrets bind. */
export interface Env extends ReadHistoryEnv {
  readonly DIRECTORY: D1Database;
  readonly ARCHIVE: R2Bucket;
  readonly SHARD: DurableObjectNamespace<Shard>;
}
