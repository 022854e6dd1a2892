import { z } from "zod";
import { fromBase64url, toBase64url } from "../bytes.ts";

/** What a browser holds in the place of a key: signed, not secret, and worth nothing after `expiresMs`. */
export interface Session {
  readonly id: string;
  /** The `IdentityProvider` that vouches for it, and what it is asked with: the key's id. */
  readonly provider: string;
  readonly handle: string;
  readonly issuedMs: number;
  readonly expiresMs: number;
}

/** Absolute: however it is used, a session ends so long after its sign-in (docs/decisions/0036). */
export const SESSION_MS = 12 * 3_600_000;
/** A cookie longer than any of ours is not looked at. */
const SESSION_CHARACTERS_MAX = 2_048;

const payloadSchema = z
  .strictObject({
    v: z.literal(1),
    id: z.string(),
    idp: z.string(),
    sub: z.string(),
    iat: z.int(),
    exp: z.int(),
  })
  .transform(
    ({ id, idp, sub, iat, exp }): Session => ({ id, provider: idp, handle: sub, issuedMs: iat, expiresMs: exp }),
  );

/** The secrets sessions are signed with: `SESSION_KEY` signs, and what `SESSION_KEY_PREVIOUS` signed is good until it expires. */
export interface SessionEnv {
  readonly SESSION_KEY?: string;
  readonly SESSION_KEY_PREVIOUS?: string;
}

const secretSchema = z.string().regex(/^[0-9a-fA-F]{64}$/, "64 hexadecimal digits");

/** The cookie's value. Throws when `SESSION_KEY` is not what it should be. */
export async function sealSession(env: SessionEnv, session: Session): Promise<string> {
  const { id, provider: idp, handle: sub, issuedMs: iat, expiresMs: exp } = session;
  const payload = toBase64url(new TextEncoder().encode(JSON.stringify({ v: 1, id, idp, sub, iat, exp })));
  return `${payload}.${await sign(env, `session.${payload}`)}`;
}

/** The session of a cookie; `undefined` for one that is none of ours, was changed, or has expired. */
export async function openSession(env: SessionEnv, cookie: string, nowMs: number): Promise<Session | undefined> {
  const [payload, mac, ...rest] = cookie.split(".");
  if (payload === undefined || mac === undefined || rest.length > 0) return undefined;
  if (cookie.length > SESSION_CHARACTERS_MAX || !(await isSigned(env, `session.${payload}`, mac))) return undefined;
  const bytes = fromBase64url(payload);
  const parsed = payloadSchema.safeParse(bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes)));
  return parsed.success && parsed.data.expiresMs > nowMs ? parsed.data : undefined;
}

/** What a page must send along to change anything with the session's cookie; another site cannot read it. */
export async function csrfTokenOf(env: SessionEnv, { id }: Session): Promise<string> {
  return await sign(env, `csrf.${id}`);
}

export async function isCsrfTokenOf(env: SessionEnv, { id }: Session, token: string): Promise<boolean> {
  return await isSigned(env, `csrf.${id}`, token);
}

async function sign(env: SessionEnv, text: string): Promise<string> {
  const key = await hmacKey(secretSchema.parse(env.SESSION_KEY));
  return toBase64url(new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text))));
}

async function isSigned(env: SessionEnv, text: string, mac: string): Promise<boolean> {
  const bytes = fromBase64url(mac);
  if (bytes === undefined) return false;
  for (const secret of [env.SESSION_KEY, env.SESSION_KEY_PREVIOUS]) {
    if (secret === undefined || secret === "") continue;
    const key = await hmacKey(secretSchema.parse(secret));
    // `verify` compares in constant time.
    if (await crypto.subtle.verify("HMAC", key, bytes, new TextEncoder().encode(text))) return true;
  }
  return false;
}

/** An isolate's secrets, imported once: two, or four around a rotation. */
const imported = new Map<string, Promise<CryptoKey>>();

function hmacKey(secret: string): Promise<CryptoKey> {
  const known = imported.get(secret);
  if (known !== undefined) return known;
  const bytes = Uint8Array.from(secret.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  const key = crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
  imported.set(secret, key);
  return key;
}
