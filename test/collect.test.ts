import { randomUUID } from "node:crypto";
import { CloudEvent, HTTP } from "cloudevents";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TallyProblem, TallyReader, TallySender } from "../clients/typescript/src/index.ts";
import { createKey, putSource } from "../scripts/directory.ts";
import {
  mongoChange,
  PAYMENT_DOCUMENT,
  PAYMENT_ROW,
  postgresChange,
  postgresCloudEvent,
} from "../shared/debezium-messages.ts";
import { WINDOW_MS, windowStart } from "../shared/window.ts";
import { payment, startTestSystem, type TestSystem, until } from "./system.ts";

let tally: TestSystem;

beforeAll(async () => {
  tally = await startTestSystem();
});
afterAll(() => tally?.stop());

const post = async (body: string, headers: Record<string, string>) => {
  const init = new Headers({ Authorization: `Bearer ${tally.sourceKey}` });
  for (const [name, value] of Object.entries(headers)) init.set(name, value);
  const response = await fetch(`${tally.runtime.ingestUrl}/v1/events`, { method: "POST", body, headers: init });
  return [response.status, await response.json()] as const;
};
async function paidBy(merchant: string, atMs: number) {
  const answer = await tally.read(`/v1/merchants/${merchant}/report?at=${atMs}`);
  const { reports } = (await answer.json()) as { reports: { currency: string; payments: object; refunds: object }[] };
  return Object.fromEntries(reports.map(({ currency, payments, refunds }) => [currency, { payments, refunds }]));
}

describe("the CloudEvents SDK", () => {
  const { event_id: _, occurred_at: __, type: ___, ...data } = payment({ merchant_id: "cloud-shop" });
  const event = () => new CloudEvent({ source: "/pos/1", type: "com.example.payment", data });
  const sent = ({ headers, body }: ReturnType<typeof HTTP.binary>) =>
    [String(body), headers as Record<string, string>] as const;

  test("is understood in each of its modes, and the same event in another mode is the same event", async () => {
    const one = event();
    expect(await post(...sent(HTTP.structured(one)))).toMatchObject([200, { accepted: 1 }]);
    expect(await post(...sent(HTTP.binary(one)))).toMatchObject([200, { accepted: 0, duplicates: 1 }]);
    expect(await post(...sent(HTTP.binary(event())))).toMatchObject([200, { accepted: 1 }]);
    const batch = JSON.stringify([one, event(), event()]);
    expect(await post(batch, { "Content-Type": "application/cloudevents-batch+json" })).toMatchObject([
      200,
      { accepted: 2, duplicates: 1 },
    ]);
  });

  test("hears of each event of a batch that is none, and of a binary one without its attributes", async () => {
    const batch = JSON.stringify([event(), { ...event().toJSON(), specversion: "0.3" }, { data }]);
    const [status, receipt] = await post(batch, { "Content-Type": "application/cloudevents-batch+json" });
    expect([status, receipt]).toMatchObject([
      200,
      {
        accepted: 1,
        rejected: 2,
        errors: [
          { index: 1, path: "specversion" },
          { index: 2, code: "missing_field" },
        ],
      },
    ]);
    const headers = { "Content-Type": "application/json", "ce-id": "1", "ce-specversion": "1.0", "ce-type": "payment" };
    expect(await post(JSON.stringify(data), headers)).toMatchObject([422, { errors: [{ path: "source" }] }]);
  });
});

