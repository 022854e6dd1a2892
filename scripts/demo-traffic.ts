import { type PostDeps, type PostOutcome, postBatch } from "../clients/typescript/src/post-events.ts";
import { demoSchedule } from "./demo-events.ts";
import type { DemoMerchant } from "./demo-merchants.ts";
import { sleep } from "./sleep.ts";

export { type Delivery, type DemoOptions, demoEvents, demoSchedule } from "./demo-events.ts";
export { type DemoMerchant, demoMerchants } from "./demo-merchants.ts";

/** The demo's history: whoever uses the same seed gets the same events for the same moments. */
export const DEMO_SEED = "tally-demo";
const SEND_EVERY_MS = 1_000;
/** Catching up, this much is sent at a time: some hundred events. */
const SPAN_MS_MAX = 60_000;
/** After a longer break (a laptop asleep), or from an earlier `sinceMs`, older events are left out: they would be past the lateness horizon. */
const BEHIND_MS_MAX = 86_400_000;
/** Few tries, so that the demo is back a moment after the server is: what was not sent is part of the next second's. */
const ATTEMPTS_MAX = 3;

export type DemoTrafficOptions = {
  /** Base URL of ingest. */
  url: string;
  /** A key that may write for all of `merchants`. */
  key: string;
  merchants: readonly DemoMerchant[];
  /** Of all merchants together; 10 unless said otherwise. */
  eventsPerSecond?: number;
  seed?: string;
  nowMs: () => number;
  /** Ends the traffic at once; a request under way is cut off. */
  signal: AbortSignal;
  /** Start with what was sold since then, at most a day ago, so that the demo has a past; by default with now. */
  sinceMs?: number;
  /** Told when sending begins to fail, and `undefined` when it works again. Not told each second in between. */
  onProblem?: (why: string | undefined) => void;
} & Partial<Pick<PostDeps, "fetch" | "sleep" | "random">>;

export type DemoTotals = { sent: number; accepted: number; duplicates: number; late: number; rejected: number };

/**
 * Sends once a second what the shops have sold since, until `signal` fires; resolves then with the sums. Events that could not
 * be sent are sent with the next ones, and sending something twice does no harm, so an ingest that restarts loses nothing.
 * Never rejects.
 */
export async function startDemoTraffic(options: DemoTrafficOptions): Promise<DemoTotals> {
  const { url, key, merchants, nowMs, signal, seed = DEMO_SEED, eventsPerSecond = 10 } = options;
  const schedule = demoSchedule({ merchants, seed, eventsPerSecond });
  const deps: PostDeps = {
    fetch,
    sleep,
    random: Math.random,
    ...given(options),
    attemptsMax: ATTEMPTS_MAX,
    stop: signal,
    abort: signal,
  };
  const tell = problemTeller(options.onProblem);
  const totals: DemoTotals = { sent: 0, accepted: 0, duplicates: 0, late: 0, rejected: 0 };
  let sentToMs = options.sinceMs ?? nowMs();
  while (!signal.aborted) {
    const beganMs = nowMs();
    const fromMs = Math.max(sentToMs, beganMs - BEHIND_MS_MAX);
    const toMs = Math.max(fromMs, Math.min(beganMs, fromMs + SPAN_MS_MAX));
    const lines = schedule(fromMs, toMs).map(({ event }) => `${JSON.stringify(event)}\n`);
    const outcome = lines.length === 0 ? undefined : await postBatch({ url, key }, ndjson(lines), deps);
    if (outcome?.reason === "stopped") break;
    tell(outcome === undefined ? undefined : problemOf(outcome));
    if (outcome?.reason === "answered") addTo(totals, lines.length, outcome.receipt);
    const isSent = outcome === undefined || outcome.reason === "answered";
    if (isSent) sentToMs = toMs;
    const isBehind = isSent && sentToMs + SEND_EVERY_MS < nowMs();
    if (!isBehind) await deps.sleep(Math.max(0, SEND_EVERY_MS - (nowMs() - beganMs)), signal);
  }
  return totals;
}

function given({ fetch, sleep, random }: DemoTrafficOptions): Partial<PostDeps> {
  return { ...(fetch && { fetch }), ...(sleep && { sleep }), ...(random && { random }) };
}

function ndjson(lines: readonly string[]): { bytes: Uint8Array<ArrayBuffer>; gzip: false } {
  return { bytes: new TextEncoder().encode(lines.join("")), gzip: false };
}

/** Rejected events count as sent, for they would be rejected again, but somebody should know. */
function problemOf(outcome: Exclude<PostOutcome, { reason: "stopped" }>): string | undefined {
  if (outcome.reason !== "answered") return outcome.why;
  const { rejected, errors } = outcome.receipt;
  return rejected === 0 ? undefined : `${rejected} events rejected: ${errors[0]?.code}: ${errors[0]?.message}`;
}

function addTo(totals: DemoTotals, sent: number, receipt: Omit<DemoTotals, "sent">): void {
  totals.sent += sent;
  totals.accepted += receipt.accepted;
  totals.duplicates += receipt.duplicates;
  totals.late += receipt.late;
  totals.rejected += receipt.rejected;
}

function problemTeller(onProblem: DemoTrafficOptions["onProblem"]): (why: string | undefined) => void {
  let isTold = false;
  return (why) => {
    if ((why !== undefined) === isTold) return;
    isTold = why !== undefined;
    onProblem?.(why);
  };
}
