import { z } from "zod";
import { failureText } from "./failure-text.ts";

/** Tries of one batch, the first included: with the waits below a server may be away for about a minute. */
export const ATTEMPTS_MAX = 8;
/** Upper bound of the wait before the second try; it doubles with each one, and the wait is random below it (full jitter). */
export const BACKOFF_FIRST_MS = 500;
export const BACKOFF_MS_MAX = 30_000;
/** A server that asks for more patience than this is taken at this. */
export const RETRY_AFTER_MS_MAX = 120_000;
/** One try, from the first byte sent to the last one received. */
export const REQUEST_MS_MAX = 60_000;

const receiptErrorSchema = z.object({
  index: z.int().min(0),
  event_id: z.string().optional(),
  code: z.string(),
  path: z.string().optional(),
  message: z.string().default(""),
});
const count = z.int().min(0).default(0);
/** Counts that an answer leaves out are 0: a 202 says `queued` in place of what is not known yet. */
const receiptSchema = z.object({
  accepted: count,
  duplicates: count,
  late: count,
  rejected: count,
  queued: count,
  errors: z.array(receiptErrorSchema).default([]),
});
/** A receipt names at least one of these; any other JSON comes from something else than Tally. */
const receiptMarkSchema = z.union([
  z.object({ accepted: z.number() }),
  z.object({ queued: z.number() }),
  z.object({ rejected: z.number() }),
]);
const problemSchema = z.object({
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
});

export type ReceiptError = z.output<typeof receiptErrorSchema>;
export type Receipt = z.output<typeof receiptSchema>;

export type PostTarget = {
  /** Base URL of ingest, such as `http://127.0.0.1:8787`. */
  url: string;
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
 * no sooner than `Retry-After` (seconds) says. A repeat is harmless even when the first try was counted and only its answer
 * was lost: every event carries its id, so what was counted is a duplicate. Never rejects.
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
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "http:" && parsed?.protocol !== "https:") {
    throw new RangeError(`not a URL: ${url} (one such as http://127.0.0.1:8787 is expected)`);
  }
  const path = parsed.pathname.replace(/\/+$/, "");
  return `${parsed.origin}${path.endsWith("/v1/events") ? path : `${path}/v1/events`}`;
}

/** How long to wait after a failed `attempt` (from 1): full jitter, on top of what the server asked for. */
export function backoffMs(attempt: number, retryAfterMs: number, random: () => number): number {
  const boundMs = Math.min(BACKOFF_MS_MAX, BACKOFF_FIRST_MS * 2 ** (attempt - 1));
  return Math.min(retryAfterMs, RETRY_AFTER_MS_MAX) + Math.floor(random() * boundMs);
}

type Tried =
  | { reason: "answered"; receipt: Receipt }
  | { reason: "key_refused"; why: string }
  | { reason: "refused"; status: number; why: string }
  | { reason: "try_again"; why: string; retryAfterMs: number };

async function tryOnce(target: PostTarget, body: PostBody, deps: PostDeps): Promise<Tried> {
  const timeout = AbortSignal.timeout(REQUEST_MS_MAX);
  try {
    const response = await deps.fetch(eventsUrl(target.url), {
      method: "POST",
      headers: {
        authorization: `Bearer ${target.key}`,
        "content-type": "application/x-ndjson",
        ...(body.gzip ? { "content-encoding": "gzip" } : {}),
        ...(target.async ? { prefer: "respond-async" } : {}),
      },
      body: body.bytes,
      redirect: "manual",
      signal: deps.abort === undefined ? timeout : AbortSignal.any([timeout, deps.abort]),
    });
    return judge(response.status, response.headers, await response.text());
  } catch (error) {
    const why = timeout.aborted ? `no answer within ${REQUEST_MS_MAX / 1000} s` : failureText(error);
    return { reason: "try_again", why, retryAfterMs: 0 };
  }
}

function judge(status: number, headers: Headers, text: string): Tried {
  if (status === 408 || status === 429 || status >= 500) {
    return { reason: "try_again", why: problemText(status, text), retryAfterMs: retryAfterMs(headers) };
  }
  // 403 and 422 with a receipt: none of the events was taken, and the receipt says of each why.
  if (status === 200 || status === 202 || status === 403 || status === 422) {
    const receipt = receiptIn(text);
    if (receipt !== undefined) return { reason: "answered", receipt };
    if (status < 300) {
      return {
        reason: "refused",
        status,
        why: `answered ${status} without a receipt; is the URL that of Tally's ingest?`,
      };
    }
  }
  if (status === 401) return { reason: "key_refused", why: problemText(status, text) };
  if (status >= 300 && status < 400) {
    const where = headers.get("location") ?? "elsewhere";
    return { reason: "refused", status, why: `${status}, redirected to ${where}; give that URL if you trust it` };
  }
  return { reason: "refused", status, why: problemText(status, text) };
}

function receiptIn(text: string): Receipt | undefined {
  const json = parseJson(text);
  if (!receiptMarkSchema.safeParse(json).success) return undefined;
  return receiptSchema.safeParse(json).data;
}

function problemText(status: number, text: string): string {
  const problem = problemSchema.safeParse(parseJson(text)).data;
  const said = [problem?.title, problem?.detail].filter((part) => part !== undefined && part !== "").join(": ");
  return `${status} ${said === "" ? "(no explanation)" : said}`;
}

/** `Retry-After` in seconds; its other form, a date, is not Tally's and counts as absent. */
function retryAfterMs(headers: Headers): number {
  const text = headers.get("retry-after")?.trim() ?? "";
  return /^\d{1,9}$/.test(text) ? Number(text) * 1000 : 0;
}

/** `undefined` for a text that is no JSON: what a proxy or another server may well answer with. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isStopped(deps: PostDeps): boolean {
  return deps.stop?.aborted === true || deps.abort?.aborted === true;
}
