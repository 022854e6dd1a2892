import { z } from "zod";
import { type Admission, authenticateKey, resumeKey } from "../directory/authenticate.ts";
import type { Session } from "./session.ts";

/** Somebody who may have a session. */
export interface Identity extends Admission {
  /** What the provider is asked with for as long as the session lasts: it goes into the cookie, so nothing secret. */
  readonly handle: string;
}

/**
 * Who somebody is, before a session is made for them, and as long as it lasts. Keys are one; docs/operations.md, "Signing in with OIDC", says what another
 * would do.
 */
export interface IdentityProvider<Env> {
  /** Stands in sessions, and in the body of a sign-in. */
  readonly name: string;
  /** Whom a sign-in's body and headers prove to be; `null` for nobody. */
  signIn(env: Env, request: SignIn, nowMs: number): Promise<Identity | null>;
  /**
   * Whom a session is for now: asked with every request, so an answer is remembered for `KEY_TTL_MS` at the most. `null` ends the session. `cookie` is
   * that of the session, to remember by.
   */
  resume(env: Env, session: Session, cookie: string, nowMs: number): Promise<Admission | null>;
}

export interface SignIn {
  readonly body: unknown;
  readonly headers: Headers;
}

const keySignInSchema = z.strictObject({ key: z.string().max(200) });

/** A merchant's or an operator's key, exchanged for a session that ends with it. */
export const keyProvider: IdentityProvider<{ readonly DIRECTORY: D1Database }> = {
  name: "key",
  async signIn({ DIRECTORY }, { body }, nowMs) {
    const given = keySignInSchema.safeParse(body);
    if (!given.success) return null;
    const admission = await authenticateKey(DIRECTORY, given.data.key.trim(), nowMs);
    return admission === null ? null : { ...admission, handle: admission.keyId };
  },
  async resume({ DIRECTORY }, { handle }, cookie, nowMs) {
    return await resumeKey(DIRECTORY, handle, cookie, nowMs);
  },
};

/** In the order a sign-in is shown to them. */
export const IDENTITY_PROVIDERS: readonly IdentityProvider<{ readonly DIRECTORY: D1Database }>[] = [keyProvider];
