import { z } from "zod";
import { sipKeyFromHex } from "../../shared/siphash.ts";
import { DAY_MS } from "../../shared/window.ts";
import type { Shard } from "../aggregate/shard.ts";
import type { RateLimitEnv } from "../http/rate-limit.ts";
import type { MeterEnv } from "../meter/isolate-meter.ts";
import { DIRECT_TIMEOUT_MS } from "./limits.ts";

/** What `[env.ingest]` in wrangler.toml and its secrets bind. */
export interface Env extends RateLimitEnv, MeterEnv {
  readonly DIRECTORY: D1Database;
  readonly RAW: Queue;
  readonly SHARD: DurableObjectNamespace<Shard>;
  readonly HISTORY_AGE_MAX_DAYS: string;
  readonly IDENTITY_KEY: string;
  readonly USER_KEY: string;
  /** The share of requests that are followed through the log (`traced.ts`), from 0 to 1; left out for none. */
  readonly TRACE_SHARE?: string;
  /** Over the limit of that name, for tests on a machine that is busy with others; left out elsewhere. */
  readonly DIRECT_TIMEOUT_MS?: string;
}

const sipKey = z
  .string()
  .regex(/^[0-9a-fA-F]{32}$/, "32 hexadecimal digits")
  .transform(sipKeyFromHex);

const settingsSchema = z.object({
  HISTORY_AGE_MAX_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .transform((days) => days * DAY_MS),
  IDENTITY_KEY: sipKey,
  USER_KEY: sipKey,
  TRACE_SHARE: z.coerce.number().min(0).max(1).default(0),
  DIRECT_TIMEOUT_MS: z.coerce.number().int().min(1).default(DIRECT_TIMEOUT_MS),
});

/** The settings, parsed; throws with the name of the one that is missing or wrong. */
export function settingsOf(env: Env) {
  const parsed = settingsSchema.parse(env);
  return {
    historyAgeMaxMs: parsed.HISTORY_AGE_MAX_DAYS,
    identityKey: parsed.IDENTITY_KEY,
    userKey: parsed.USER_KEY,
    traceShare: parsed.TRACE_SHARE,
    directTimeoutMs: parsed.DIRECT_TIMEOUT_MS,
  };
}
