import { BoundedCache } from "../../shared/bounded-cache.ts";
import { log } from "../log.ts";
import type { Problem } from "./problem.ts";

/** The limit of a Worker, in wrangler.toml twice: for the binding, and, since a binding does not tell, as a variable. Without either nothing is limited. */
export interface RateLimitEnv {
  readonly RATE_LIMITER?: RateLimit;
  /** Such as `5000/10s`, or `off`. */
  readonly RATE_LIMIT?: string;
}

/** So many requests a period, of one key, at one of the platform's locations. */
export interface Quota {
  readonly requestsMax: number;
  readonly periodS: number;
}

/** The name of the one policy in the `RateLimit` headers. */
const POLICY = "requests";
const TALLIES_MAX = 10_000;
/** The platform takes these two. */
const QUOTA = /^([1-9]\d{0,8})\/(10|60)s$/;

interface Tally {
  count: number;
}

/** What this isolate has let through in the present period. */
const tallies = new BoundedCache<string, Tally>(TALLIES_MAX);

export interface Taken {
  readonly isAllowed: boolean;
  /** `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10); none where nothing is limited. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly problem: Problem;
}

/** Takes one request from what `key` has left. A limiter that fails stops nobody. */
export async function takeRequest(env: RateLimitEnv, key: string, nowMs: number): Promise<Taken | undefined> {
  const quota = quotaOf(env.RATE_LIMIT);
  if (quota === undefined || env.RATE_LIMITER === undefined) return undefined;
  let isAllowed = true;
  try {
    ({ success: isAllowed } = await env.RATE_LIMITER.limit({ key }));
  } catch (error) {
    log("warn", "the rate limiter does not answer", { error });
  }
  return verdict(quota, isAllowed, countOf(key, quota, nowMs), nowMs);
}

/** Parsed once for each text an isolate sees, which is one. Throws when it is neither `off` nor a quota. */
function quotaOf(text: string | undefined): Quota | undefined {
  if (text === undefined || text === "off") return undefined;
  if (lastQuota?.text === text) return lastQuota.quota;
  const [, requests, period] = QUOTA.exec(text) ?? [];
  if (requests === undefined || period === undefined) {
    throw new Error(`RATE_LIMIT is "off", or so many requests in 10 or 60 seconds, such as 5000/10s, not ${text}`);
  }
  lastQuota = { text, quota: { requestsMax: Number(requests), periodS: Number(period) } };
  return lastQuota.quota;
}
let lastQuota: { readonly text: string; readonly quota: Quota } | undefined;

function countOf(key: string, { periodS }: Quota, nowMs: number): number {
  const tally = tallies.get(key, nowMs) ?? { count: 0 };
  if (tally.count === 0) tallies.set(key, tally, nowMs + msLeft(periodS, nowMs));
  return ++tally.count;
}

/** Pure. `count` is how many requests this isolate knows of: what remains is that much less at the least. */
export function verdict(quota: Quota, isAllowed: boolean, count: number, nowMs: number): Taken {
  const { requestsMax, periodS } = quota;
  const remaining = isAllowed ? Math.max(0, requestsMax - count) : 0;
  const resetS = Math.ceil(msLeft(periodS, nowMs) / 1000);
  return {
    isAllowed,
    headers: [
      ["RateLimit-Policy", `"${POLICY}";q=${requestsMax};w=${periodS}`],
      ["RateLimit", `"${POLICY}";r=${remaining};t=${resetS}`],
    ],
    problem: {
      status: 429,
      code: "rate_limited",
      title: "Too many requests",
      detail: `${requestsMax} requests in ${periodS} s are allowed.`,
      retryAfterS: resetS,
      extensions: { "violated-policies": [POLICY] },
    },
  };
}

/** Periods are aligned to the clock. */
function msLeft(periodS: number, nowMs: number): number {
  return periodS * 1000 - (nowMs % (periodS * 1000));
}