test("a database feeds Tally through Debezium: rows are counted once however often they come, deletes are success", async () => {
  const nowMs = Date.now();
  await putSource(
    tally.runtime.directory,
    {
      id: "databases",
      name: "Databases",
      merchants: null,
      mapping: {
        tables: {
          "public.payments": {
            fields: {
              event_id: "id",
              merchant_id: "shop",
              type: { constant: "payment" },
              occurred_at: "created_at",
              amount: { column: "amount", decimals: "currency" },
              currency: "currency",
              payment_method: "method",
            },
          },
          "shop.payments": {
            fields: {
              event_id: "_id",
              merchant_id: "shop",
              type: { column: "state", values: { PAID: "payment" } },
              occurred_at: "paidAt",
              amount: { column: "total", decimals: 2 },
              currency: "currency",
              payment_method: "method",
            },
          },
        },
      },
    },
    nowMs,
  );
  const Authorization = `Bearer ${await createKey(tally.runtime.directory, "source", "databases", nowMs)}`;
  const json = { Authorization, "Content-Type": "application/json" };
  const cloud = { Authorization, "Content-Type": "application/cloudevents+json" };
  const atMs = windowStart(nowMs) - 2 * WINDOW_MS;
  const row = { ...PAYMENT_ROW, id: randomUUID(), created_at: new Date(atMs).toISOString() };
  const document = PAYMENT_DOCUMENT.replace("1795395845123", String(atMs));

  expect(await post(JSON.stringify(postgresCloudEvent("c", row, { schemas: true })), cloud)).toMatchObject([
    200,
    { accepted: 1 },
  ]);
  expect(await post(JSON.stringify(postgresChange("u", row)), json)).toMatchObject([200, { duplicates: 1 }]);
  expect(await post(JSON.stringify(postgresChange("d", null, row)), json)).toMatchObject([
    200,
    { ignored: 1, notes: [{ code: "delete" }] },
  ]);
  for (const counted of [{ accepted: 1 }, { duplicates: 1 }]) {
    expect(await post(JSON.stringify(mongoChange("c", document, { schemas: true })), json)).toMatchObject([
      200,
      counted,
    ]);
  }
  expect(await paidBy("cafe-hoshino", atMs)).toMatchObject({
    USD: { payments: { count: 1, amount: 123_450 } },
    EUR: { payments: { count: 1, amount: 1_250 } },
  });
});

test("the client sends through the real Workers and reads what was counted; a wrong call is an error with its code", async () => {
  const { ingestUrl, apiUrl } = tally.runtime;
  const rejected: string[] = [];
  const sender = new TallySender({
    url: ingestUrl,
    key: tally.sourceKey,
    batchEventsMax: 300,
    heldEventsMax: 700,
    onEventError: ({ event_id }, { code }) => rejected.push(`${event_id} ${code}`),
  });
  const atMs = windowStart(Date.now()) - WINDOW_MS;
  const event = payment({ merchant_id: "client-shop", occurred_at: atMs, amount: 10 });
  for (let n = 0; n < 2_000; n++) await sender.send({ ...event, event_id: `c-${n}` });
  const { event_id: _, ...unnamed } = event;
  await sender.send(unnamed);
  await sender.send({ ...event, event_id: "bad", amount: -1 });
  await sender.send({ ...event, event_id: "c-7" });
  expect(await sender.close()).toMatchObject({ accepted: 2_001, duplicates: 1, rejected: 1, failed: 0 });
  expect(rejected).toEqual(["bad invalid_value"]);

  const reader = new TallyReader({ url: apiUrl, key: await tally.merchantKey("client-shop") });
  const report = await reader.report("client-shop", { at: atMs });
  expect(report.reports).toMatchObject([{ currency: "JPY", payments: { count: 2_001, amount: 20_010 } }]);
  const metrics = await reader.metrics("client-shop", { from: atMs, to: atMs + WINDOW_MS, granularity: "10m" });
  expect(metrics.series).toMatchObject([{ total: { payments: { count: 2_001 } }, buckets: [{ average: 10 }] }]);
  const asked = { from: String(atMs), to: String(atMs + WINDOW_MS), metrics: ["payments.count"] };
  expect((await reader.query("client-shop", asked)).rows).toMatchObject([{ currency: "JPY", "payments.count": 2_001 }]);
  // What was counted is in the archive once its queue has been gone through.
  const listed = await until("the events are in the archive", async () => {
    const ids = new Set<string>();
    for await (const { event_id } of reader.events("client-shop", { from: atMs, to: atMs + WINDOW_MS, limit: 700 }))
      ids.add(event_id);
    return ids.size >= 2_001 ? ids : undefined;
  });
  expect(listed.size).toBe(2_001);
  const error = await reader.metrics("client-shop", { tz: "Mars" }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TallyProblem);
  expect(error).toMatchObject({ status: 400, parameter: "tz" });
});
