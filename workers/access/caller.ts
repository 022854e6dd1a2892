import type { Context } from "hono";
import { authenticate, type Principal } from "../directory/authenticate.ts";
import type { AdmitEnv, Guarded } from "./guarded.ts";
import { IDENTITY_PROVIDERS } from "./identity-provider.ts";
import { openSession, type Session } from "./session.ts";
import { sessionCookie } from "./session-cookie.ts";

/** Who calls, and by what. */
export interface Caller {
  readonly principal: Principal;
  /** Of the key, or of the one the session was made of. */
  readonly keyId: string;
  /** Of the dashboard; `undefined` for a key. */
  readonly session: Session | undefined;
}

/**
 * What a request shows: a key in `Authorization`, or else a session's cookie. `null` for neither, and for what is no longer valid. `mayLookUp`: whether the directory
 * may be asked for a key; for a session it always is, since a signature has proved it.
 */
export async function callerOf(c: Context<Guarded<AdmitEnv>>, nowMs: number, mayLookUp = true): Promise<Caller | null> {
  const authorization = c.req.header("Authorization");
  // A header that is wrong is not made good by a cookie: whoever sends it does not speak as the browser's user.
  if (authorization !== undefined) {
    const admission = await authenticate(c.env.DIRECTORY, authorization, nowMs, mayLookUp);
    return admission === null ? null : { ...admission, session: undefined };
  }
  const cookie = c.env.SESSION_KEY === undefined ? undefined : sessionCookie(c);
  const session = cookie === undefined ? undefined : await openSession(c.env, cookie, nowMs);
  if (cookie === undefined || session === undefined) return null;
  const provider = IDENTITY_PROVIDERS.find(({ name }) => name === session.provider);
  const admission = (await provider?.resume(c.env, session, cookie, nowMs)) ?? null;
  return admission === null ? null : { ...admission, session };
}
