import type { Context, Next } from "hono";
import { inBackground } from "../access/background.ts";
import type { Guarded } from "../access/guarded.ts";
import { isolateMeter } from "../meter/isolate-meter.ts";
import { API_ROUTES, type ApiRoute, STATUS_CLASSES, TIMED_ROUTES } from "../meter/series.ts";
import type { Env } from "./env.ts";

/** Counts a request, and has what this isolate has counted told a little later: behind the answer, and not for each. Hits count themselves (`answerKnown`). */
export async function metered(c: Context<Guarded<Env>>, next: Next): Promise<void> {
  const beganMs = Date.now();
  await next();
  const nowMs = Date.now();
  meterRequest(routeOf(c.req.path), c.res.status, beganMs, nowMs);
  isolateMeter.flushLater(c.env, (work) => inBackground(c, "telling metrics", work), nowMs);
}

/** What a path asks for, whether there is such a route or not. */
export function routeOf(path: string): ApiRoute {
  const [, version, area, , what = "merchant"] = path.split("/", 6);
  if (version !== "v1") return "other";
  if (area === "admin" || area === "session") return area;
  return area === "merchants" ? (OF_MERCHANT.find((route) => route === what) ?? "other") : "other";
}

const OF_MERCHANT = API_ROUTES.filter((route) => route !== "admin" && route !== "session" && route !== "other");

/** Cells of each, made once: what a hit pays is a few additions. */
const METERS = Object.fromEntries(
  API_ROUTES.map((route) => [
    route,
    {
      statuses: STATUS_CLASSES.map((status) => isolateMeter.cell("api_requests", route, status)),
      times: isolateMeter.cells("api_request_seconds", TIMED_ROUTES.find((timed) => timed === route) ?? "other"),
    },
  ]),
);

/** Counts a request that has been answered. */
export function meterRequest(route: ApiRoute, status: number, beganMs: number, endedMs: number): void {
  const meter = METERS[route];
  const answered = meter?.statuses[Math.trunc(status / 100) - 2];
  if (meter === undefined || answered === undefined) return;
  const { bounds, buckets, sum } = meter.times;
  const seconds = Math.max(0, endedMs - beganMs) / 1000;
  let bucket = 0;
  while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket += 1;
  answered.value += 1;
  (buckets[bucket] ?? sum).value += 1;
  sum.value += seconds;
}
