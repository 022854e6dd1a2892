import type { Context } from "hono";
import type { Result } from "../../../shared/result.ts";
import { DAY_MS, HOUR_MS, WINDOW_MS } from "../../../shared/window.ts";
import { limitKeyOf } from "../../access/admit.ts";
import { inBackground } from "../../access/background.ts";
import type { Guarded } from "../../access/guarded.ts";
import { correctionsAfter, lastCorrectionOf } from "../../directory/corrections.ts";
import { loadReadTopology } from "../../directory/topology.ts";
import { DirectoryUnavailable } from "../../directory/unavailable.ts";
import { errorText } from "../../error-text.ts";
import { type Problem, problemResponse } from "../../http/problem.ts";
import { type RateLimitEnv, takeRequest, withLimitHeaders } from "../../http/rate-limit.ts";
import { newRequestId, REQUEST_ID_HEADER } from "../../http/request-id.ts";
import { secureHeaders } from "../../http/secure-headers.ts";
import { log } from "../../log.ts";
import { isolateMeter, type MeterEnv } from "../../meter/isolate-meter.ts";
import type { Env } from "../env.ts";
import { HistoryUnavailable } from "../history.ts";
import { readMark, ShardUnavailable } from "../hot-windows.ts";
import { meterRequest, routeOf } from "../metered.ts";
import { CachedReads, type Surroundings } from "./cached-reads.ts";
import { edgeAnswers } from "./edge-answers.ts";
import type { KeptAnswer } from "./kept-answer.ts";
import { keptResponse } from "./kept-response.ts";
import { CORRECTIONS_READ_MAX } from "./known-corrections.ts";
import { type KnownRequest, KnownRequests } from "./known-requests.ts";
import { BELIEVED_MS } from "./lifetime.ts";
import type { Question } from "./question.ts";

/** Shards have windows of the last 24 hours and half an hour; a mark of what they have is asked for of no more. */
const SHARDS_RETAIN_MS_MAX = DAY_MS + 2 * HOUR_MS;
/** While history is away, this much earlier words count as the same: `to=now` is another moment every ten minutes. */
const STALE_WORDINGS_MAX = 6;
/** A caller who has just sent something and must see it: what is kept is not believed, but may be found to be right (RFC 9111 §5.2.1.4). */
const NO_CACHE = /\bno-cache\b/i;

/** This isolate's. */
const reads = new CachedReads();
const known = new KnownRequests();

type ApiContext = Context<Guarded<Env>>;
/** Makes a question of a request, as of a moment. */
type Ask = (c: ApiContext, atMs: number) => Promise<Result<Question, Problem>>;

/**
 * The answer to a request of which the same was answered a moment ago, before any route is looked for: what most hits pay. `undefined` when it has
 * to go the whole way.
 */
export function answerKnown(
  request: Request,
  env: RateLimitEnv & MeterEnv,
  context: Pick<ExecutionContext, "waitUntil">,
): Promise<Response> | undefined {
  const nowMs = Date.now();
  const asked = known.get(request, nowMs);
  if (asked === undefined || isDoubting(request)) return undefined;
  const believed = reads.believed(asked.key, nowMs);
  return believed === undefined ? undefined : answerHit(request, env, context, asked, believed, nowMs);
}

async function answerHit(
  request: Request,
  env: RateLimitEnv & MeterEnv,
  context: Pick<ExecutionContext, "waitUntil">,
  { limitKey, route }: KnownRequest,
  answer: KeptAnswer,
  nowMs: number,
): Promise<Response> {
  const taken = await takeRequest(env, limitKey, nowMs);
  const isAllowed = taken?.isAllowed !== false;
  const given = isAllowed ? keptResponse(request, answer, "isolate", nowMs) : problemResponse(taken.problem);
  const response = withLimitHeaders(given, taken);
  response.headers.set(REQUEST_ID_HEADER, newRequestId());
  for (const [name, value] of secureHeaders(request.url)) response.headers.set(name, value);
  meterRequest(route, response.status, nowMs, Date.now());
  isolateMeter.flushLater(env, (work) => context.waitUntil(work), nowMs);
  return response;
}

/**
 * Answers a read of the merchant to whom the caller has been admitted, from the cache or by its question. The one way for a route to be cached:
 * `app.get(path, (c) => cachedRead(c, ask))`, a route whose calls are not logged, since `answerKnown` logs none.
 */
export async function cachedRead(c: ApiContext, ask: Ask): Promise<Response> {
  const nowMs = Date.now();
  const request = c.req.raw;
  const isDoubted = isDoubting(request);
  const asked = await ask(c, nowMs);
  if (!asked.ok) return problemResponse(asked.error);
  const question = asked.value;
  known.note(request, { key: question.key, limitKey: limitKeyOf(c.get("caller")), route: routeOf(c.req.path) }, nowMs);
  const around = surroundings(c, isDoubted ? 0 : BELIEVED_MS);
  try {
    const served = await reads.read(question, around);
    if (!served.ok) return "stream" in served.error ? served.error.stream() : problemResponse(served.error);
    return keptResponse(request, served.value.answer, served.value.origin, Date.now());
  } catch (error) {
    if (!isAway(error)) throw error;
    const kept = await reads.stale(await earlierKeys(c, question, nowMs, ask), around);
    if (kept === undefined) throw error;
    const { requestId } = c.var;
    log("warn", "read answered stale", { request: requestId, path: c.req.path, error, cause: errorText(error.cause) });
    return keptResponse(request, kept, "stale", Date.now());
  }
}

function isDoubting({ headers }: Request): boolean {
  return NO_CACHE.test(headers.get("Cache-Control") ?? "");
}

function surroundings(c: ApiContext, believedMs: number): Surroundings {
  const { DIRECTORY, VERSION } = c.env;
  return {
    nowMs: Date.now,
    believedMs,
    edge: edgeAnswers(VERSION.id),
    correctionsAfter: (seq) => correctionsAfter(DIRECTORY, seq, CORRECTIONS_READ_MAX),
    lastCorrectionOf: (merchantId) => lastCorrectionOf(DIRECTORY, merchantId),
    markOf: async ({ merchantId, madeFromMs, toMs }) => {
      const nowMs = Date.now();
      const topology = await loadReadTopology(DIRECTORY, nowMs);
      return await readMark(c.env, topology, merchantId, Math.max(madeFromMs, nowMs - SHARDS_RETAIN_MS_MAX), toMs);
    },
    keepAlive: (work) => inBackground(c, "keeping an answer", work),
  };
}

/** The keys that the same words had a while ago, where they meant a span with the same beginning; the present one first. */
async function earlierKeys(
  c: ApiContext,
  { key, fromMs }: Question,
  nowMs: number,
  ask: Ask,
): Promise<readonly string[]> {
  const keys = new Set([key]);
  for (let ago = 1; ago <= STALE_WORDINGS_MAX; ago++) {
    const asked = await ask(c, nowMs - ago * WINDOW_MS);
    if (asked.ok && asked.value.fromMs === fromMs) keys.add(asked.value.key);
  }
  return [...keys];
}

function isAway(error: unknown): error is Error {
  return (
    error instanceof HistoryUnavailable || error instanceof ShardUnavailable || error instanceof DirectoryUnavailable
  );
}
