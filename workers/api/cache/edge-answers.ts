import { z } from "zod";
import { log } from "../../log.ts";
import type { KeptAnswer } from "./kept-answer.ts";
import { STALE_KEPT_MS } from "./lifetime.ts";

/** What a data center keeps of answers, for all isolates in it. */
export interface EdgeAnswers {
  get(key: string): Promise<KeptAnswer | undefined>;
  set(key: string, answer: KeptAnswer, nowMs: number): Promise<void>;
}

/** Of the 512 MB that an object may have ("Cache API", limits), what is worth a place. */
const ANSWER_BYTES_MAX = 8 * 2 ** 20;
const CACHE_NAME = "tally-reads";
/** Everything but the body; the keys of `Cache` must be addresses, and this is nobody's. */
const FACTS_HEADER = "Tally-Answer";
const KEY_BASE = "https://reads.tally.invalid/";

const factsSchema = z.object({
  merchantId: z.string(),
  contentType: z.string(),
  headers: z.record(z.string(), z.string()).optional(),
  tag: z.string(),
  kind: z.enum(["open", "provisional", "final"]),
  expiresMs: z.int(),
  corrected: z.int(),
  mark: z.string().nullable(),
  rightAtMs: z.int(),
});

/**
 * By the platform's Cache API. `version` is that of the Worker, so that a new one, whose answers may look otherwise, starts afresh. What fails here
 * is a miss.
 */
export function edgeAnswers(version: string): EdgeAnswers {
  const addressOf = (key: string) => `${KEY_BASE}${version}/${key}`;
  return {
    get: async (key) => {
      const found = await attempt(async () => (await caches.open(CACHE_NAME)).match(addressOf(key)));
      if (found === undefined) return undefined;
      const facts = factsSchema.parse(JSON.parse(found.headers.get(FACTS_HEADER) ?? "null"));
      return { ...facts, body: new Uint8Array(await found.arrayBuffer()) };
    },
    set: async (key, { body, ...facts }, nowMs) => {
      // What still fills is asked for anew before another isolate has use for it.
      if (facts.kind === "open" || body.byteLength > ANSWER_BYTES_MAX) return;
      const keptS = Math.ceil((facts.expiresMs + STALE_KEPT_MS - nowMs) / 1_000);
      const headers = { [FACTS_HEADER]: JSON.stringify(facts), "Cache-Control": `max-age=${keptS}` };
      await attempt(async () => (await caches.open(CACHE_NAME)).put(addressOf(key), new Response(body, { headers })));
    },
  };
}

async function attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    log("warn", "edge cache failed", { error });
    return undefined;
  }
}
