import type { Context, Next } from "hono";
import type { Guarded } from "../access/guarded.ts";
import { isolateMeter } from "../meter/isolate-meter.ts";
import type { Env } from "./env.ts";
import type { Receipt } from "./receipt.ts";
import type { Work } from "./under-way.ts";

/** What is known of a request that posts events on its way. */
export type Collecting = Guarded<Env> & { Variables: { work: Work; isOverloaded: true | undefined } };

/** Counts a request that posts events, and has what this isolate has counted told a little later: behind the answer, and not for each. */
export async function metered(c: Context<Collecting>, next: Next): Promise<void> {
  const beganMs = Date.now();
  await next();
  const nowMs = Date.now();
  // What was refused for being too much is counted where it is.
  if (c.var.isOverloaded === undefined) isolateMeter.count("ingest_requests", 1, outcomeOf(c.res.status));
  isolateMeter.observe("ingest_request_seconds", (nowMs - beganMs) / 1000);
  isolateMeter.flushLater(c.env, (work) => inContext(c, work), nowMs);
}

function outcomeOf(status: number): string {
  switch (status) {
    case 200:
      return "answered";
    case 202:
      return "queued";
    case 403:
    case 422:
      return "nothing_accepted";
    case 503:
      return "log_unavailable";
    default:
      return "malformed";
  }
}

/** Counts a request that was refused for being too much. Others, which are under way then, tell of it. */
export function meterOverload(): void {
  isolateMeter.count("ingest_requests", 1, "overloaded");
}

/** Counts what became of a request's events. */
export function meterReceipt(receipt: Receipt): void {
  for (const kind of KINDS) isolateMeter.count("receipt_events", receipt[kind] ?? 0, kind);
  for (const { code } of receipt.errors) {
    if (code !== "conflict") isolateMeter.count("rejected_events", 1, code);
  }
}

const KINDS = ["accepted", "duplicates", "late", "queued", "rejected", "ignored"] as const;

function inContext(c: Context, work: Promise<unknown>): void {
  try {
    c.executionCtx.waitUntil(work);
  } catch {
    // Called without one, as `app.request` of a test does: it runs all the same.
  }
}
