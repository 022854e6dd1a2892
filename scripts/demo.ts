import { join } from "node:path";
import { createClient } from "@clickhouse/client";
import { postBatch } from "../clients/typescript/src/post-events.ts";
import { DAY_MS } from "../shared/window.ts";
import type { KeyKind, KeyRole } from "../workers/directory/key.ts";
import { fillHistory, type HistoryOutcome, type HistorySpan, lateSpan } from "./demo-history.ts";
import { openDemoMark } from "./demo-mark.ts";
import { type DemoMerchant, demoMerchants } from "./demo-merchants.ts";
import { demoPast } from "./demo-past.ts";
import { DEMO_SEED, type DemoTotals, startDemoTraffic } from "./demo-traffic.ts";
import { putDerivedKey, putMerchants, putSource } from "./directory.ts";
import { failureText } from "./failure-text.ts";
import type { LocalSystem } from "./local-system.ts";
import { sleep } from "./sleep.ts";

/** The one whose dashboard is shown: a busy one. */
export const SHOWN_MERCHANT = "cafe-hoshino";
/** Of all fifty together; a busy café has some thousand payments a day then, as in its history. */
export const DEMO_EVENTS_PER_SECOND = 0.5;
/** Those who have been with us for weeks. The others have joined a day ago, so that all of the past can be counted within a minute. */
const LONG_MERCHANTS: ReadonlySet<string> = new Set([
  ...["cafe-hoshino", "ramen-kaze", "izakaya-mameya", "manga-izumi", "sakura-drug", "mart24-shibuya", "pan-no-ki"],
  ...["denki-akiba", "kaffee-lindenhof", "larkspur-coffee", "maple-street-coffee", "chai-junction"],
]);
const DEMO_SOURCE = "demo-app";
/** What is sent has left the queues by then, which only live in memory. What is newer is sent again by the next start, and is a repeat. */
const QUEUED_MS_MAX = 60_000;
const MARK_EVERY_MS = 30_000;
/** Tries of one request of the past: those of a live one are for a server that restarts. */
const ATTEMPTS_MAX = 5;

export interface DemoKeys {
  readonly source: string;
  /** Reads the shown merchant. */
  readonly merchant: string;
  /** Reads it, and manages its keys. */
  readonly manager: string;
  readonly operator: string;
}

export interface DemoOptions {
  readonly stateDir: string;
  /** Whole days of the past; 0 for none but the last one, which is on time. */
  readonly historyDays: number;
  readonly signal: AbortSignal;
  readonly onProblem: (why: string | undefined) => void;
  readonly onHistory: (progress: { readonly share: number; readonly counted: number }) => void;
}

export interface Demo {
  /** When the past is there; `undefined` if there was nothing to send. */
  readonly history: Promise<HistoryOutcome | undefined>;
  /** When `signal` has fired. */
  readonly totals: Promise<DemoTotals>;
}

/** Puts the demo's merchants, its source, and keys into the directory. */
export async function prepareDemo({ runtime, secrets }: LocalSystem, nowMs: number): Promise<DemoKeys> {
  const { directory } = runtime;
  const rows = demoMerchants().map(({ merchant_id: id, name, timezone, currency }) => ({
    id,
    name,
    timezone,
    currency,
  }));
  await putMerchants(directory, rows, nowMs);
  await putSource(directory, { id: DEMO_SOURCE, name: "Demo payment app", merchants: null }, nowMs);
  const key = (kind: KeyKind, subject: string, name: string, role: KeyRole | null = null) =>
    putDerivedKey(directory, { kind, subject, role, name }, secrets.demoSecret, nowMs);
  return {
    source: await key("source", DEMO_SOURCE, "Demo payments"),
    merchant: await key("merchant", SHOWN_MERCHANT, "Programs", "read"),
    manager: await key("merchant", SHOWN_MERCHANT, "Link to the dashboard", "manage"),
    operator: await key("operator", "demo-operator", "Demo operator"),
  };
}

/**
 * Sends what the shops sell, live, after the last day of it, which is still on time; then the weeks before, or what is missing since the last
 * start. How far all of it is counted is kept in the state folder.
 */
