/** Upper bound of the wait before the second try; it doubles with each one, and the wait is random below it (full jitter). */
export const BACKOFF_FIRST_MS = 500;
export const BACKOFF_MS_MAX = 30_000;
/** A server that asks for more patience than this is taken at this. */
export const RETRY_AFTER_MS_MAX = 120_000;

/** How long to wait after a failed `attempt` (from 1): full jitter, on top of what the server asked for. */
export function backoffMs(attempt: number, retryAfterMs: number, random: () => number): number {
  const boundMs = Math.min(BACKOFF_MS_MAX, BACKOFF_FIRST_MS * 2 ** (attempt - 1));
  return Math.min(retryAfterMs, RETRY_AFTER_MS_MAX) + Math.floor(random() * boundMs);
}

/** What `Retry-After` asks for, in seconds or as a date (RFC 9110, section 10.2.3); 0 when it says nothing that can be read. */
export function retryAfterMs(headers: Headers, nowMs: number): number {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - nowMs);
}

/** Whether the same request may well be answered another time: the server is busy, away, or was too slow. */
export function isTemporary(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** Resolves after `ms`, or as soon as `signal` fires: whoever waits looks at the signal next anyway. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}
