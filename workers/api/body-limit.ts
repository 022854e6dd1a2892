import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { type Problem, problemResponse } from "../http/problem.ts";

/** Of any request to this Worker. The longest that makes sense is a topology with its overrides. */
export const BODY_BYTES_MAX = 1_048_576;

const tooLarge: Problem = {
  status: 413,
  code: "body_too_large",
  title: "The body is too large",
  detail: `${BODY_BYTES_MAX} bytes are allowed.`,
};

/**
 * Before anything reads a body: whatever does so afterwards has it in memory as a whole. Of a GET or HEAD nobody reads one, and the request
 * cannot be made anew with what was read of it, as the platform's `Request` has it.
 */
export const limitBody = createMiddleware(async (c, next) =>
  c.req.method === "GET" || c.req.method === "HEAD" ? await next() : await limited(c, next),
);

const limited = bodyLimit({ maxSize: BODY_BYTES_MAX, onError: () => problemResponse(tooLarge) });
