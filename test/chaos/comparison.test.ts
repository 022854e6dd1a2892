import { gzipSync } from "node:zlib";
import type { ClickHouseClient } from "@clickhouse/client";
import type { D1Database, R2Bucket } from "@cloudflare/workers-types";
import { beforeEach, expect, test } from "vitest";
import type { Receipt } from "../../clients/typescript/src/receipt.ts";
import type { PaymentEventInput } from "../../scripts/event-input.ts";
import { HOUR_MS, windowStart } from "../../shared/window.ts";
import { type Compared, type Comparison, drainAndCompare, isEqual } from "./comparison.ts";
import { SendersRecord } from "./senders-record.ts";

/** Closed long ago. */
const startMs = windowStart(Date.now()) - HOUR_MS;
const event = (event_id: string, amount: number): PaymentEventInput => ({
  event_id,
  type: "payment",
  merchant_id: "shop",
  occurred_at: startMs + 1,
  amount,
  currency: "JPY",
  payment_method: "card",
});
const [acknowledged, unknown, refused] = [event("a", 1), event("u", 10), event("r", 100)];
const receipt = (over: Partial<Receipt>): Receipt => ({
  ...{ accepted: 0, duplicates: 0, late: 0, rejected: 0, queued: 0, errors: [] },
  ...over,
});

let record: SendersRecord;
beforeEach(() => {
  record = new SendersRecord(0);
  record.sent([acknowledged, unknown, refused]);
  record.answered([acknowledged], receipt({ accepted: 1 }), 1);
  record.answered([refused], receipt({ errors: [{ index: 0, code: "in_the_future", message: "" }] }), 1);
});

/** A system at rest that has, in its one window, what is said of each place. */
function systemOf(archived: readonly PaymentEventInput[], api: readonly PaymentEventInput[], history = api): Compared {
  const sum = (events: readonly PaymentEventInput[]) => events.reduce((total, { amount }) => total + amount, 0);
  const object = gzipSync(archived.map((one) => JSON.stringify(one)).join("\n"));
  const buckets = [
    {
      start: new Date(startMs).toISOString(),
      revision: 1,
      payments: { count: api.length, amount: sum(api) },
      refunds: { count: 0, amount: 0 },
    },
  ];
  const row = {
    ...{ merchant_id: "shop", currency: "JPY", start_s: String(startMs / 1000), revision: "1" },
    ...{ payments: String(history.length), paid: String(sum(history)), refunds: "0", refunded: "0" },
  };
  return {
    queues: { store: { backlog: () => ({}) } },
    directory: async () => ({ prepare: () => ({ first: async () => 0 }) }) as unknown as D1Database,
    archive: async () =>
      ({
        list: async () => ({
          objects: archived.length === 0 ? [] : [{ key: "raw/v1/2026/11/27/09/one.ndjson.gz" }],
          truncated: false,
        }),
        get: async () => ({ arrayBuffer: async () => object }),
      }) as unknown as R2Bucket,
    call: async () => Response.json({ series: [{ currency: "JPY", buckets }] }),
    sql: () =>
      ({ query: async () => ({ json: async () => [row] }), close: async () => {} }) as unknown as ClickHouseClient,
  };
}

async function compared(system: Compared): Promise<Comparison> {
  return (await drainAndCompare(system, record, 0)).comparison;
}

test("what was acknowledged once everywhere is right, whether or not the log has what nobody acknowledged", async () => {
  const without = await compared(systemOf([acknowledged], [acknowledged]));
  expect(isEqual(without)).toBe(true);
  expect(without.unacknowledged).toEqual({ sent: 1, counted: 0 });
  // Lines of the archive may repeat.
  const both = [acknowledged, unknown];
  const withIt = await compared(systemOf([...both, unknown], both));
  expect(isEqual(withIt)).toBe(true);
  expect(withIt.unacknowledged).toEqual({ sent: 1, counted: 1 });
});

test("an acknowledged event that is missing is lost, in each place by itself", async () => {
  const missing = await compared(systemOf([], []));
  expect(missing.archive.lost).toEqual(["shop a"]);
  expect([missing.api.lost, missing.history.lost]).toEqual([1, 1]);
  expect((await compared(systemOf([acknowledged], [acknowledged], []))).history.lost).toBe(1);
});

test("an event that was never acknowledged is counted as the log has it: not without it, not left out with it, and never twice", async () => {
  expect((await compared(systemOf([acknowledged], [acknowledged, unknown]))).api.double).toBe(1);
  expect((await compared(systemOf([acknowledged, unknown], [acknowledged]))).api.lost).toBe(1);
  const twice = [acknowledged, unknown, unknown];
  expect((await compared(systemOf(twice, twice))).history.double).toBe(1);
});

test("a refused event is to be found nowhere, and an event no sender knows neither", async () => {
  const all = [acknowledged, refused, event("x", 1)];
  expect((await compared(systemOf(all, all))).archive.invented).toEqual(["shop r", "shop x"]);
});

test("one event lost and another one counted twice is a wrong window, though its number is right", async () => {
  const wrong = await compared(systemOf([acknowledged, unknown], [unknown, unknown]));
  expect(wrong.api).toMatchObject({ lost: 0, double: 0 });
  expect(wrong.api.windows).toHaveLength(1);
});
