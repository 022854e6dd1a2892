import { backoffMs, isTemporary, retryAfterMs } from "./backoff.ts";
import { baseUrl } from "./base-url.ts";
import { failureText } from "./failure-text.ts";
import { objectIn, problemText } from "./problem.ts";
import { type Receipt, readReceipt } from "./receipt.ts";

/** Tries of one batch, the first included: with the waits between them a server may be away for about a minute. */
export const ATTEMPTS_MAX = 8;
/** One try, from the first byte sent to the last one received. */
export const REQUEST_MS_MAX = 60_000;

export type PostTarget = {
  /** Base URL of ingest, such as `http://127.0.0.1:8787`. */
  url: string;
  /** A source's key. */
  key: string;
  /** Ask for `Prefer: respond-async`: the answer then says what was queued, not what was new. */
  async?: boolean;
};

/** NDJSON as it goes over the wire; `gzip` says that it is compressed already. */
export type PostBody = { bytes: Uint8Array<ArrayBuffer>; gzip: boolean };

export type PostDeps = {
  fetch: typeof globalThis.fetch;
  /** Resolves after `ms`, or as soon as `signal` fires; never rejects. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  random: () => number;
  /** Tries instead of `ATTEMPTS_MAX`. */
  attemptsMax?: number;
  /** No further try is begun after this. */
  stop?: AbortSignal;
  /** Cuts off even the try under way. */
  abort?: AbortSignal;
  onRetry?: (retry: { attempt: number; waitMs: number; why: string }) => void;
};

export type PostOutcome = { attempts: number; sentBytes: number } & (
  | { reason: "answered"; receipt: Receipt }
  /** 401: no other batch will fare better with this key. */
  | { reason: "key_refused"; why: string }
  /** Another answer that a retry would not change: 400, 413, 415, a redirect, or one without the receipt it should have. */
  | { reason: "refused"; status: number; why: string }
  | { reason: "gave_up"; why: string }
  | { reason: "stopped" }
);

/**
 * Posts one batch until it is answered for good. 408, 429, 5xx and network errors are tried again, `ATTEMPTS_MAX` times in all,
 * no sooner than `Retry-After` says. A repeat is harmless even when the first try was counted and only its answer was lost: every
 * event carries its id, so what was counted is a duplicate. Never rejects.
 */
export async function postBatch(target: PostTarget, body: PostBody, deps: PostDeps): Promise<PostOutcome> {
  let sentBytes = 0;
  for (let attempt = 1; ; attempt += 1) {
    if (isStopped(deps)) return { reason: "stopped", attempts: attempt - 1, sentBytes };
    sentBytes += body.bytes.length;
    const tried = await tryOnce(target, body, deps);
    if (tried.reason !== "try_again") return { ...tried, attempts: attempt, sentBytes };
    if (isStopped(deps)) return { reason: "stopped", attempts: attempt, sentBytes };
    if (attempt >= (deps.attemptsMax ?? ATTEMPTS_MAX))
      return { reason: "gave_up", why: tried.why, attempts: attempt, sentBytes };
    const waitMs = backoffMs(attempt, tried.retryAfterMs, deps.random);
    deps.onRetry?.({ attempt, waitMs, why: tried.why });
    await deps.sleep(waitMs, deps.stop);
  }
}

/** The address events are posted to. Throws a `RangeError` that says what is wrong with `url`. */
export function eventsUrl(url: string): string {
  const base = baseUrl(url);
  return base.endsWith("/v1/events") ? base : `${base}/v1/events`;
}

type Tried =
  | { reason: "answered"; receipt: Receipt }
  | { reason: "key_refused"; why: string }
  | { reason: "refused"; status: number; why: string }
  | { reason: "try_again"; why: string; retryAfterMs: number };

async function tryOnce(target: PostTarget, body: PostBody, { fetch, abort }: PostDeps): Promise<Tried> {
  const timeout = AbortSignal.timeout(REQUEST_MS_MAX);
  try {
    // Called by itself: browsers and Workers do not let `fetch` be the method of another object.
    const response = await fetch(eventsUrl(target.url), {
      method: "POST",
      headers: {
        authorization: `Bearer ${target.key}`,
        "content-type": "application/x-ndjson",
        ...(body.gzip ? { "content-encoding": "gzip" } : {}),
        ...(target.async ? { prefer: "respond-async" } : {}),
      },
      body: body.bytes,
      redirect: "manual",
      signal: abort === undefined ? timeout : AbortSignal.any([timeout, abort]),
    });
    return judge(response, await response.text());
  } catch (error) {
    const why = timeout.aborted ? `no answer within ${REQUEST_MS_MAX / 1000} s` : failureText(error);
    return { reason: "try_again", why, retryAfterMs: 0 };
  }
}

function judge({ status, headers }: Response, text: string): Tried {
  const said = objectIn(text);
  if (isTemporary(status)) {
    return { reason: "try_again", why: problemText(status, said), retryAfterMs: retryAfterMs(headers, Date.now()) };
  }
  // 403 and 422 with a receipt: none of the events was taken, and the receipt says of each why.
  if (status === 200 || status === 202 || status === 403 || status === 422) {
    const receipt = readReceipt(said);
    if (receipt !== undefined) return { reason: "answered", receipt };
    if (status < 300) {
      return {
        reason: "refused",
        status,
        why: `answered ${status} without a receipt; is the URL that of Tally's ingest?`,
      };
    }
  }
  if (status === 401) return { reason: "key_refused", why: problemText(status, said) };
  // Browsers hide where a redirect leads, and its status, which is 0 then.
  if (status === 0 || (status >= 300 && status < 400)) {
    const where = headers.get("location") ?? "elsewhere";
    return { reason: "refused", status, why: `${status}, redirected to ${where}; give that URL if you trust it` };
  }
  return { reason: "refused", status, why: problemText(status, said) };
}

function isStopped(deps: PostDeps): boolean {
  return deps.stop?.aborted === true || deps.abort?.aborted === true;
}
