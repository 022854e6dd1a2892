import type { Context, Next } from "hono";
import { createMiddleware } from "hono/factory";
import { type Problem, problemResponse } from "../http/problem.ts";
import { arrived, drain, readWithin } from "../http/sent-body.ts";

/** Of any request to this Worker. The longest that makes sense is a topology with its overrides. */
export const BODY_BYTES_MAX = 1_048_576;
const BODY_MS_MAX = 10_000;

const tooLarge: Problem = {
  status: 413,
  code: "body_too_large",
  title: "The body is too large",
  detail: `${BODY_BYTES_MAX} bytes are allowed.`,
};

/**
 * Before anything reads a body: whatever does so afterwards has it in memory as a whole. Of a GET or HEAD nobody reads one, and the request
 * cannot be made anew with what was read of it, as the platform's `Request` has it. What is left unread is read before the answer goes, or its sender, still
 * sending, would find the connection broken in its place.
 */
export const limitBody = createMiddleware(async (c, next) => {
  const sent = c.req.raw;
  const response = await limited(c, next);
  await drain(sent, BODY_BYTES_MAX);
  return response;
});

async function limited(c: Context, next: Next) {
  const { raw } = c.req;
  if (raw.body === null || raw.method === "GET" || raw.method === "HEAD") return await next();
  if (Number(raw.headers.get("Content-Length") ?? 0) > BODY_BYTES_MAX) return problemResponse(tooLarge);
  const read = await arrived(readWithin(raw.body, BODY_BYTES_MAX), BODY_MS_MAX);
  if (!read.ok) return problemResponse(read.error);
  if (read.value === undefined) return problemResponse(tooLarge);
  c.req.raw = new Request(raw, { body: read.value });
  return await next();
}
