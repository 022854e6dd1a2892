import { BoundedCache } from "../../shared/bounded-cache.ts";
import { log } from "../log.ts";
import type { Problem } from "./problem.ts";

/** The limits of a Worker, each in wrangler.toml twice: for the binding, and, since a binding does not tell, as a variable. Without either nothing is limited. */
export interface RateLimitEnv {
  /** Requests of one who was let in: a source, or a key. */
  readonly RATE_LIMITER?: RateLimit;
  /** Such as `5000/10s`, or `off`. */
  readonly RATE_LIMIT?: string;
  /** Requests of one address that showed nothing valid, and its sign-ins. */
  readonly ADDRESS_LIMITER?: RateLimit;
  readonly ADDRESS_LIMIT?: string;
}

/** The caller's address, as the platform has it: it lets nobody else set this. */
export const CONNECTING_IP = "CF-Connecting-IP";

/** So many requests a period, of one key, at one of the platform's locations. */
export interface Quota {
  readonly requestsMax: number;
  readonly periodS: number;
}

/** The names of the policies in the `RateLimit` headers. */
export type Policy = "requests" | "address";
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

/** Takes one request from what the caller of this name has left. A limiter that fails stops nobody. */
export async function takeRequest(env: RateLimitEnv, caller: string, nowMs: number): Promise<Taken | undefined> {
  const quota = quotaOf(env.RATE_LIMIT);
  if (quota === undefined || env.RATE_LIMITER === undefined) return undefined;
  const isAllowed = await allows(env.RATE_LIMITER, caller);
  return verdict("requests", quota, isAllowed, countOf(caller, quota, nowMs), nowMs);
}

/**
 * Takes one request from what an address has left for those who are not known yet. Without an address, as when another Worker calls, they cannot be
 * told apart and are not limited.
 */
export async function takeOfAddress(
  env: RateLimitEnv,
  connectingIp: string | undefined,
  nowMs: number,
): Promise<Taken | undefined> {
  const quota = quotaOf(env.ADDRESS_LIMIT);
  if (!connectingIp || quota === undefined || env.ADDRESS_LIMITER === undefined) return undefined;
  const key = addressKey(connectingIp);
  const isAllowed = spent.get(key, nowMs) === undefined && (await allows(env.ADDRESS_LIMITER, key));
  if (!isAllowed) spent.set(key, true, nowMs + msLeft(quota.periodS, nowMs));
  return verdict("address", quota, isAllowed, countOf(key, quota, nowMs), nowMs);
}

/** Whether a host may be called once more because somebody asks for it: as often as an address may ask without a key. */
export async function mayCallReceiver(env: RateLimitEnv, host: string): Promise<boolean> {
  return await isWithinAddressLimit(env, `receiver:${host}`);
}

/**
 * Whether a merchant may do one more of what is logged, whatever keys it uses: as often as an address may ask without a key. Each such call is a row of the
 * one directory, which a key's own limit would let anybody fill.
 */
export async function mayChange(env: RateLimitEnv, subject: string): Promise<boolean> {
  return await isWithinAddressLimit(env, `changes:${subject}`);
}

async function isWithinAddressLimit(env: RateLimitEnv, key: string): Promise<boolean> {
  if (quotaOf(env.ADDRESS_LIMIT) === undefined || env.ADDRESS_LIMITER === undefined) return true;
  return await allows(env.ADDRESS_LIMITER, key);
}

/** Addresses that the limiter has refused, until their period ends. */
const spent = new BoundedCache<string, true>(TALLIES_MAX);

/** Whether this isolate knows that the address has nothing left: then the directory is asked for nothing that comes from there. */
export function isAddressSpent(connectingIp: string | undefined, nowMs: number): boolean {
  return Boolean(connectingIp) && spent.size > 0 && spent.get(addressKey(connectingIp ?? ""), nowMs) !== undefined;
}

const addressKey = (connectingIp: string) => `address:${limitedAddress(connectingIp)}`;

/** Of IPv6 the /64, which is what one customer has at the least: each request could come from another of its 2^64 addresses otherwise. */
export function limitedAddress(address: string): string {
  if (!address.includes(":")) return address;
  const [head = [], tail = []] = address
    .toLowerCase()
    .split("::")
    .map((side) => side.split(":").filter((group) => group !== ""));
  const left = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0");
  const groups = [...head, ...left, ...tail].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}

async function allows(limiter: RateLimit, key: string): Promise<boolean> {
  try {
    return (await limiter.limit({ key })).success;
  } catch (error) {
    log("warn", "the rate limiter does not answer", { error });
    return true;
  }
}

/** Parsed once for each text an isolate sees, which are two. Throws when it is neither `off` nor a quota. */
function quotaOf(text: string | undefined): Quota | undefined {
  if (text === undefined || text === "off") return undefined;
  const known = quotas.get(text);
  if (known !== undefined) return known;
  const [, requests, period] = QUOTA.exec(text) ?? [];
  if (requests === undefined || period === undefined) {
    throw new Error(`a limit is "off", or so many requests in 10 or 60 seconds, such as 5000/10s, not ${text}`);
  }
  const quota = { requestsMax: Number(requests), periodS: Number(period) };
  quotas.set(text, quota);
  return quota;
}
const quotas = new Map<string, Quota>();

function countOf(key: string, { periodS }: Quota, nowMs: number): number {
  const tally = tallies.get(key, nowMs) ?? { count: 0 };
  if (tally.count === 0) tallies.set(key, tally, nowMs + msLeft(periodS, nowMs));
  return ++tally.count;
}

/** Pure. `count` is how many requests this isolate knows of: what remains is that much less at the least. */
export function verdict(policy: Policy, quota: Quota, isAllowed: boolean, count: number, nowMs: number): Taken {
  const { requestsMax, periodS } = quota;
  const remaining = isAllowed ? Math.max(0, requestsMax - count) : 0;
  const resetS = Math.ceil(msLeft(periodS, nowMs) / 1000);
  return {
    isAllowed,
    headers: [
      ["RateLimit-Policy", `"${policy}";q=${requestsMax};w=${periodS}`],
      ["RateLimit", `"${policy}";r=${remaining};t=${resetS}`],
    ],
    problem: {
      status: 429,
      code: "rate_limited",
      title: "Too many requests",
      detail: `${requestsMax} ${WHAT[policy]} in ${periodS} s are allowed.`,
      retryAfterS: resetS,
      extensions: { "violated-policies": [policy] },
    },
  };
}

const WHAT: Readonly<Record<Policy, string>> = {
  requests: "requests",
  address: "requests of one address without a valid key, and sign-ins,",
};

/** The headers of what was taken, on an answer of ours. */
export function withLimitHeaders(response: Response, taken: Taken | undefined): Response {
  for (const [name, value] of taken?.headers ?? []) response.headers.set(name, value);
  return response;
}

/** Periods are aligned to the clock. */
function msLeft(periodS: number, nowMs: number): number {
  return periodS * 1000 - (nowMs % (periodS * 1000));
}
