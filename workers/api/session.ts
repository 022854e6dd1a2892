import { type Context, Hono } from "hono";
import type { z } from "zod";
import { inBackground } from "../access/background.ts";
import type { Guarded } from "../access/guarded.ts";
import { IDENTITY_PROVIDERS, type Identity } from "../access/identity-provider.ts";
import { originOf } from "../access/same-origin.ts";
import { csrfTokenOf, SESSION_MS, type Session, sealSession } from "../access/session.ts";
import { clearSessionCookie, setSessionCookie } from "../access/session-cookie.ts";
import { toBase64url } from "../bytes.ts";
import { askDirectory } from "../directory/ask-directory.ts";
import { type Principal, subjectOf } from "../directory/authenticate.ts";
import { noteUse } from "../directory/last-used.ts";
import { readMerchant } from "../directory/merchants.ts";
import { DirectoryUnavailable } from "../directory/unavailable.ts";
import { type Problem, problemResponse, unauthorized } from "../http/problem.ts";
import { CONNECTING_IP, takeOfAddress, withLimitHeaders } from "../http/rate-limit.ts";
import { presentMerchant } from "./admin-merchants.ts";
import { fresh } from "./answer.ts";
import type { Env } from "./env.ts";
import { readJson } from "./json-body.ts";
import type { merchantSchema } from "./merchant-schema.ts";
import { type sessionSchema, signInSchema } from "./session-schema.ts";

export { sessionSchema, signInSchema } from "./session-schema.ts";

/** Below `/v1/session`: the dashboard's sign-in (docs/decisions/0036). */
export const session = new Hono<Guarded<Env>>()
  .post("/", async (c) => {
    const nowMs = Date.now();
    // There is no key yet to limit it by.
    const taken = await takeOfAddress(c.env, c.req.header(CONNECTING_IP), nowMs);
    const isRefused = taken?.isAllowed === false;
    return withLimitHeaders(isRefused ? problemResponse(taken.problem) : await answerSignIn(c, nowMs), taken);
  })
  .get("/", async (c) => {
    const { principal, keyId, session } = c.var.caller;
    return fresh(await present(c.env, principal, keyId, session));
  })
  .delete("/", (c) => {
    clearSessionCookie(c);
    return c.body(null, 204);
  });

async function answerSignIn(c: Context<Guarded<Env>>, nowMs: number): Promise<Response> {
  // Or another site could sign its visitors in as somebody else, who would then read what they do.
  if (originOf(c.req.raw) === "foreign") return problemResponse(foreignSignIn);
  if (!c.env.SESSION_KEY) return problemResponse(noSessions);
  const body = await readJson(c, signInSchema);
  if (!body.ok) return problemResponse(body.error);
  const signedIn = await signIn(c, body.value, nowMs);
  if (signedIn === undefined) return problemResponse(unauthorized('Send {"key": …} with a valid key.'));
  const [provider, identity] = signedIn;
  if (identity.principal.kind === "source") return problemResponse(sourcesHaveNone);
  const made: Session = {
    id: toBase64url(crypto.getRandomValues(new Uint8Array(16))),
    provider,
    handle: identity.handle,
    issuedMs: nowMs,
    expiresMs: Math.min(nowMs + SESSION_MS, identity.expiresMs),
  };
  setSessionCookie(c, await sealSession(c.env, made), Math.ceil((made.expiresMs - nowMs) / 1000));
  const use = noteUse(c.env.DIRECTORY, identity.keyId, nowMs);
  if (use !== undefined) inBackground(c, "noting a key's use", use);
  c.header("Cache-Control", "private, no-store");
  return c.json(await present(c.env, identity.principal, identity.keyId, made), 201);
}

async function signIn(
  c: Context<Guarded<Env>>,
  body: unknown,
  nowMs: number,
): Promise<readonly [provider: string, identity: Identity] | undefined> {
  for (const provider of IDENTITY_PROVIDERS) {
    const identity = await provider.signIn(c.env, { body, headers: c.req.raw.headers }, nowMs);
    if (identity !== null) return [provider.name, identity];
  }
  return undefined;
}

async function present(
  env: Env,
  principal: Principal,
  keyId: string,
  session: Session | undefined,
): Promise<z.output<typeof sessionSchema>> {
  if (principal.kind === "source") throw new Error("a source has no session");
  return {
    kind: principal.kind,
    subject: subjectOf(principal),
    role: principal.kind === "merchant" ? principal.role : null,
    key_id: keyId,
    merchant: principal.kind === "merchant" ? await merchantOf(env.DIRECTORY, principal.merchantId) : null,
    session:
      session === undefined
        ? null
        : { expires_at: new Date(session.expiresMs).toISOString(), csrf_token: await csrfTokenOf(env, session) },
  };
}

/** A page that begins with a session needs no other answer before it asks for numbers. */
async function merchantOf(directory: D1Database, id: string): Promise<z.output<typeof merchantSchema> | null> {
  try {
    const merchant = await askDirectory(directory, () => readMerchant(directory, id));
    return merchant === undefined ? null : presentMerchant(merchant);
  } catch (error) {
    if (error instanceof DirectoryUnavailable) return null;
    throw error;
  }
}

const foreignSignIn: Problem = {
  status: 403,
  code: "csrf",
  title: "Another site may not sign its visitors in",
  detail: "Sign in from a page of this origin, or from a program, which sends neither Origin nor Sec-Fetch-Site.",
};

const sourcesHaveNone: Problem = {
  status: 403,
  code: "forbidden",
  title: "The key may not do this",
  detail: "A source's key sends events; sign in with a merchant's or an operator's.",
};

const noSessions: Problem = {
  status: 503,
  code: "no_sessions",
  title: "There is no sign-in here",
  detail: "This deployment has no SESSION_KEY; use a key in Authorization.",
  // Until somebody gives it one.
  retryAfterS: 3_600,
};
