import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";
import type { RouterRoute } from "hono/types";
import { err, ok, type Result } from "../../shared/result.ts";
import { subjectOf } from "../directory/authenticate.ts";
import { noteUse } from "../directory/last-used.ts";
import { type Problem, problemResponse } from "../http/problem.ts";
import {
  CONNECTING_IP,
  isAddressSpent,
  mayChange,
  takeOfAddress,
  takeRequest,
  withLimitHeaders,
} from "../http/rate-limit.ts";
import { setHeaders } from "../http/set-headers.ts";
import { inBackground } from "./background.ts";
import { type Caller, callerOf } from "./caller.ts";
import { CSRF_HEADER } from "./csrf-header.ts";
import type { AdmitEnv, Guarded } from "./guarded.ts";
import { LoggedCall } from "./logged-call.ts";
import { isSafe, originOf } from "./same-origin.ts";
import { checkScope, targetOf } from "./scope.ts";
import { isCsrfTokenOf } from "./session.ts";
import type { AccessTable } from "./table.ts";

/**
 * Lets a request through to its handler if the table says so: what a router uses first. A route the table does not know is a bug and answers nothing; a
 * path that no route answers goes on to the router's 404. Calls that are logged are written down before they are done.
 */
export function admit(table: AccessTable) {
  return createMiddleware<Guarded<AdmitEnv>>(async (c, next) => {
    const route = answeringRoute(c);
    if (route === undefined) return await next();
    const access = table[nameOf(route)];
    if (access === undefined) throw new Error(`${nameOf(route)} stands in no table of access`);
    if (access.who === "anyone") return await next();

    const nowMs = Date.now();
    const connectingIp = c.req.header(CONNECTING_IP);
    // An address that keeps sending what is no key costs the directory nothing more; keys that are known go on.
    const caller = await callerOf(c, nowMs, !isAddressSpent(connectingIp, nowMs));
    const call = access.isLogged ? new LoggedCall(c, route.path, caller, nowMs) : undefined;
    // Before it is said whether they may: what is refused costs something, too.
    const taken =
      caller === null
        ? await takeOfAddress(c.env, connectingIp, nowMs)
        : await takeRequest(c.env, limitKeyOf(caller), nowMs);
    if (taken?.isAllowed === false) {
      call?.noteRefusal(taken.problem.status);
      return withLimitHeaders(problemResponse(taken.problem), taken);
    }
    if (call !== undefined && caller !== null && !(await mayBeLogged(c.env, caller))) {
      call.noteRefusal(tooManyChanges.status);
      return withLimitHeaders(problemResponse(tooManyChanges), taken);
    }
    const scope = checkScope(access.who, caller, targetOf(c.req.path));
    const allowed = scope.ok ? await checkPage(c, scope.value) : scope;
    if (!allowed.ok) {
      call?.noteRefusal(allowed.error.status);
      return withLimitHeaders(problemResponse(allowed.error), taken);
    }
    noteUseOf(c, allowed.value, nowMs);
    c.set("caller", allowed.value);
    c.set("merchant", targetOf(c.req.path).merchantId ?? "");
    const { who } = access;
    c.set("isStillAdmitted", async (nowMs) => checkScope(who, await callerOf(c, nowMs), targetOf(c.req.path)).ok);
    await call?.begin();
    await next();
    call?.end(c.res.status);
    setHeaders(c, taken?.headers ?? []);
  });
}

/** What will answer: the first that matches and is no middleware, which stands in a router under a path that ends in `*` and for all methods. */
function answeringRoute(c: Context): RouterRoute | undefined {
  return matchedRoutes(c).find((route) => !isMiddleware(route));
}

export function isMiddleware({ method, path }: Pick<RouterRoute, "method" | "path">): boolean {
  return method === "ALL" && path.endsWith("*");
}

/** Operators' calls all are; of others there are so many that they must not take the log for themselves, nor fill the directory. */
async function mayBeLogged(env: AdmitEnv, { principal }: Caller): Promise<boolean> {
  return principal.kind === "operator" || (await mayChange(env, `${principal.kind}:${subjectOf(principal)}`));
}

const tooManyChanges: Problem = {
  status: 429,
  code: "rate_limited",
  title: "Too many requests",
  detail: "So many changes in a minute are not taken, whatever keys they come with.",
  retryAfterS: 60,
};

/** As it stands in the table. */
export function nameOf({ method, path }: Pick<RouterRoute, "method" | "path">): string {
  return `${method} ${path}`;
}

/** That a page of ours wants it, of what a session's cookie would change: a browser sends the cookie whoever asks it to. */
async function checkPage(c: Context<Guarded<AdmitEnv>>, caller: Caller): Promise<Result<Caller, Problem>> {
  const { session } = caller;
  if (session === undefined || isSafe(c.req.method)) return ok(caller);
  if (originOf(c.req.raw) !== "own") {
    return err(foreignPage("A session changes things for pages of this origin only: send Origin, or use a key."));
  }
  const token = c.req.header(CSRF_HEADER);
  if (token === undefined || !(await isCsrfTokenOf(c.env, session, token))) {
    return err(foreignPage(`Send ${CSRF_HEADER} with the csrf_token of GET /v1/session.`));
  }
  return ok(caller);
}

const foreignPage = (detail: string): Problem => ({
  status: 403,
  code: "csrf",
  title: "It is not certain that the session's owner wants this",
  detail,
  extensions: { parameter: CSRF_HEADER },
});

/** A source has one limit, whatever keys it uses; a session shares its key's. */
export function limitKeyOf({ principal, keyId }: Caller): string {
  return principal.kind === "source" ? `source:${principal.id}` : `key:${keyId}`;
}

function noteUseOf(c: Context<Guarded<AdmitEnv>>, { keyId }: Caller, nowMs: number): void {
  const use = noteUse(c.env.DIRECTORY, keyId, nowMs);
  if (use !== undefined) inBackground(c, "noting a key's use", use);
}
