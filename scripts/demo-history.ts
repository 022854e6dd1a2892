import type { PostBody, PostOutcome } from "../clients/typescript/src/post-events.ts";
import { DAY_MS, isFinal, WINDOW_MS, windowStart } from "../shared/window.ts";
import type { PaymentEventInput } from "./event-input.ts";

/** Events of one request: half of what ingest takes. */
const REQUEST_EVENTS = 5_000;
/** Requests under way: one is being answered while the next is made. */
const REQUESTS_MAX = 3;
/** Sent and not counted yet: they stand in queues, which are in memory here. */
const EVENTS_AHEAD_MAX = 300_000;
const POLL_MS = 1_000;
/** A pass over late windows that fails is tried again after five minutes; what has not moved for longer will not. */
const STALLED_MS_MAX = 400_000;

export type HistorySpan = { fromMs: number; toMs: number };

export type HistoryDeps = {
  /** What happened in a span of whole windows; the same each time. */
  past: (fromMs: number, toMs: number) => PaymentEventInput[];
  post: (body: PostBody) => Promise<PostOutcome>;
  /** Events that history has counted in a span, by day of UTC (its start). */
  countedByDay: (span: HistorySpan) => Promise<ReadonlyMap<number, number>>;
  /** Windows in the span that wait to be counted anew. */
  windowsWaiting: (span: HistorySpan) => Promise<number>;
  nowMs: () => number;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  signal: AbortSignal;
  /** `share` of the span, 0 to 1, and how many of its events are counted. */
  onProgress: (share: number, counted: number) => void;
};

export type HistoryOutcome =
  /** Every event of the span is counted; `sent` of them had to be sent this time. */
  { reason: "complete"; events: number; sent: number } | { reason: "stopped" } | { reason: "failed"; why: string };

/** The span whose events are late when they are sent: up to the first window that its shard still takes events for. */
export function lateSpan(sinceMs: number, nowMs: number): HistorySpan {
  let toMs = windowStart(nowMs - DAY_MS) - WINDOW_MS;
  while (isFinal(toMs, nowMs)) toMs += WINDOW_MS;
  return { fromMs: Math.min(windowStart(sinceMs), toMs), toMs };
}

/**
 * Sends what happened in a span, day by day, and waits until history has counted all of it. A day that it has already is not sent again, and an
 * event that is sent again is none: so a run that was cut off anywhere is made good by the next, and nothing is doubled.
 */
export async function fillHistory(span: HistorySpan, deps: HistoryDeps): Promise<HistoryOutcome> {
  const { signal } = deps;
  const counted = await deps.countedByDay(span);
  const expected = new Map<number, number>();
  const backlog = backlogOf(span, expected, deps);
  const sending = new Set<Promise<void>>();
  let failure: string | undefined;
  let sent = 0;
  for (const day of daysOf(span)) {
    const events = deps.past(day.fromMs, day.toMs);
    expected.set(dayOf(day.fromMs), events.length);
    if ((counted.get(dayOf(day.fromMs)) ?? 0) >= events.length) continue;
    for (let at = 0; at < events.length; at += REQUEST_EVENTS) {
      const body = ndjson(events.slice(at, at + REQUEST_EVENTS));
      const request: Promise<void> = deps.post(body).then((outcome) => {
        failure ??= failureOf(outcome);
        sending.delete(request);
      });
      sending.add(request);
      if (sending.size >= REQUESTS_MAX) await Promise.race(sending);
      if (failure !== undefined || signal.aborted) break;
    }
    if (failure !== undefined || signal.aborted) break;
    sent += events.length;
    const stalled = await backlog.until(day.toMs, (ahead) => ahead <= EVENTS_AHEAD_MAX);
    failure ??= stalled;
    if (failure !== undefined) break;
  }
  await Promise.all(sending);
  const isThere = (ahead: number, waiting: number) => ahead === 0 && waiting === 0;
  if (failure === undefined) failure = await backlog.until(span.toMs, isThere);
  if (signal.aborted) return { reason: "stopped" };
  if (failure !== undefined) return { reason: "failed", why: failure };
  return { reason: "complete", events: sumOf(expected.values()), sent };
}

/** What is sent and not counted, looked up once a second at most. `ahead` are events, of `expected`; `waiting` are windows. */
function backlogOf(span: HistorySpan, expected: ReadonlyMap<number, number>, deps: HistoryDeps) {
  let done = 0;
  let waiting = Number.POSITIVE_INFINITY;
  let lookedMs = 0;
  let movedMs = deps.nowMs();
  const ahead = () => sumOf(expected.values()) - done;

  const look = async (madeToMs: number) => {
    const [counted, windows] = await Promise.all([deps.countedByDay(span), deps.windowsWaiting(span)]);
    const before = { done, waiting };
    done = sumOf([...expected].map(([day, events]) => Math.min(events, counted.get(day) ?? 0)));
    waiting = windows;
    lookedMs = deps.nowMs();
    if (done > before.done || waiting < before.waiting) movedMs = lookedMs;
    // What will be expected of the days to come is not known: taken for as many as there were of those made.
    const made = (madeToMs - span.fromMs) / Math.max(1, span.toMs - span.fromMs);
    deps.onProgress(made * (done / Math.max(1, done + ahead())), done);
  };

  return {
    /** Waits for it; answers why not when nothing has moved for long. `madeToMs` is how far events have been made. */
    until: async (madeToMs: number, isSo: (ahead: number, waiting: number) => boolean): Promise<string | undefined> => {
      if (deps.nowMs() - lookedMs >= POLL_MS) await look(madeToMs);
      while (!isSo(ahead(), waiting) && !deps.signal.aborted) {
        if (deps.nowMs() - movedMs > STALLED_MS_MAX) return "sent events do not appear in history";
        await deps.sleep(POLL_MS, deps.signal);
        await look(madeToMs);
      }
      return undefined;
    },
  };
}

function failureOf(outcome: PostOutcome): string | undefined {
  if (outcome.reason === "stopped") return undefined;
  if (outcome.reason !== "answered") return outcome.why;
  const { rejected, errors } = outcome.receipt;
  return rejected === 0 ? undefined : `${rejected} events rejected: ${errors[0]?.code}: ${errors[0]?.message}`;
}

/** Days of UTC, the first and the last perhaps not whole. */
function daysOf({ fromMs, toMs }: HistorySpan): HistorySpan[] {
  const days: HistorySpan[] = [];
  for (let atMs = fromMs; atMs < toMs; atMs = dayOf(atMs) + DAY_MS) {
    days.push({ fromMs: atMs, toMs: Math.min(toMs, dayOf(atMs) + DAY_MS) });
  }
  return days;
}

function dayOf(ms: number): number {
  return ms - (ms % DAY_MS);
}

function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}

export function ndjson(events: readonly PaymentEventInput[]): PostBody {
  const text = events.map((event) => `${JSON.stringify(event)}\n`).join("");
  return { bytes: new TextEncoder().encode(text), gzip: false };
}
