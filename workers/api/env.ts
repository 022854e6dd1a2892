import type { SessionEnv } from "../access/session.ts";
import type { ArchiveS3Env } from "../aggregate/archive-s3.ts";
import type { Replayer } from "../aggregate/replayer.ts";
import type { Shard } from "../aggregate/shard.ts";
import type { WebhookEnv } from "../alerts/send-webhook.ts";
import type { RateLimitEnv } from "../http/rate-limit.ts";
import type { MeterEnv } from "../meter/isolate-meter.ts";
import type { ReadHistoryEnv } from "./retention.ts";

/** What `[env.api]` in wrangler.toml and its secrets bind. */
export interface Env extends ReadHistoryEnv, ArchiveS3Env, SessionEnv, RateLimitEnv, MeterEnv, WebhookEnv {
  readonly DIRECTORY: D1Database;
  readonly ARCHIVE: R2Bucket;
  readonly SHARD: DurableObjectNamespace<Shard>;
  readonly REPLAYER: DurableObjectNamespace<Replayer>;
  /** Dead letters are put back on their queues. */
  readonly RAW: Queue;
  readonly WINDOWS: Queue;
  /** The dashboard's files; systems without pages have none. */
  readonly ASSETS?: Fetcher;
  /** Of the deployed Worker: what another version has cached may look otherwise. */
  readonly VERSION: WorkerVersionMetadata;
}
