import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { batchOf } from "../shared/event-batch.ts";
import { EventLines } from "../shared/event-lines.ts";
import { sipKeyFromHex } from "../shared/siphash.ts";
import { payment as storedPayment } from "../workers/aggregate/sample-payments.ts";
import { WEEKDAYS } from "../workers/alerts/opening-hours.ts";
import { packEvents } from "../workers/ingest/log-events.ts";
import { payment, startTestSystem, type TestSystem, until } from "./system.ts";

/** From an event to a receiver: what a merchant and an operator are told, by webhooks that they verify. */

let tally: TestSystem;
let receiver: Server;
let url: string;
const received: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      received.push({ headers: request.headers, body });
      // The first attempt of each fails: what arrives does by a retry.
      const isFirst =
        received.filter(({ headers }) => headers["webhook-id"] === request.headers["webhook-id"]).length === 1;
      response.writeHead(isFirst && request.url === "/unsure" ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  tally = await startTestSystem();
});
afterAll(async () => {
  await tally?.stop();
  await new Promise((resolve) => receiver.close(resolve));
});

const ALWAYS = Object.fromEntries(WEEKDAYS.map((day) => [day, [{ from: "00:00", to: "24:00" }]]));

interface Created {
  readonly id: string;
  readonly secret: string;
}

