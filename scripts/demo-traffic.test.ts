import { afterEach, expect, test } from "vitest";
import {
  type Answer,
  allAccepted,
  type IngestStandIn,
  ingestStandIn,
  type SeenRequest,
} from "../clients/typescript/test/ingest-stand-in.ts";
import { demoEvents, demoMerchants, startDemoTraffic } from "./demo-traffic.ts";
import type { PaymentEventInput } from "./event-input.ts";

const merchants = demoMerchants();
const NOON = Date.UTC(2026, 10, 18, 12);

const servers: IngestStandIn[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** Runs the traffic on a clock that moves only when it sleeps, until so many sleeps are over. */
async function run(
  sleeps: number,
  answer: (request: SeenRequest, number: number) => Answer,
  more: { sinceMs?: number; startMs?: number } = {},
) {
  const server = await ingestStandIn(answer);
  servers.push(server);
  const stop = new AbortController();
  const problems: (string | undefined)[] = [];
  let nowMs = more.startMs ?? NOON;
  let left = sleeps;
  const totals = await startDemoTraffic({
    url: server.url,
    key: "k",
    merchants,
    seed: "test",
    nowMs: () => nowMs,
    signal: stop.signal,
    random: () => 0.5,
    onProblem: (why) => problems.push(why),
    sleep: async (ms) => {
      nowMs += ms;
      left -= 1;
      if (left === 0) stop.abort();
    },
    ...(more.sinceMs === undefined ? {} : { sinceMs: more.sinceMs }),
  });
  const sent = server.requests.map(({ lines }) => lines.map((line) => JSON.parse(line) as PaymentEventInput));
  return { totals, sent, problems, endMs: nowMs };
}

const expected = (fromMs: number, toMs: number) =>
  demoEvents({ merchants, seed: "test", eventsPerSecond: 10, fromMs, toMs });

test("once a second goes out what has happened since", async () => {
  const { sent, totals, problems } = await run(11, allAccepted);
  expect(sent.flat()).toEqual(expected(NOON, NOON + 10_000));
  expect(sent.length).toBeGreaterThan(8);
  expect(totals).toEqual({
    sent: sent.flat().length,
    accepted: sent.flat().length,
    duplicates: 0,
    late: 0,
    rejected: 0,
  });
  expect(problems).toEqual([]);
});

test("what ingest did not take while it was away goes out when it is back, and both is told once", async () => {
  const { sent, problems, endMs } = await run(12, (request, number) =>
    number > 1 && number < 8 ? { status: 503 } : allAccepted(request),
  );
  const arrived = sent.filter((_, index) => index < 1 || index >= 7).flat();
  expect(arrived).toEqual(expected(NOON, Math.max(...arrived.map(({ occurred_at }) => occurred_at)) + 1));
  expect(arrived.length).toBeGreaterThan((endMs - NOON) / 1000);
  expect(problems).toEqual([expect.stringContaining("503"), undefined]);
});

test("rejected events are told and not sent again", async () => {
  const errors = [{ index: 0, code: "too_old", message: "long ago" }];
  const { sent, problems, totals } = await run(4, () => ({ status: 200, body: { accepted: 0, rejected: 1, errors } }));
  expect(problems).toEqual(["1 events rejected: too_old: long ago"]);
  expect(totals.rejected).toBe(sent.length);
  expect(sent.flat()).toEqual(expected(NOON, NOON + 3_000));
});

test("a past is caught up with at once, minute by minute, no more than a day of it", async () => {
  const hour = await run(1, allAccepted, { sinceMs: NOON - 600_000 });
  expect(hour.sent).toHaveLength(10);
  expect(hour.sent.flat()).toEqual(expected(NOON - 600_000, NOON));
});

test("stopped before it began, it sends nothing", async () => {
  const totals = await startDemoTraffic({
    url: "http://127.0.0.1:9",
    key: "k",
    merchants,
    nowMs: () => NOON,
    signal: AbortSignal.abort(),
  });
  expect(totals.sent).toBe(0);
});
