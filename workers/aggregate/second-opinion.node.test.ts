import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { ClickHouse } from "../../scripts/clickhouse.ts";
import { startTestServer } from "../../scripts/clickhouse-test-server.ts";
import { paymentEvent } from "../../shared/event.arbitrary.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import { loadLines } from "./archived-lines.ts";
import type { Env } from "./env.ts";
import { RECOUNT_SQL, WINDOW_COLUMNS } from "./recount-sql.ts";
import { type ReplayClient, withReplayClient } from "./replay-client.ts";
import { ARCHIVED_MS, archivedPayment, gzippedLines } from "./sample-payments.ts";
import { secondOpinion } from "./second-opinion.ts";
import { REVISION, recountEnv } from "./test-archive.node.ts";

const HOURS = 2;

let server: ClickHouse;
let stop: (() => Promise<void>) | undefined;
let env: Env;
let replay = 0;

beforeAll(async () => {
  ({ server, stop } = await startTestServer());
  env = recountEnv(server);
});
afterAll(() => stop?.());
beforeEach(() => withReplayClient(env, (client) => client.command({ query: "TRUNCATE TABLE windows" })));

/** Events of a few merchants in two hours, each identity in one window. */
const events = fc
  .uniqueArray(paymentEvent, { minLength: 1, maxLength: 60, selector: ({ event_id }) => event_id })
  .map((all) =>
    all.map((event, at) => ({
      ...event,
      merchant_id: `shop-${at % 3}`,
      occurred_at: ARCHIVED_MS + (event.occurred_at % (HOURS * HOUR_MS)),
    })),
  );

const parameters = () => ({
  replay,
  hours: Array.from({ length: HOURS }, (_, at) => ARCHIVED_MS / 1000 + at * 3600),
  merchants: [],
  slots: [],
  revision: REVISION,
  from: ARCHIVED_MS / 1000,
  to: ARCHIVED_MS / 1000 + HOURS * 3600,
  only: [],
  slices: 1,
  slice: 0,
});

/** Loads the events, each twice, and has their windows in history. */
async function countAll(client: ReplayClient, all: readonly PaymentEvent[]): Promise<void> {
  replay += 1;
  const lines = [...all, ...all].map((event, n) => ({ event, receivedAtMs: event.occurred_at + n, batch: "b", n }));
  await loadLines(env, { replay, merchants: [] }, gzippedLines(lines));
  await client.command({ query: "TRUNCATE TABLE windows" });
  await client.command({
    query: `INSERT INTO windows (${WINDOW_COLUMNS.join(", ")}) ${RECOUNT_SQL}`,
    query_params: parameters(),
  });
}

/** Writes windows anew, with another thing in the place of some columns. */
async function tamper(client: ReplayClient, replaced: string, where: string): Promise<void> {
  const query = `INSERT INTO windows SELECT * REPLACE (revision + 1 AS revision, ${replaced}) FROM windows FINAL WHERE ${where}`;
  await client.command({ query });
}

test("windows as they should be add up to what plain SQL over the archive says", async () => {
  await fc.assert(
    fc.asyncProperty(events, async (all) => {
      await withReplayClient(env, async (client) => {
        await countAll(client, all);
        expect(await secondOpinion(client, parameters())).toEqual([]);
      });
    }),
    { numRuns: 10 },
  );
});

const sale = (event_id: string, more: Partial<PaymentEvent> = {}) =>
  archivedPayment({ event_id, merchant_id: "shop", amount: 500, ...more });

test("names what does not add up: sums, a value of a breakdown, a window that is not there", async () => {
  await withReplayClient(env, async (client) => {
    await countAll(client, [sale("a"), sale("b", { payment_method: "qr" }), sale("c", { currency: "USD", amount: 7 })]);
    await tamper(
      client,
      "payments_amount + 1 AS payments_amount, ['cash', 'qr'] AS by_payment_method_value",
      "currency = 'JPY'",
    );
    await client.command({ query: "DELETE FROM windows WHERE currency = 'USD'" });
    const doubts = await secondOpinion(client, parameters());
    expect(doubts.filter(({ currency }) => currency === "JPY")).toEqual([
      { currency: "JPY", what: "payments_amount", archived: "1000", stored: "1001" },
      { currency: "JPY", what: "payment_method=card", archived: "1 500", stored: "0" },
      { currency: "JPY", what: "payment_method=cash", archived: "0", stored: "1 500" },
    ]);
    expect(doubts.filter(({ currency }) => currency === "USD")).toContainEqual({
      currency: "USD",
      what: "payments_count",
      archived: "1",
      stored: "0",
    });
  });
});

test("of a dimension with more values than are named the whole is compared", async () => {
  await withReplayClient(env, async (client) => {
    const many = Array.from({ length: 140 }, (_, n) => sale(`e-${n}`, { payment_method: `method-${n}`, amount: n }));
    await countAll(client, many);
    expect(await secondOpinion(client, parameters())).toEqual([]);
    await tamper(client, "arrayMap(count -> count + 1, by_payment_method_count) AS by_payment_method_count", "1");
    const total = (140 * 139) / 2;
    expect(await secondOpinion(client, parameters())).toEqual([
      { currency: "JPY", what: "payment_method", archived: `140 ${total}`, stored: `269 ${total}` },
    ]);
  });
});

test("says nothing of merchants with an event in several windows, whose copies follow a rule of their own", async () => {
  await withReplayClient(env, async (client) => {
    await countAll(client, [sale("a"), sale("b"), sale("c", { merchant_id: "other" })]);
    const receivedAtMs = ARCHIVED_MS + WINDOW_MS;
    const moved = { event: sale("a", { occurred_at: receivedAtMs }), receivedAtMs, batch: "c" };
    await loadLines(env, { replay, merchants: [] }, gzippedLines([moved]));
    await tamper(client, "payments_count + 1 AS payments_count", "merchant_id = 'shop'");
    expect(await secondOpinion(client, parameters())).toEqual([]);
    await tamper(client, "payments_count + 1 AS payments_count", "merchant_id = 'other'");
    expect(await secondOpinion(client, parameters())).toMatchObject([
      { what: "payments_count", archived: "1", stored: "2" },
    ]);
  });
});
