import { expect, test } from "vitest";
import type { PostOutcome } from "../clients/typescript/src/post-events.ts";
import { DAY_MS, HOUR_MS, isFinal, WINDOW_MS } from "../shared/window.ts";
import { fillHistory, type HistoryDeps, lateSpan } from "./demo-history.ts";
import type { PaymentEventInput } from "./event-input.ts";

const FROM = Date.UTC(2026, 9, 1, 6);
const SPAN = { fromMs: FROM, toMs: FROM + 3 * DAY_MS };
const dayOf = (ms: number) => ms - (ms % DAY_MS);

/** A system that counts what it is sent as soon as it is asked; an hour has one event. */
function system(over: Partial<HistoryDeps> = {}) {
  const counted = new Map<number, number>();
  const seen = new Set<string>();
  const posts: number[] = [];
  const stop = new AbortController();
  let nowMs = 0;
  const deps: HistoryDeps = {
    past: (fromMs, toMs) => {
      const events: PaymentEventInput[] = [];
      for (let atMs = fromMs; atMs < toMs; atMs += HOUR_MS) events.push(event(atMs));
      return events;
    },
    post: async ({ bytes }) => {
      const events = new TextDecoder()
        .decode(bytes)
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as PaymentEventInput);
      posts.push(events.length);
      for (const { event_id, occurred_at } of events) {
        if (seen.has(event_id)) continue;
        seen.add(event_id);
        counted.set(dayOf(occurred_at), (counted.get(dayOf(occurred_at)) ?? 0) + 1);
      }
      return answered(0);
    },
    countedByDay: async () => new Map(counted),
    windowsWaiting: async () => 0,
    nowMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
    signal: stop.signal,
    onProgress: () => {},
    ...over,
  };
  return { deps, counted, posts, stop };
}

const event = (occurred_at: number): PaymentEventInput => ({
  event_id: `at-${occurred_at}`,
  type: "payment",
  merchant_id: "shop",
  occurred_at,
  amount: 1,
  currency: "JPY",
  payment_method: "card",
});

const answered = (rejected: number): PostOutcome => ({
  reason: "answered",
  attempts: 1,
  sentBytes: 1,
  receipt: { accepted: 0, duplicates: 0, late: 0, rejected, queued: 1, errors: [] },
});

test("all of a span is sent and counted, whose first and last day are not whole", async () => {
  const { deps, counted, posts } = system();
  expect(await fillHistory(SPAN, deps)).toEqual({ reason: "complete", events: 72, sent: 72 });
  expect(posts).toEqual([18, 24, 24, 6]);
  expect([...counted.values()]).toEqual([18, 24, 24, 6]);
});

test("run again it sends nothing, and cut off it sends the days that lack something", async () => {
  const { deps, counted, posts } = system();
  await fillHistory(SPAN, deps);
  expect(await fillHistory(SPAN, deps)).toEqual({ reason: "complete", events: 72, sent: 0 });
  counted.set(dayOf(FROM) + DAY_MS, 7);
  await fillHistory(SPAN, { ...deps, countedByDay: countedOnce(counted, 24) });
  expect(posts).toEqual([18, 24, 24, 6, 24]);
});

/** As it is the first time, then with the second day whole: what was sent again was new to nobody but history. */
function countedOnce(counted: ReadonlyMap<number, number>, whole: number): HistoryDeps["countedByDay"] {
  let calls = 0;
  return async () => {
    calls += 1;
    return calls === 1 ? new Map(counted) : new Map(counted).set(dayOf(FROM) + DAY_MS, whole);
  };
}

test("it is not complete while windows wait, and fails when nothing moves", async () => {
  let waiting = 3;
  const patient = system({ windowsWaiting: async () => Math.max(0, waiting--) });
  expect((await fillHistory(SPAN, patient.deps)).reason).toBe("complete");
  expect(waiting).toBe(-1);
  const stuck = system({ windowsWaiting: async () => 1 });
  expect((await fillHistory(SPAN, stuck.deps)).reason).toBe("failed");
});

test("no more is sent ahead of what is counted than the queues, in memory, should hold", async () => {
  const sentAtPolls: number[] = [];
  let sent = 0;
  const slow = system({
    past: (fromMs) => Array.from({ length: 10_000 }, (_, n) => ({ ...event(fromMs), event_id: `${fromMs}-${n}` })),
    post: async () => {
      sent += 5_000;
      return answered(0);
    },
    // Nothing is counted for the first polls, then all that was sent.
    countedByDay: async () => {
      sentAtPolls.push(sent);
      const days = sentAtPolls.length < 5 ? 0 : sent / 10_000;
      return new Map(Array.from({ length: days }, (_, day) => [dayOf(FROM) + day * DAY_MS, 10_000]));
    },
  });
  const outcome = await fillHistory({ fromMs: FROM, toMs: dayOf(FROM) + 50 * DAY_MS }, slow.deps);
  expect(outcome).toEqual({ reason: "complete", events: 500_000, sent: 500_000 });
  expect(sentAtPolls.slice(0, 5)).toEqual([0, 310_000, 310_000, 310_000, 310_000]);
});

test("what is refused ends it, and so does being stopped", async () => {
  const refused = system({ post: async () => ({ reason: "gave_up", why: "503", attempts: 5, sentBytes: 1 }) });
  expect(await fillHistory(SPAN, refused.deps)).toEqual({ reason: "failed", why: "503" });
  const rejected = system({ post: async () => answered(2) });
  expect((await fillHistory(SPAN, rejected.deps)).reason).toBe("failed");
  const stopped = system();
  stopped.stop.abort();
  expect(await fillHistory(SPAN, stopped.deps)).toEqual({ reason: "stopped" });
});

test("what is late begins where the shards' windows end, to the window", () => {
  for (const nowMs of [FROM, FROM + 1, FROM + WINDOW_MS - 1, FROM + 123_456]) {
    const { toMs } = lateSpan(0, nowMs);
    expect(toMs % WINDOW_MS).toBe(0);
    expect(isFinal(toMs, nowMs)).toBe(false);
    expect(isFinal(toMs - WINDOW_MS, nowMs)).toBe(true);
  }
  expect(lateSpan(FROM, FROM).fromMs).toBe(lateSpan(FROM, FROM).toMs);
});
