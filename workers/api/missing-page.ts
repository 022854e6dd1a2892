import { createMiddleware } from "hono/factory";
import type { Env } from "./env.ts";

/**
 * A person who followed a wrong link gets the dashboard, which says in words that there is no such page; whoever calls the API gets its problem. Stands before
 * what gives answers of the API their headers: a page has its own.
 */
export const missingPage = createMiddleware<{ Bindings: Env }>(async (c, next) => {
  await next();
  // Each browser says that somebody visits, and nothing else does (Fetch Metadata Request Headers, "Sec-Fetch-Mode").
  const isVisit = c.req.method === "GET" && c.req.header("Sec-Fetch-Mode") === "navigate";
  if (c.res.status !== 404 || !isVisit || c.req.path.startsWith("/v1/") || c.env.ASSETS === undefined) return;
  const { body, headers } = await c.env.ASSETS.fetch(new URL("/", c.req.url));
  // A response in the place of another takes over its headers.
  c.res = undefined;
  c.res = new Response(body, { status: 404, headers });
});
