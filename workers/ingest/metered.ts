import type { Context, Next } from "hono";
import type { Guarded } from "../access/guarded.ts";
import { isolateMeter } from "../meter/isolate-meter.ts";
import type { Env } from "./env.ts";
import type { Receipt } from "./receipt.ts";

/** Counts a request that posts events, and has what this isolate has counted told a little later: behind the answer, and not for each. */
export async function metered(c: Context<Guarded<Env>>, next: Next): Promise<void> {
  const beganMs = Date.now();
  await next();
  const nowMs = Date.now();
  isolateMeter.count("ingest_requests", 1, outcomeOf(c.res.status));
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
