/** Signatures of webhooks, symmetric, as the Standard Webhooks specification has them: `v1,<base64 of HMAC-SHA256>`. */

const SECRET_PREFIX = "whsec_";
/** The specification asks for 24 to 64. */
export const SECRET_BYTES = 32;

/** A secret as receivers are given it. */
export function webhookSecret(bytes: Uint8Array): string {
  return SECRET_PREFIX + toBase64(bytes);
}

export interface SignedMessage {
  /** The `webhook-id`. */
  readonly id: string;
  /** Seconds: the `webhook-timestamp`, of the attempt. */
  readonly timestampS: number;
  readonly body: string;
}

/** The value of `webhook-signature`: one signature for each secret, so that around a rotation receivers that know either are content. */
export async function signMessage(
  { id, timestampS, body }: SignedMessage,
  secrets: readonly string[],
): Promise<string> {
  const content = new TextEncoder().encode(`${id}.${timestampS}.${body}`);
  const signatures = await Promise.all(
    secrets.map(async (secret) => {
      const bytes = Uint8Array.from(atob(secret.slice(SECRET_PREFIX.length)), (digit) => digit.charCodeAt(0));
      const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
      return `v1,${toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, content)))}`;
    }),
  );
  return signatures.join(" ");
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
