import { z } from "zod";
import { fromBase64url, toBase64url, toHex } from "../bytes.ts";

/**
 * Secrets that have to be kept readable, since notices are signed with them: AES-256-GCM under a secret of the Worker, and worth nothing without it. Text
 * `v1.<key id>.<iv>.<ciphertext>`, the key id the beginning of the key's SHA-256, so that a rotation knows what is left to be sealed anew.
 */

export interface SealingEnv {
  /** 64 hex digits; without it there are no alerts. */
  readonly ALERT_KEY?: string;
  /** What was sealed with it can be opened, and is sealed anew by the cron. */
  readonly ALERT_KEY_PREVIOUS?: string;
}

const VERSION = "v1";
const IV_BYTES = 12;
const KEY_ID_DIGITS = 8;
const keySchema = z.string().regex(/^[0-9a-fA-F]{64}$/, "64 hexadecimal digits");

/** `of` is whose secret it is: sealed for one alert, it cannot be opened for another. Throws when `ALERT_KEY` is not what it should be. */
export async function sealSecret(
  env: SealingEnv,
  of: string,
  secret: string,
  iv: Uint8Array<ArrayBuffer>,
): Promise<string> {
  if (iv.byteLength !== IV_BYTES) throw new Error(`an iv has ${IV_BYTES} bytes`);
  const { id, key } = await importKey(keySchema.parse(env.ALERT_KEY));
  const sealed = await crypto.subtle.encrypt(algorithm(iv, of), key, new TextEncoder().encode(secret));
  return [VERSION, id, toBase64url(iv), toBase64url(new Uint8Array(sealed))].join(".");
}

export const randomIv = () => crypto.getRandomValues(new Uint8Array(IV_BYTES));

/** Throws when neither key has sealed it, or it was changed. */
export async function openSecret(env: SealingEnv, of: string, text: string): Promise<string> {
  const [version, keyId, iv, sealed, ...rest] = text
    .split(".")
    .map((part, at) => (at < 2 ? part : fromBase64url(part)));
  if (version !== VERSION || typeof iv !== "object" || typeof sealed !== "object" || rest.length > 0) {
    throw new Error("not a sealed secret");
  }
  for (const hex of [env.ALERT_KEY, env.ALERT_KEY_PREVIOUS]) {
    if (hex === undefined || hex === "") continue;
    const { id, key } = await importKey(keySchema.parse(hex));
    if (id !== keyId) continue;
    return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm(iv, of), key, sealed));
  }
  throw new Error(`sealed with a key that is not here (${String(keyId)})`);
}

/** What a secret begins with that the present key has sealed. */
export async function presentPrefix(env: SealingEnv): Promise<string> {
  const { id } = await importKey(keySchema.parse(env.ALERT_KEY));
  return `${VERSION}.${id}.`;
}

const algorithm = (iv: Uint8Array<ArrayBuffer>, of: string) => ({
  name: "AES-GCM",
  iv,
  additionalData: new TextEncoder().encode(of),
});

interface SealingKey {
  readonly id: string;
  readonly key: CryptoKey;
}

/** An isolate's keys, imported once: one, or two around a rotation. */
const imported = new Map<string, Promise<SealingKey>>();

function importKey(hex: string): Promise<SealingKey> {
  const known = imported.get(hex) ?? importAnew(hex);
  imported.set(hex, known);
  return known;
}

async function importAnew(hex: string): Promise<SealingKey> {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  const [key, digest] = await Promise.all([
    crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]),
    crypto.subtle.digest("SHA-256", bytes),
  ]);
  return { id: toHex(new Uint8Array(digest)).slice(0, KEY_ID_DIGITS), key };
}
