import { z } from "zod";
import { sipKeyFromHex } from "../../shared/siphash.ts";
import { HOUR_MS } from "../../shared/window.ts";
import type { WebhookEnv } from "../alerts/send-webhook.ts";
import type { ReadHistoryEnv } from "../api/retention.ts";
import type { MeterEnv } from "../meter/isolate-meter.ts";
import type { ArchiveS3Env } from "./archive-s3.ts";
import type { Replayer } from "./replayer.ts";
import { REBUILD_BYTES_MAX, RESIDENT_BYTES_MAX, SHARD_BYTES_MAX } from "./residency.ts";
import { SEALED_EVENTS_MIN } from "./sealed-run.ts";
import type { Shard } from "./shard.ts";

/** What `[env.aggregate]` in wrangler.toml and its secrets bind. */
export interface Env extends ReadHistoryEnv, ArchiveS3Env, MeterEnv, WebhookEnv {
  readonly DIRECTORY: D1Database;
  readonly ARCHIVE: R2Bucket;
  readonly SHARD: DurableObjectNamespace<Shard>;
  readonly REPLAYER: DurableObjectNamespace<Replayer>;
  readonly WINDOWS: Queue;
  /** Asked how far it lags, by the alerts; nothing is sent to it from here. */
  readonly RAW?: Queue;
  readonly CORRECTION_DELAY_MS: string;
  readonly LATE_DELAY_MS: string;
  /** What a shard keeps in memory, and beyond which it refuses batches; left out but in tests. */
  readonly RESIDENT_BYTES_MAX?: string;
  readonly SHARD_BYTES_MAX?: string;
  readonly REBUILD_BYTES_MAX?: string;
  /** Of how many new events of a window a checkpoint seals all; left out but in tests. */
  readonly SEALED_EVENTS_MIN?: string;
  /** Of the archive, what one pass of a replay counts; left out but in tests. */
  readonly REPLAY_BYTES_MAX?: string;
  readonly IDENTITY_KEY: string;
  /** As ingest's, which has to be the same. */
  readonly TRACE_SHARE?: string;
  /** By event time; as long as history keeps windows unless it is said otherwise. */
  readonly ARCHIVE_KEPT_DAYS?: string;
  /** How long an hour is left alone after its last change, and what one pass over it takes; left out but in tests. */
  readonly COMPACT_QUIET_MS?: string;
  readonly COMPACT_BYTES_MAX?: string;
}

const settingsSchema = z.object({
  CORRECTION_DELAY_MS: z.coerce.number().int().min(0),
  LATE_DELAY_MS: z.coerce.number().int().min(0),
  RESIDENT_BYTES_MAX: z.coerce.number().int().min(0).default(RESIDENT_BYTES_MAX),
  SHARD_BYTES_MAX: z.coerce.number().int().min(0).default(SHARD_BYTES_MAX),
  REBUILD_BYTES_MAX: z.coerce.number().int().min(0).default(REBUILD_BYTES_MAX),
  SEALED_EVENTS_MIN: z.coerce.number().int().min(1).default(SEALED_EVENTS_MIN),
  REPLAY_BYTES_MAX: z.coerce.number().int().min(1).default(64_000_000),
  COMPACT_QUIET_MS: z.coerce.number().int().min(0).default(HOUR_MS),
  COMPACT_BYTES_MAX: z.coerce.number().int().min(1).default(64_000_000),
  TRACE_SHARE: z.coerce.number().min(0).max(1).default(0),
  // No less than what may be corrected, audited and compacted yet.
  ARCHIVE_KEPT_DAYS: z.coerce.number().int().min(7).default(1_860),
  IDENTITY_KEY: z.string().transform(sipKeyFromHex),
});

/** The settings, parsed; throws with the name of the one that is missing or wrong. */
export function settingsOf(env: Env): z.output<typeof settingsSchema> {
  return settingsSchema.parse(env);
}
