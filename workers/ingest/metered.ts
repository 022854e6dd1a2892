import type { Context, Next } from "hono";
import { inBackground } from "../access/background.ts";
import type { Guarded } from "../access/guarded.ts";
import { isolateMeter } from "../meter/isolate-meter.ts";
import type { Env } from "./env.ts";
import type { Receipt } from "./receipt.ts";
import type { Work } from "./under-way.ts";

/** What is known of a request that posts events on its way. */
export type Collecting = Guarded<Env> & { Variables: { work: Work } };

/** Counts a request that posts events, and has what this isolate has counted told a little later: behind the answer, and not for each. */
export async function metered(c: Context<Collecting>, next: Next): Promise<void> {
  const beganMs = Date.now();
  await next();
  const nowMs = Date.now();
  const outcome = outcomeOf(c.res.status);
  if (outcome !== undefined) isolateMeter.count("ingest_requests", 1, outcome);
  isolateMeter.observe("ingest_request_seconds", (nowMs - beganMs) / 1000);
  isolateMeter.flushLater(c.env, (work) => inBackground(c, "telling metrics", work), nowMs);
}

/** Of 503 there are two, which are counted where they are answered. */
function outcomeOf(status: number): string | undefined {
  switch (status) {
    case 200:
      return "answered";
    case 202:
      return "queued";
    case 403:
    case 422:
      return "nothing_accepted";
    case 503:
      return undefined;
    default:
      return "malformed";
  }
}

/** Counts a request that is answered 503: at once when the isolate has enough to do, or because the log did not take its events. */
export function meterRefused(outcome: "overloaded" | "log_unavailable"): void {
  isolateMeter.count("ingest_requests", 1, outcome);
}

/** Counts what became of a request's events. */
export function meterReceipt(receipt: Receipt): void {
  for (const kind of KINDS) isolateMeter.count("receipt_events", receipt[kind] ?? 0, kind);
  for (const { code } of receipt.errors) {
    if (code !== "conflict") isolateMeter.count("rejected_events", 1, code);
  }
}

const KINDS = ["accepted", "duplicates", "late", "queued", "rejected", "ignored"] as const;
