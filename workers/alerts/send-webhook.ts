import { openSecret, type SealingEnv } from "./sealed-secret.ts";
import { signMessage } from "./signature.ts";
import { parseWebhookUrl } from "./webhook-url.ts";

/** A receiver that does more than note the notice should do it afterwards. */
export const WEBHOOK_TIMEOUT_MS = 10_000;

export interface WebhookEnv extends SealingEnv {
  /** `on` lets webhooks go to `http://127.0.0.1`: on one machine alone. */
  readonly WEBHOOKS_TO_LOOPBACK?: string;
}

export const isLoopbackAllowed = ({ WEBHOOKS_TO_LOOPBACK }: WebhookEnv) => WEBHOOKS_TO_LOOPBACK === "on";

/** How an attempt ended. */
export type Attempt =
  | { readonly ok: true; readonly status: number }
  | { readonly ok: false; readonly status: number | null; readonly failure: string };

/** Where a notice goes, and what it is signed with: secrets are sealed. */
export interface Receiver {
  readonly alertId: string;
  readonly url: string;
  readonly secret: string;
  /** Signs beside `secret` until then. */
  readonly previousSecret: string | null;
  readonly previousUntil: number | null;
}

/**
 * Posts a notice once. Anything but a 2xx within the time is a failure, a redirect too: the address that was checked is the one that is called. What is
 * answered is not read: it is none of ours, and might be long.
 */
export async function sendWebhook(
  env: WebhookEnv,
  receiver: Receiver,
  { id, body }: { readonly id: string; readonly body: string },
  nowMs: number,
): Promise<Attempt> {
  // Again: what is allowed may have changed since it was stored.
  const url = parseWebhookUrl(receiver.url, isLoopbackAllowed(env));
  if (!url.ok) return { ok: false, status: null, failure: `the address is not allowed: ${url.error}` };
  const secrets = await secretsOf(env, receiver, nowMs);
  const timestampS = Math.floor(nowMs / 1000);
  const signature = await signMessage({ id, timestampS, body }, secrets);
  try {
    const response = await fetch(url.value, {
      method: "POST",
      redirect: "manual",
      signal: AbortSignal.timeout(WEBHOOK_TIMEOUT_MS),
      headers: {
        "Content-Type": "application/json",
        "User-Agent": "Tally-Webhooks/1",
        "webhook-id": id,
        "webhook-timestamp": String(timestampS),
        "webhook-signature": signature,
      },
      body,
    });
    await response.body?.cancel();
    const { status } = response;
    if (status >= 200 && status < 300) return { ok: true, status };
    const isRedirect = status >= 300 && status < 400;
    return {
      ok: false,
      status,
      failure: isRedirect ? "it answered with a redirect, which is not followed" : `it answered ${status}`,
    };
  } catch (error) {
    const isLate = error instanceof Error && error.name === "TimeoutError";
    const failure = isLate ? `no answer within ${WEBHOOK_TIMEOUT_MS / 1000} s` : "it could not be reached";
    return { ok: false, status: null, failure };
  }
}

async function secretsOf(env: WebhookEnv, { alertId, secret, previousSecret, previousUntil }: Receiver, nowMs: number) {
  const isBefore = previousSecret !== null && previousUntil !== null && nowMs < previousUntil;
  const sealed = isBefore ? [secret, previousSecret] : [secret];
  return await Promise.all(sealed.map((text) => openSecret(env, alertId, text)));
}
