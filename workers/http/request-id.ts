import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { DirectoryUnavailable } from "../directory/unavailable.ts";
import { log } from "../log.ts";
import { directoryUnavailable, internalError, type Problem, problemResponse } from "./problem.ts";
import { secureHeaders } from "./secure-headers.ts";
import { setHeaders } from "./set-headers.ts";

export type WithRequestId<Bindings> = { Bindings: Bindings; Variables: { requestId: string } };

export const REQUEST_ID_HEADER = "X-Request-Id";

export const newRequestId = (): string => crypto.randomUUID();

/** Gives every request an id of our own, which the answer, the log and the events' archive lines carry; and the answer the headers that all have. */
export const requestId = createMiddleware<WithRequestId<object>>(async (c, next) => {
  c.set("requestId", newRequestId());
  await next();
  // `c.var` would make an object of all that is set.
  setHeaders(c, [[REQUEST_ID_HEADER, c.get("requestId")], ...secureHeaders(c.req.url)]);
});

/** Whatever a route throws is a bug or an outage: the log gets all of it, the caller the id to ask about. */
export function toProblem<E extends { Variables: { requestId: string } }>(error: Error, c: Context<E>): Response {
  const requestId: string = c.get("requestId");
  if (error instanceof DirectoryUnavailable) {
    log("warn", "directory unavailable", { request: requestId, path: c.req.path, error: error.cause });
    return withRequestId(directoryUnavailable, requestId);
  }
  log("error", "request failed", { request: requestId, method: c.req.method, path: c.req.path, error });
  return withRequestId(internalError, requestId);
}

function withRequestId(problem: Problem, requestId: string): Response {
  const response = problemResponse(problem);
  response.headers.set(REQUEST_ID_HEADER, requestId);
  return response;
}
