import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";
import { isMiddleware, nameOf } from "../access/admit.ts";
import { problemResponse } from "../http/problem.ts";
import { strayParameter } from "../http/query-string.ts";

/** Routes whose handlers read the query string, and refuse what they do not know themselves (`readQuery`). All others take none. */
const READING_QUERY: ReadonlySet<string> = new Set([
  "GET /v1/merchants/:merchant/report",
  "GET /v1/merchants/:merchant/metrics",
  "POST /v1/merchants/:merchant/query",
  "GET /v1/merchants/:merchant/events",
  "GET /v1/merchants/:merchant/live",
  "GET /v1/merchants/:merchant/keys",
  "GET /v1/admin/sources",
  "GET /v1/admin/merchants",
  "GET /v1/admin/keys",
  "GET /v1/admin/log",
  "GET /v1/admin/dead-letters",
  "GET /v1/admin/topology",
  "GET /v1/admin/audit",
  "GET /v1/admin/replays",
  "GET /v1/admin/erasures",
  // Whoever watches may put there what keeps caches away.
  "GET /healthz",
]);

/** Refuses parameters of calls that take none: `stray-parameters.workerd.test.ts` asks every route for one that it does not have. */
export const refuseStrayParameters = createMiddleware(async (c, next) => {
  const route = matchedRoutes(c).find((one) => !isMiddleware(one));
  const problem = route === undefined || READING_QUERY.has(nameOf(route)) ? undefined : strayParameter(c);
  return problem === undefined ? await next() : problemResponse(problem);
});