async function call(method: string, path: string, key: string, body?: object) {
  const response = await fetch(`${tally.runtime.apiUrl}/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.ok).toBe(true);
  return (await response.json()) as Record<string, unknown>;
}

const create = async (path: string, key: string, rule: object, at = url) =>
  (await call("POST", path, key, { name: "Alert", rule, webhook: { url: at } })) as unknown as Created;

/** As if the time had come: alerts and notices wait for theirs. */
async function runNow(): Promise<void> {
  const { directory } = tally.runtime;
  await directory.exec("UPDATE alerts SET due_at = 1 WHERE due_at IS NOT NULL");
  await directory.exec("UPDATE alert_deliveries SET due_at = 1 WHERE due_at IS NOT NULL");
  await tally.runtime.runAlertCron();
}

/** Until so many notices have come: a look at what does not answer in time says nothing, and is followed by another. */
async function runUntilTold(alert: Created, notices: number): Promise<void> {
  await until("a notice", async () => {
    await runNow();
    return noticesTo(alert).length >= notices ? true : undefined;
  });
}

/** What a receiver has of an alert, each notice verified with its secret. */
const noticesTo = ({ secret, id }: Created) =>
  received
    .filter(({ body }) => body.includes(id))
    .map(({ headers, body }) => new Webhook(secret).verify(body, headers as Record<string, string>) as Notice);

interface Notice {
  readonly type: string;
  readonly data: { readonly incident: string; readonly reason: string; readonly facts: Record<string, unknown> | null };
}

function expectBetween(value: number, min: number, max: number): void {
  expect(value).toBeGreaterThanOrEqual(min);
  expect(value).toBeLessThanOrEqual(max);
}

async function stored(merchant: string): Promise<number> {
  const query = "SELECT sum(payments_count) AS n FROM windows FINAL WHERE merchant_id = {merchant:String}";
  const answer = await tally.sql.query({ query, query_params: { merchant }, format: "JSONEachRow" });
  const [row] = await answer.json<{ n: string }>();
  return Number(row?.n);
}

describe("a merchant", () => {
  test("is told once that sales have stopped, through a failed attempt, and once that they go on", async () => {
    const key = await tally.merchantKey("shop", "manage");
    const path = "/merchants/shop/alerts";
    const alert = await create(path, key, { kind: "no_sales", minutes: 60, opening_hours: ALWAYS }, `${url}/unsure`);
    await runUntilTold(alert, 1);
    expect(await call("GET", `${path}/${alert.id}`, key)).toMatchObject({
      state: "firing",
      checked: { outcome: "firing", facts: { kind: "no_sales", quiet_minutes: expect.any(Number) } },
      deliveries: [{ type: "alert.fired", state: "pending", attempts: 1, status: 503 }],
    });
    await runNow();
    await runNow();
    const [first, second, ...more] = noticesTo(alert);
    expect([first, more]).toEqual([second, []]);
    expect(first).toMatchObject({ type: "alert.fired", data: { reason: "no_sales" } });

    await tally.send([payment({ occurred_at: Date.now() - 1_000 })]);
    await until("the sale to be counted", async () => {
      await runNow();
      return noticesTo(alert).some(({ type }) => type === "alert.resolved") ? true : undefined;
    });
    await runNow();
    const resolved = noticesTo(alert).slice(2);
    expect(resolved.map(({ type, data }) => [type, data.incident, data.reason])).toEqual(
      Array.from({ length: 2 }, () => ["alert.resolved", first?.data.incident, "sale"]),
    );
    const { deliveries } = (await call("GET", `${path}/${alert.id}`, key)) as { deliveries: { state: string }[] };
    expect(deliveries.map(({ state }) => state)).toEqual(["delivered", "delivered"]);
  });

  test("is told of a drop against four weeks that history has, and not of another currency's", async () => {
    const nowMs = Date.now();
    const DAY_MS = 86_400_000;
    // The whole day is compared once an hour of it has passed: a shop whose day began so long ago.
    const offset = -Math.floor(((nowMs - 2 * 3_600_000) % DAY_MS) / 3_600_000);
    const zone = `${offset < 0 ? "-" : "+"}${String(Math.abs(offset)).padStart(2, "0")}:00`;
    const merchant_id = "steady";
    await call("PUT", `/admin/merchants/${merchant_id}`, tally.operatorKey, {
      name: "Steady",
      timezone: zone,
      currency: "JPY",
    });
    const past = [7, 14, 21, 28].flatMap((days) =>
      Array.from({ length: 12 }, () =>
        payment({ merchant_id, amount: 100, occurred_at: nowMs - days * DAY_MS - 3_600_000 }),
      ),
    );
    await tally.send([...past, payment({ merchant_id, amount: 100, occurred_at: nowMs - 3_600_000 })]);
    await until("the four weeks in history", async () =>
      (await stored(merchant_id)) >= past.length ? true : undefined,
    );
    const key = await tally.merchantKey(merchant_id, "manage");
    const rule = { kind: "below_baseline", figure: "net", percent: 50 };
    const [yen, dollars] = [
      await create(`/merchants/${merchant_id}/alerts`, key, rule),
      await create(`/merchants/${merchant_id}/alerts`, key, { ...rule, currency: "USD" }),
    ];
    await until("the four weeks to be compared with", async () => {
      await runNow();
      return noticesTo(yen).length > 0 ? true : undefined;
    });
    expect(noticesTo(yen)).toMatchObject([
      {
        type: "alert.fired",
        data: { facts: { figure: "net", currency: "JPY", value: 100, base: 1_200, percent: 8.33 } },
      },
    ]);
    expect(noticesTo(dollars)).toEqual([]);
    const checked = await until("dollars to be looked at", async () => {
      await runNow();
      const { checked } = await call("GET", `/merchants/${merchant_id}/alerts/${dollars.id}`, key);
      return (checked as { outcome: string }).outcome === "unknown" ? undefined : checked;
    });
    expect(checked).toMatchObject({ outcome: "quiet", reason: "few_payments_yet" });
    expect(noticesTo(dollars)).toEqual([]);
  });
});

describe("an operator", () => {
  test("is told of a dead letter, and that it is dealt with", async () => {
    const alert = await create("/admin/alerts", tally.operatorKey, { kind: "dead_letters" });
    await runNow();
    expect(noticesTo(alert)).toEqual([]);
    // That a message that cannot be read becomes one is tested with the other calls of operators.
    await tally.runtime.directory.exec(
      "INSERT INTO dead_letters (id, queue, reason, attempts, body_key, body_bytes, sent_at, dead_at) VALUES ('letter', 'tally-raw', 'not a raw message', 1, 'dead/v1/tally-raw/letter', 6, 1, 1)",
    );
    await runUntilTold(alert, 1);
    await tally.runtime.directory.exec("UPDATE dead_letters SET redriven_at = 1");
    await runUntilTold(alert, 2);
    expect(noticesTo(alert).map(({ type, data }) => [type, data.facts?.measured])).toEqual([
      ["alert.fired", 1],
      ["alert.resolved", 0],
    ]);
  });

  test("is told that the log lags, by a message that its consumer is given late, and counts", async () => {
    const alert = await create("/admin/alerts", tally.operatorKey, { kind: "queue_lag", minutes: 15 });
    await runNow();
    expect(noticesTo(alert)).toEqual([]);
    const event = storedPayment({ event_id: "waited", merchant_id: "lagging", occurred_at: Date.now() - 1_000 });
    const lines = new EventLines({ batch: "late-request", source: "test-source", receivedAtMs: Date.now() });
    lines.add(event);
    const [body] = packEvents(
      { batch: batchOf([event], sipKeyFromHex(tally.secrets.identityKey)), lines },
      { request: "late-request", receivedAtMs: Date.now(), token: "" },
    );
    const consumer = await tally.runtime.miniflare.getWorker("tally-aggregate");
    const timestamp = new Date(Date.now() - 20 * 60_000);
    const ageS = () => (Date.now() - timestamp.getTime()) / 1_000;
    const { explicitAcks } = await consumer.queue("tally-raw", [
      { id: "waited", timestamp, attempts: 3, body: body?.buffer },
    ]);
    expect(explicitAcks).toEqual(["waited"]);
    const ageMaxS = ageS();
    await runUntilTold(alert, 1);
    expect(noticesTo(alert)).toMatchObject([
      { type: "alert.fired", data: { facts: { kind: "queue_lag", measured: expect.any(Number) } } },
    ]);
    const [notice] = noticesTo(alert);
    expectBetween(Number(notice?.data.facts?.measured), 20, Math.ceil(ageMaxS / 60));
    // Live sales are judged as of the lag, and not told of as missing.
    const { parts } = (await call("GET", "/admin/health", tally.operatorKey)) as {
      parts: { log: { verdict: string; worst_age_s: number } };
    };
    expect(parts.log.verdict).toBe("degraded");
    expectBetween(parts.log.worst_age_s, 1_200, ageMaxS);
    const path = `/merchants/lagging/report?at=${event.occurred_at}`;
    const { reports } = (await call("GET", path, tally.operatorKey)) as { reports: object[] };
    expect(reports).toMatchObject([{ payments: { count: 1 } }]);
  });

  test("is told that ClickHouse does not answer, and of what depends on it nothing that is not known", async () => {
    const [history, sales] = [
      await create("/admin/alerts", tally.operatorKey, { kind: "clickhouse_unreachable", minutes: 1 }),
      await create("/merchants/steady/alerts", tally.operatorKey, {
        kind: "below_baseline",
        figure: "payments",
        percent: 99,
      }),
    ];
    await tally.clickhouse.stop();
    await runNow();
    expect(noticesTo(history)).toEqual([]);
    // Once is no outage; as if a minute had passed.
    await tally.runtime.directory.exec("UPDATE alerts SET contradicted_since = contradicted_since - 60000");
    await runUntilTold(history, 1);
    expect(noticesTo(history)).toMatchObject([
      { type: "alert.fired", data: { facts: { kind: "clickhouse_unreachable" } } },
    ]);
    expect(noticesTo(sales)).toEqual([]);
    expect(await call("GET", `/merchants/steady/alerts/${sales.id}`, tally.operatorKey)).toMatchObject({
      state: "quiet",
      checked: { outcome: "unknown", reason: "history_unavailable" },
    });
  });
});