export async function startDemo(system: LocalSystem, key: string, options: DemoOptions): Promise<Demo> {
  const { signal } = options;
  const merchants = demoMerchants();
  const mark = await openDemoMark(join(options.stateDir, "demo.json"));
  const nowMs = Date.now();
  // One more, so that the first day is whole in every zone.
  const firstMs = nowMs - (nowMs % DAY_MS) - (options.historyDays + 1) * DAY_MS;
  const span = lateSpan(Math.max(firstMs, mark.completeToMs ?? firstMs), nowMs);
  let isPastThere = (mark.completeToMs ?? 0) >= span.toMs;
  let sentToMs = Math.min(nowMs, Math.max(span.toMs, mark.completeToMs ?? 0));
  const caughtUp = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => caughtUp.resolve());

  const save = async (toMs: number) => {
    if (isPastThere && toMs >= (mark.completeToMs ?? 0) + MARK_EVERY_MS) await mark.save(toMs);
  };
  const totals = startDemoTraffic({
    url: system.runtime.ingestUrl,
    key,
    merchants,
    eventsPerSecond: DEMO_EVENTS_PER_SECOND,
    nowMs: Date.now,
    sinceMs: sentToMs,
    signal,
    onProblem: options.onProblem,
    onSent: ({ fromMs, toMs }) => {
      if (toMs >= nowMs) caughtUp.resolve();
      // After a break that was left out, the mark stays before it, and the next start fills it.
      if (fromMs === sentToMs) sentToMs = toMs;
      void save(sentToMs - QUEUED_MS_MAX).catch((error: unknown) => options.onProblem(String(error)));
    },
  });
  const fill = async (): Promise<HistoryOutcome | undefined> => {
    await caughtUp.promise;
    if (isPastThere || options.historyDays === 0 || signal.aborted) return undefined;
    try {
      const outcome = await fillPast(system, key, merchants, span, options);
      if (outcome.reason === "complete") await mark.save(span.toMs);
      isPastThere = outcome.reason === "complete";
      return outcome;
    } catch (error) {
      return signal.aborted ? { reason: "stopped" } : { reason: "failed", why: failureText(error) };
    }
  };
  return { history: fill(), totals };
}

async function fillPast(
  { runtime, clickhouse }: LocalSystem,
  key: string,
  merchants: readonly DemoMerchant[],
  span: HistorySpan,
  { signal, onHistory }: DemoOptions,
): Promise<HistoryOutcome> {
  const { url, reader } = clickhouse;
  const client = createClient({ url, username: reader.user, password: reader.password, database: "tally" });
  const target = { url: runtime.ingestUrl, key, async: true };
  const deps = { fetch, sleep, random: Math.random, attemptsMax: ATTEMPTS_MAX, stop: signal, abort: signal };
  try {
    return await fillHistory(span, {
      past: demoPast({
        merchants,
        merchantIds: LONG_MERCHANTS,
        seed: DEMO_SEED,
        eventsPerSecond: DEMO_EVENTS_PER_SECOND,
      }),
      post: (body) => postBatch(target, body, deps),
      countedByDay: async ({ fromMs, toMs }) => {
        const query_params = { merchants: [...LONG_MERCHANTS], from: fromMs / 1000, to: toMs / 1000 };
        const answer = await client.query({ query: COUNTED_SQL, query_params, format: "JSONEachRow" });
        const days = await answer.json<{ day_s: number; events: number }>();
        return new Map(days.map(({ day_s, events }) => [Number(day_s) * 1000, Number(events)]));
      },
      windowsWaiting: async ({ fromMs, toMs }) => {
        const statement = "SELECT count(*) AS n FROM late_windows WHERE window_start >= ? AND window_start < ?";
        return (await runtime.directory.prepare(statement).bind(fromMs, toMs).first<number>("n")) ?? 0;
      },
      nowMs: Date.now,
      sleep,
      signal,
      onProgress: (share, counted) => onHistory({ share, counted }),
    });
  } finally {
    await client.close();
  }
}

const COUNTED_SQL = `
SELECT toUnixTimestamp(toStartOfDay(window_start)) AS day_s, sum(payments_count + refunds_count) AS events
FROM windows FINAL
WHERE merchant_id IN {merchants:Array(String)}
  AND window_start >= fromUnixTimestamp({from:UInt32}) AND window_start < fromUnixTimestamp({to:UInt32})
GROUP BY day_s`;
