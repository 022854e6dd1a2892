import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { archivePrefix } from "../shared/archive-key.ts";
import { shardOf } from "../shared/topology.ts";
import { HOUR_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { PROMPTLY, payment, startTestSystem, type TestSystem, until } from "./system.ts";

let tally: TestSystem;

beforeAll(async () => {
  // What is late stays so: that it is counted in the end is tested with other late events.
  tally = await startTestSystem(undefined, { aggregateVars: { ...PROMPTLY, LATE_DELAY_MS: String(HOUR_MS) } });
});
afterAll(() => tally?.stop());

/** In a window that has closed, so that it goes to history at once. */
const closedMoment = () => windowStart(Date.now()) - 3 * WINDOW_MS + 12_345;

async function windowOf(atMs: number) {
  const response = await tally.read(`/v1/merchants/shop/report?at=${atMs}&currency=JPY`);
  return (await response.json()) as {
    status: string;
    reports: { currency: string; revision: number; payments: { count: number; amount: number } }[];
  };
}

test("a payment becomes a receipt, a live number, an archived line and a row of history, and outlives the shard's memory", async () => {
  const event = payment({
    occurred_at: closedMoment(),
    amount: 1234,
    user: { id: "customer-7", gender: "female", date_of_birth: "1990-05-06" },
  });

  const receipt = await tally.send([event]);
  expect(receipt.status).toBe(200);
  expect(await receipt.json()).toEqual({ accepted: 1, duplicates: 0, late: 0, rejected: 0, errors: [] });

  const live = await windowOf(event.occurred_at);
  expect(live.status).toBe("provisional");
  expect(live.reports).toMatchObject([
    { currency: "JPY", payments: { count: 1, amount: 1234 }, average: 1234, customers: 1 },
  ]);

  const line = await until("the archived line", () => archivedLine(event.occurred_at, event.event_id));
  expect(line).toMatchObject({
    event_id: event.event_id,
    amount: 1234,
    source: "test-source",
    user: { gender: "female" },
  });
  expect(JSON.stringify(line)).not.toContain("customer-7");
  expect(JSON.stringify(line)).not.toContain("1990-05-06");

  const row = await until("the row of history", () => historyRow(event.occurred_at));
  expect(row).toMatchObject({
    payments_count: "1",
    payments_amount: "1234",
    revision: String(live.reports[0]?.revision),
  });

  const shard = shardOf({ epochs: [{ id: 1, from_ms: 0, shards: 2, overrides: {} }] }, "shop", 0);
  await tally.runtime.miniflare.unsafeEvictDurableObject("tally-aggregate", "Shard", { name: shard });
  const afterEviction = await windowOf(event.occurred_at);
  expect(afterEviction.reports).toEqual(live.reports);

  const again = await tally.send([event]);
  expect(await again.json()).toMatchObject({ accepted: 0, duplicates: 1 });
});

test("with Prefer: respond-async the answer is 202 and the payment is counted from the log", async () => {
  const event = payment({ occurred_at: closedMoment() - WINDOW_MS, merchant_id: "async-shop" });
  const response = await tally.send([event], { Prefer: "respond-async" });
  expect(response.status).toBe(202);
  expect(response.headers.get("Preference-Applied")).toBe("respond-async");
  expect(await response.json()).toMatchObject({ accepted: 0, queued: 1, rejected: 0 });
  const report = await until("the count", async () => {
    const answer = await tally.read(`/v1/merchants/async-shop/report?at=${event.occurred_at}`);
    const { reports } = (await answer.json()) as { reports: { payments: { count: number } }[] };
    return reports[0]?.payments.count === 1 ? reports[0] : undefined;
  });
  expect(report).toMatchObject({ currency: "JPY", payments: { count: 1, amount: 550 } });
});

test("a late payment corrects a window that history has already, under a larger revision", async () => {
  const atMs = closedMoment() - 5 * WINDOW_MS;
  await tally.send([payment({ occurred_at: atMs, amount: 100 })]);
  const first = await until("the first row", () => historyRow(atMs));
  await tally.send([payment({ occurred_at: atMs + 1000, amount: 23 })]);
  const second = await until("the corrected row", async () => {
    const row = await historyRow(atMs);
    return row?.payments_count === "2" ? row : undefined;
  });
  expect(second.payments_amount).toBe("123");
  expect(Number(second.revision)).toBeGreaterThan(Number(first.revision));
});

test("a payment past the lateness horizon is archived and its window noted, and reads say that it is not in the numbers yet", async () => {
  const atMs = Date.now() - 40 * HOUR_MS;
  const receipt = await tally.send([payment({ occurred_at: atMs })]);
  expect(await receipt.json()).toMatchObject({ accepted: 0, late: 1 });
  const answer = await until("the notice", async () => {
    const response = await tally.read(
      `/v1/merchants/shop/metrics?from=${atMs - HOUR_MS}&to=${atMs + HOUR_MS}&granularity=1h`,
    );
    const body = (await response.json()) as { notices: { code: string }[] };
    return body.notices.length > 0 ? body : undefined;
  });
  expect(answer.notices).toMatchObject([{ code: "late_events_pending" }]);
  const report = await (await tally.read(`/v1/merchants/shop/report?at=${atMs}`)).json();
  expect(report).toMatchObject({ status: "final", notices: [{ code: "late_events_pending" }] });
});

async function historyRow(atMs: number): Promise<Record<string, string> | undefined> {
  const answer = await tally.sql.query({
    query: `SELECT toString(revision) AS revision, toString(payments_count) AS payments_count, toString(payments_amount) AS payments_amount
            FROM windows FINAL WHERE merchant_id = 'shop' AND currency = 'JPY' AND window_start = toDateTime({start:UInt32}, 'UTC')`,
    query_params: { start: windowStart(atMs) / 1000 },
    format: "JSONEachRow",
  });
  return (await answer.json<Record<string, string>>())[0];
}

async function archivedLine(atMs: number, eventId: string): Promise<unknown> {
  const { objects } = await tally.runtime.archive.list({ prefix: archivePrefix(atMs - (atMs % HOUR_MS)) });
  for (const { key } of objects) {
    const object = await tally.runtime.archive.get(key);
    const lines = gunzipSync(new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0)))
      .toString()
      .trim()
      .split("\n");
    const line = lines.map((text) => JSON.parse(text)).find(({ event_id }) => event_id === eventId);
    if (line !== undefined) return line;
  }
  return undefined;
}
