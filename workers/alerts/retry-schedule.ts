import { DAY_MS } from "../../shared/window.ts";
import type { EndedDelivery, TakenDelivery } from "../directory/alert-deliveries.ts";
import type { Attempt } from "./send-webhook.ts";

const MINUTE_MS = 60_000;

/**
 * After each attempt that failed, how long until the next: some 21 hours in all, and with the jitter about a day. The cron comes every minute, so nothing
 * shorter would be kept.
 */
export const RETRY_DELAYS_MS = [1, 5, 15, 60, 120, 240, 360, 480].map((minutes) => minutes * MINUTE_MS);
/** Up to so much of a delay is added to it: receivers that were away are not called by everybody at once. */
export const RETRY_JITTER = 0.2;
/** A receiver that has taken nothing for so long is not called any more. */
export const FAILING_MS_MAX = 5 * DAY_MS;
/** A receiver says by it that it is gone for good. */
const GONE = 410;

/** What becomes of a delivery after an attempt. `random` is in `[0, 1)`. */
export function decideRetry(
  { receiver, ...delivery }: TakenDelivery,
  attempt: Attempt,
  random: number,
  nowMs: number,
): EndedDelivery {
  const ended = { delivery, url: receiver.url, attempt };
  if (attempt.ok) return { ...ended, againMs: null, failingSince: null, disabled: null };
  const failingSince = receiver.failingSince ?? nowMs;
  const delayMs = RETRY_DELAYS_MS[delivery.attempts - 1];
  const againMs = delayMs === undefined ? null : nowMs + Math.round(delayMs * (1 + RETRY_JITTER * random));
  return { ...ended, againMs, failingSince, disabled: whyDisabled(attempt, nowMs - failingSince) };
}

function whyDisabled({ status, failure }: Extract<Attempt, { readonly ok: false }>, failingMs: number): string | null {
  if (status === GONE) return "its webhook answered 410: it is gone";
  if (failingMs < FAILING_MS_MAX) return null;
  return `its webhook has taken nothing for ${FAILING_MS_MAX / DAY_MS} days; the last time ${failure}`;
}
