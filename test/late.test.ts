import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { differences, loadTruth, servedMetrics, storedHistory, truth } from "../scripts/ground-truth.ts";
import { archivePrefix } from "../shared/archive-key.ts";
import { DAY_MS, HOUR_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { BELIEVED_MS } from "../workers/api/cache/lifetime.ts";
import { type HeldRequests, holdInserts } from "./held-requests.ts";
import { shopEvents } from "./shop.ts";
import { answered, payment, startTestSystem, type TestSystem, until } from "./system.ts";

const EVENTS = 6_000;
const REQUEST_EVENTS = 1_000;

let tally: TestSystem;
/** What ClickHouse counts anew. */
let counting: HeldRequests;

beforeAll(async () => {
  tally = await startTestSystem();
  counting = await holdInserts(tally.sql, "recounted_windows");
});
afterAll(async () => {
  await tally?.stop();
  await counting?.stop();
});

const untilRebuilt = () => until("all late windows rebuilt", async () => ((await waiting()) === 0 ? true : undefined));

async function waiting(): Promise<number> {
  const row = await tally.runtime.directory.prepare("SELECT count(*) AS n FROM late_windows").first<{ n: number }>();
  return row?.n ?? 0;
}

test("two months of a shop, all of it late, sent once and then wholly again, is what plain SQL says", async () => {
  const toMs = windowStart(Date.now()) - 3 * DAY_MS;
  const fromMs = toMs - 60 * DAY_MS;
  const events = shopEvents({ seed: "late", count: EVENTS, fromMs, toMs });
  expect(await loadTruth(tally.sql, Readable.from(events.map((event) => `${JSON.stringify(event)}\n`)))).toBe(EVENTS);
  const expected = await truth(tally.sql);
  const merchants = [...new Set(events.map(({ merchant_id }) => merchant_id))];
  for (let pass = 0; pass < 2; pass++) {
    for (let at = 0; at < EVENTS; at += REQUEST_EVENTS) {
      // What comes last cannot have been counted before it is looked for.
      if (at + REQUEST_EVENTS >= EVENTS) counting.hold();
      const receipt = await (await tally.send(events.slice(at, at + REQUEST_EVENTS))).json();
      expect(receipt).toMatchObject({ accepted: 0, late: REQUEST_EVENTS, rejected: 0 });
    }
    await counting.held();
    expect(await waiting()).toBeGreaterThan(0);
    counting.letGo();
    await until("everything in history", async () =>
      differences(expected, await storedHistory(tally.sql)).length === 0 ? true : undefined,
    );
    await untilRebuilt();
    expect(differences(expected, await storedHistory(tally.sql))).toEqual([]);
  }
  const served = await servedMetrics(
    (path) => answered(() => tally.read(path)),
    merchants,
    fromMs - (fromMs % WINDOW_MS),
    toMs,
  );
  expect(differences(expected, served)).toEqual([]);
});

test("a crowd of late windows, more than the address of a call has room for, is counted", async () => {
  const merchants = Array.from({ length: 20 }, (_, n) => `a-merchant-of-quite-a-long-name-${n}`);
  const fromMs = windowStart(Date.now()) - 50 * DAY_MS;
  const events = Array.from({ length: 100 }, (_, slot) =>
    merchants.map((merchant_id) =>
      payment({ event_id: `crowd-${slot}`, merchant_id, occurred_at: fromMs + slot * WINDOW_MS }),
    ),
  ).flat();
  await (await tally.send(events)).json();
  await until("all of them in history", async () => {
    const answer = await tally.sql.query({
      query: "SELECT sum(payments_count) AS n FROM windows FINAL WHERE merchant_id LIKE 'a-merchant-of-%'",
      format: "JSONEachRow",
    });
    const [row] = await answer.json<{ n: string }>();
    return Number(row?.n ?? 0) === events.length ? true : undefined;
  });
  await untilRebuilt();
});

const atMs = windowStart(Date.now()) - 40 * DAY_MS;
const report = async (): Promise<{ payments: { count: number }; notices: { code: string }[] }> => {
  const answer = await tally.read(`/v1/merchants/shop/report?at=${atMs}&currency=JPY`);
  return (await answer.json()) as { payments: { count: number }; notices: { code: string }[] };
};

test("late events of one window, sent one after the other, are all in it, and their repeats are not", async () => {
  for (let n = 1; n <= 2; n++) {
    const event = payment({ event_id: `late-${n}`, occurred_at: atMs + n });
    await tally.send([event, event]);
    await until(`${n} payments`, async () => ((await stored()) === n ? true : undefined));
  }
});

test("from half a second after a source was told that an event is late until it is counted, every answer that lacks it says so", async () => {
  const occurred_at = windowStart(Date.now()) - 30 * DAY_MS;
  const path = `/v1/merchants/shop/metrics?from=${occurred_at}&to=${occurred_at + WINDOW_MS}&currency=JPY`;
  const key = await tally.merchantKey("shop");
  const shown = async () => {
    const headers = { Authorization: `Bearer ${key}` };
    const answer = await answered(() => fetch(`${tally.runtime.apiUrl}${path}`, { headers }));
    const { notices, series } = (await answer.json()) as {
      notices: { code: string }[];
      series: { total: { payments: { count: number } } }[];
    };
    const waits = notices.some(({ code }) => code === "late_events_pending");
    return { count: series[0]?.total.payments.count, waits };
  };
  expect(await shown()).toEqual({ count: 0, waits: false });
  counting.hold();
  const receipt = await tally.send([payment({ occurred_at })]);
  const toldMs = performance.now();
  expect(await receipt.json()).toMatchObject({ late: 1 });
  await until("an answer that says so", async () => {
    const isTimeUp = performance.now() - toldMs > BELIEVED_MS;
    const { waits } = await shown();
    if (isTimeUp) expect(waits).toBe(true);
    return waits ? true : undefined;
  });
  await counting.held();
  expect(await shown()).toEqual({ count: 0, waits: true });
  counting.letGo();
  await until("the event to be counted", async () => {
    const { count, waits } = await shown();
    expect([count, waits]).not.toEqual([0, false]);
    return count === 1 && !waits ? true : undefined;
  });
});

test("an archive that cannot be read whole never takes events out of history, and what is sent again heals it", async () => {
  const { archive } = tally.runtime;
  const { objects } = await archive.list({ prefix: archivePrefix(atMs - (atMs % HOUR_MS)) });
  const [first] = objects;
  if (first === undefined) throw new Error("nothing is archived");
  const bytes = new Uint8Array((await (await archive.get(first.key))?.arrayBuffer()) ?? new ArrayBuffer(0));
  await archive.put(first.key, bytes.slice(0, bytes.length - 30));
  const others = objects.slice(1).map(({ key }) => key);
  await archive.delete(others);
  await tally.send([payment({ event_id: "late-3", occurred_at: atMs + 3 })]);
  const failed = await until("the window to be put off", async () => {
    const row = await tally.runtime.directory
      .prepare("SELECT failure FROM late_windows")
      .first<{ failure: string | null }>();
    return row?.failure ?? undefined;
  });
  expect(failed).toContain(first.key);
  expect(await stored()).toBe(2);
  expect((await report()).notices.map(({ code }) => code)).toContain("late_events_pending");

  await archive.put(first.key, bytes);
  await tally.send([1, 2, 3].map((n) => payment({ event_id: `late-${n}`, occurred_at: atMs + n })));
  await until("three payments", async () => ((await stored()) === 3 ? true : undefined));
  await untilRebuilt();
});

async function stored(): Promise<number> {
  const answer = await tally.sql.query({
    query:
      "SELECT sum(payments_count) AS n FROM windows FINAL WHERE merchant_id = 'shop' AND window_start = fromUnixTimestamp({s:UInt32})",
    query_params: { s: atMs / 1000 },
    format: "JSONEachRow",
  });
  const [row] = await answer.json<{ n: string }>();
  return Number(row?.n ?? 0);
}
