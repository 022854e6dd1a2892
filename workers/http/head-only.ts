import { createMiddleware } from "hono/factory";

/** Ends the body of an answer to HEAD, which nobody reads: a stream of events would go on for as long as the runtime lets it, and keep a place from others. */
export const headOnly = createMiddleware(async (c, next) => {
  await next();
  if (c.req.method === "HEAD") await c.res.body?.cancel();
});
