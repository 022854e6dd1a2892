import type { Context } from "hono";
import { BoundedCache } from "../../../shared/bounded-cache.ts";
import type { Result } from "../../../shared/result.ts";
import { DAY_MS, HOUR_MS, WINDOW_MS } from "../../../shared/window.ts";
import { correctionsAfter, lastCorrectionOf } from "../../directory/corrections.ts";
import { loadTopology } from "../../directory/topology.ts";
import { DirectoryUnavailable } from "../../directory/unavailable.ts";
import { type Problem, problemResponse } from "../../http/problem.ts";
import type { WithRequestId } from "../../http/request-id.ts";
import { log } from "../../log.ts";
import type { Env } from "../env.ts";
import { HistoryUnavailable } from "../history.ts";
import { readMark, ShardUnavailable } from "../hot-windows.ts";
import { CachedReads, type Surroundings } from "./cached-reads.ts";
import { edgeAnswers } from "./edge-answers.ts";
import { keptResponse } from "./kept-response.ts";
import { CORRECTIONS_READ_MAX } from "./known-corrections.ts";
import { BELIEVED_MS } from "./lifetime.ts";
import type { Question } from "./question.ts";

/** What was asked in these very words is understood for a moment, so that a hit costs no parsing: `now` and `today` move. */
const WORDINGS_MAX = 5_000;
const WORDING_CHARS_MAX = 512;
/** Shards have windows of the last 24 hours and half an hour; a mark of what they have is asked for of no more. */
const SHARDS_RETAIN_MS_MAX = DAY_MS + 2 * HOUR_MS;
/** While history is away, this much earlier words count as the same: `to=now` is another moment every ten minutes. */
const STALE_WORDINGS_MAX = 6;
/** A caller who has just sent something and must see it: what is kept is not believed, but may be found to be right (RFC 9111 §5.2.1.4). */
const NO_CACHE = /\bno-cache\b/i;

/** This isolate's. */
const reads = new CachedReads();
const understood = new BoundedCache<string, string>(WORDINGS_MAX);

/**
 * Answers a read of a merchant, to which the caller has been admitted, from the cache or by its question, which `ask` makes of the request as of a
 * moment. The one way for a route to be cached.
 */
export async function cachedRead(
  c: Context<WithRequestId<Env>>,
  merchantId: string,
  nowMs: number,
  ask: (atMs: number) => Promise<Result<Question, Problem>>,
): Promise<Response> {
  const request = c.req.raw;
  const words = wordingOf(request, merchantId);
  const key = understood.get(words, nowMs);
  const isDoubted = NO_CACHE.test(request.headers.get("Cache-Control") ?? "");
  const believed = key === undefined || isDoubted ? undefined : reads.believed(key, nowMs);
  if (believed !== undefined) return keptResponse(request, believed, "isolate", nowMs);

  const asked = await ask(nowMs);
  if (!asked.ok) return problemResponse(asked.error);
  const question = asked.value;
  if (words.length <= WORDING_CHARS_MAX) understood.set(words, question.key, nowMs + BELIEVED_MS);
  const around = surroundings(c, isDoubted ? 0 : BELIEVED_MS);
  try {
    const { answer, origin } = await reads.read(question, around);
    return keptResponse(request, answer, origin, Date.now());
  } catch (error) {
    if (!(error instanceof HistoryUnavailable || error instanceof ShardUnavailable)) throw error;
    const kept = await reads.stale(await earlierKeys(question, nowMs, ask), around).catch(unlessAway);
    if (kept === undefined) throw error;
    const { requestId } = c.var;
    log("warn", "read answered stale", { request: requestId, path: c.req.path, error, cause: String(error.cause) });
    return keptResponse(request, kept, "stale", Date.now());
  }
}

/** A path may spell a merchant in several ways; the merchant stands before it in one. */
function wordingOf({ url, headers }: Request, merchantId: string): string {
  return `${merchantId} ${headers.get("Accept") ?? ""} ${url.slice(url.indexOf("/", "https://".length))}`;
}

function surroundings(c: Context<WithRequestId<Env>>, believedMs: number): Surroundings {
  const { DIRECTORY, VERSION } = c.env;
  const keepAlive = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  return {
    nowMs: Date.now,
    believedMs,
    edge: edgeAnswers(VERSION.id),
    correctionsAfter: (seq) => correctionsAfter(DIRECTORY, seq, CORRECTIONS_READ_MAX),
    lastCorrectionOf: (merchantId) => lastCorrectionOf(DIRECTORY, merchantId),
    markOf: async ({ merchantId, fromMs, toMs }) => {
      const nowMs = Date.now();
      const topology = await loadTopology(DIRECTORY, nowMs);
      return await readMark(c.env, topology, merchantId, Math.max(fromMs, nowMs - SHARDS_RETAIN_MS_MAX), toMs);
    },
    keepAlive,
  };
}

/** The keys that the same words had a while ago, where they meant a span with the same beginning; the present one first. */
async function earlierKeys(
  { key, fromMs }: Question,
  nowMs: number,
  ask: (atMs: number) => Promise<Result<Question, Problem>>,
): Promise<readonly string[]> {
  const keys = new Set([key]);
  for (let ago = 1; ago <= STALE_WORDINGS_MAX; ago++) {
    const asked = await ask(nowMs - ago * WINDOW_MS);
    if (asked.ok && asked.value.fromMs === fromMs) keys.add(asked.value.key);
  }
  return [...keys];
}

function unlessAway(error: unknown): undefined {
  if (!(error instanceof DirectoryUnavailable)) throw error;
}
