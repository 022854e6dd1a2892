import { z } from "zod";
import type { Replayer } from "../aggregate/replayer.ts";
import type { Shard } from "../aggregate/shard.ts";

/** What `[env.api]` in wrangler.toml and its secrets bind. */
export interface Env {
  readonly DIRECTORY: D1Database;
  readonly ARCHIVE: R2Bucket;
  readonly SHARD: DurableObjectNamespace<Shard>;
  readonly REPLAYER: DurableObjectNamespace<Replayer>;
  /** Dead letters are put back on their queues. */
  readonly RAW: Queue;
  readonly WINDOWS: Queue;
  readonly CLICKHOUSE_URL: string;
  readonly CLICKHOUSE_USER: string;
  readonly CLICKHOUSE_PASSWORD: string;
  readonly CLICKHOUSE_DATABASE: string;
}

const settingsSchema = z.object({
  CLICKHOUSE_URL: z.url(),
  CLICKHOUSE_USER: z.string().min(1),
  CLICKHOUSE_PASSWORD: z.string(),
  CLICKHOUSE_DATABASE: z.string().min(1),
});

/** The settings, parsed; throws with the name of the one that is missing or wrong. */
export function settingsOf(env: Env): z.output<typeof settingsSchema> {
  return settingsSchema.parse(env);
}
