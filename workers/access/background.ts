import type { Context } from "hono";
import { log } from "../log.ts";

/** Goes on with what no answer waits for; a failure is logged, and nobody's. */
export function inBackground(c: Context, what: string, work: Promise<unknown>): void {
  const done = work.catch((error: unknown) => log("warn", `${what} failed`, { path: c.req.path, error }));
  try {
    c.executionCtx.waitUntil(done);
  } catch {
    // Called without one, as `app.request` of a test does: it runs all the same.
  }
}
