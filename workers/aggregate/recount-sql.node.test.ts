import { gzipSync } from "node:zlib";
import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClickHouse } from "../../scripts/clickhouse.ts";
import { startTestServer } from "../../scripts/clickhouse-test-server.ts";
import { paymentEvent } from "../../shared/event.arbitrary.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { batchOf } from "../../shared/event-batch.ts";
import { SIP_KEY_ZERO } from "../../shared/siphash.ts";
import { HOUR_MS, windowStart } from "../../shared/window.ts";
import { toRow } from "../../shared/window-row.ts";
import { concat } from "../bytes.ts";
import { LinesRefused, loadLines } from "./archived-lines.ts";
import { emptyState } from "./engine.ts";
import type { Env } from "./env.ts";
import { beginRecount, recount } from "./recount.ts";
import { NEIGHBOURS_SQL, RECOUNT_SQL } from "./recount-sql.ts";
import { ARCHIVED_MS, archivedPayment, gzippedLines, type Received } from "./sample-payments.ts";
import { REVISION, recountEnv } from "./test-archive.node.ts";

let server: ClickHouse;
let stop: (() => Promise<void>) | undefined;
let env: Env;

beforeAll(async () => {
  ({ server, stop } = await startTestServer());
  env = recountEnv({ url: server.url, ...server.writer });
});

afterAll(() => stop?.());

/** In the order in which they were received. */
const byReceipt = (a: Received, b: Received) => a.receivedAtMs - b.receivedAtMs || (a.batch < b.batch ? -1 : 1);

/** What the engine counts, as rows of text. */
function counted(archive: readonly Received[]): string[] {
  const starts = new Set(archive.map(({ event }) => windowStart(event.occurred_at)));
  const state = emptyState();
  const anew = beginRecount(state, [...starts], REVISION);
  const ordered = [...archive].sort(byReceipt);
  const batch = batchOf(
    ordered.map(({ event }) => event),
    SIP_KEY_ZERO,
  );
  recount(
    state,
    anew,
    batch,
    ordered.map(({ receivedAtMs }) => receivedAtMs),
  );
  return [...anew.slices.values()]
    .flatMap((slice) => [...slice.windows()])
    .map((window) => JSON.stringify(toRow({ ...window, revision: REVISION })))
    .sort();
}

let replays = 0;

async function query<T>(sql: string, parameters: Record<string, unknown>): Promise<T[]> {
  const client = createClient({
    url: server.url,
    username: server.writer.user,
    password: server.writer.password,
    database: "tally",
    log: { level: ClickHouseLogLevel.OFF },
  });
  try {
    const settings = { output_format_json_quote_64bit_integers: 1 as const };
    return await (
      await client.query({ query: sql, query_params: parameters, format: "JSONEachRow", clickhouse_settings: settings })
    ).json();
  } finally {
    await client.close();
  }
}

/** The lines of an archive object, as two members; there are many in one. */
function linesOf(archive: readonly Received[]): Uint8Array<ArrayBuffer> {
  const half = Math.ceil(archive.length / 2);
  return concat([archive.slice(0, half), archive.slice(half)].map(gzippedLines));
}

const hourOf = ({ event }: Received) => event.occurred_at - (event.occurred_at % HOUR_MS);

/** What ClickHouse counts of the same lines, an object for each hour; some of them come twice, since they were delivered twice. */
async function countedBySql(archive: readonly Received[], repeated: number): Promise<string[]> {
  const replay = ++replays;
  const numbered = archive.map((received, n) => ({ ...received, n }));
  const hours = [...new Set(archive.map(hourOf))].sort((a, b) => b - a);
  for (const hourMs of hours) {
    const own = numbered.filter((received) => hourOf(received) === hourMs);
    await loadLines(env, { replay, merchants: [] }, linesOf(own));
  }
  if (repeated > 0) await loadLines(env, { replay, merchants: [] }, linesOf(numbered.slice(0, repeated)));
  const rows = await query<Record<string, unknown>>(RECOUNT_SQL, {
    replay,
    hours: hours.map((ms) => ms / 1000),
    merchants: [],
    slots: [],
    revision: REVISION,
  });
  return rows.map((row) => JSON.stringify(asSent(row))).sort();
}

/** A row as shards send it: sums stay text, whatever else ClickHouse quotes is a number. */
function asSent(row: Record<string, unknown>): Record<string, unknown> {
  const isSum = (name: string) => /^(payments|refunds|by_\w+)_amount$|^points_/.test(name);
  const isText = (name: string) => /^(merchant_id|currency|by_\w+_value)$/.test(name);
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (name === "window_start") return [name, Date.parse(`${value}Z`) / 1000];
      if (isSum(name) || isText(name)) return [name, value];
      return [name, Array.isArray(value) ? value.map(Number) : Number(value)];
    }),
  );
}

/** Few merchants, identities and moments, so that there are repeats, conflicts, and repeats that were moved to other windows and hours. */
const received: fc.Arbitrary<Received> = fc
  .record({
    event: paymentEvent,
    id: fc.nat(12),
    shop: fc.nat(2),
    at: fc.oneof(fc.nat(4 * HOUR_MS), fc.constantFrom(0, 599_999, 600_000, HOUR_MS - 1, HOUR_MS)),
    lag: fc.oneof(fc.integer({ min: -300_000, max: 7_200_000 }), fc.integer({ min: 0, max: 90 * 24 * HOUR_MS })),
    // Half of them at one moment, so that only their order within the request tells which came first. Nothing comes long before its time: it is refused.
    isTogether: fc.boolean(),
    batch: fc.nat(2),
    currency: fc.constantFrom("JPY", "EUR"),
  })
  .map(({ event, id, shop, at, lag, isTogether, batch, currency }) => ({
    event: { ...event, event_id: `e-${id}`, merchant_id: `shop-${shop}`, occurred_at: ARCHIVED_MS + at, currency },
    receivedAtMs: isTogether ? ARCHIVED_MS + 4 * HOUR_MS : ARCHIVED_MS + at + lag,
    batch: `r-${batch}`,
  }));

test("windows counted by SQL are, to the byte, what the engine counts of the same lines", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(received, { minLength: 1, maxLength: 60 }), fc.nat(20), async (archive, repeated) => {
      expect(await countedBySql(archive, repeated)).toEqual(counted(archive));
    }),
    { numRuns: 25 },
  );
});

test("so are windows with more values than are named, the ends of every bucket and rank, and characters beyond the basic ones", async () => {
  const ends = Array.from({ length: 54 }, (_, bit) => 2 ** bit).flatMap((power) => [power - 1, power, power + 1]);
  const amounts = ends.filter((amount) => amount <= Number.MAX_SAFE_INTEGER);
  const first = [0x41, 0xe9, 0x6f22, 0xd7ff, 0xe000, 0xfb01, 0xffee, 0x10000, 0x1f600, 0x10fffe];
  const archive = Array.from({ length: 600 }, (_, n): Received => {
    const hash = (n < 200 ? 2n ** BigInt(n % 64) : BigInt(n) * 0x9e3779b97f4a7c15n) % 2n ** 64n;
    const event: PaymentEvent = {
      event_id: `e-${n}`,
      type: n % 7 === 0 ? "refund" : "payment",
      merchant_id: "shop",
      occurred_at: ARCHIVED_MS + (n % 2) * 1_000,
      amount: amounts[n % amounts.length] ?? 0,
      currency: "JPY",
      payment_method: `${String.fromCodePoint(first[n % first.length] ?? 0)}${n % 40}`,
      points_used: Number.MAX_SAFE_INTEGER,
      points_earned: n,
      user: { id: hash.toString(16).padStart(16, "0"), device: n % 3 === 0 ? "ios" : undefined },
      merchant: { location: `${String.fromCodePoint(first[(n * 7) % first.length] ?? 0)}-${n % 290}` },
    };
    return { event, receivedAtMs: ARCHIVED_MS + n, batch: "r" };
  });
  const rows = counted(archive);
  expect(JSON.parse(rows[0] ?? "").by_location_value[0]).toBe("");
  expect(await countedBySql(archive, 0)).toEqual(rows);
});

test("of an identity that a request sends for two hours the first one counts, though each hour's lines stand apart", async () => {
  const receivedAtMs = ARCHIVED_MS + 2 * HOUR_MS;
  const sent = (event_id: string, occurred_at: number, amount: number): Received => ({
    event: archivedPayment({ event_id, occurred_at, amount }),
    receivedAtMs,
    batch: "r",
  });
  const archive = [sent("y", receivedAtMs, 1), sent("x", receivedAtMs, 10), sent("x", receivedAtMs - 60_000, 99)];
  const rows = await countedBySql(archive, 0);
  expect(rows).toEqual(counted(archive));
  expect(rows.map((row) => JSON.parse(row).payments_amount)).toEqual(["11"]);
});

test("only lines of the merchants asked for are loaded", async () => {
  const replay = ++replays;
  const archive = ["a", "b", "c"].map((merchant_id) => ({
    event: archivedPayment({ merchant_id }),
    receivedAtMs: ARCHIVED_MS,
    batch: "r",
  }));
  await loadLines(env, { replay, merchants: ["a", "c"] }, linesOf(archive));
  const loaded = await query(
    "SELECT merchant_id FROM archived_events WHERE replay = {replay:UInt64} ORDER BY merchant_id",
    { replay },
  );
  expect(loaded).toEqual([{ merchant_id: "a" }, { merchant_id: "c" }]);
});

test.each<[string, (whole: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>]>([
  ["cut off", (whole) => whole.slice(0, whole.length - 20)],
  ["with a byte changed", (whole) => Uint8Array.from(whole, (byte, at) => (at === 40 ? byte ^ 0x55 : byte))],
  ["that is no gzip", () => Uint8Array.from(Buffer.from("not gzip at all"))],
  ["of something else than events", () => Uint8Array.from(Buffer.from(gzipSync("hello\n")))],
])("an object %s is refused as damaged", async (_, damaged) => {
  const archive = Array.from({ length: 50 }, (_, n) => ({
    event: archivedPayment({ event_id: `e-${n}-${Math.imul(n, 0x9e3779b1)}` }),
    receivedAtMs: ARCHIVED_MS,
    batch: "r",
  }));
  const refused = loadLines(env, { replay: ++replays, merchants: [] }, damaged(linesOf(archive)));
  await expect(refused).rejects.toSatisfy((error) => error instanceof LinesRefused && error.isDamage);
});

test("the neighbours of hours are those in which an event may have been counted before it was received again", async () => {
  const replay = ++replays;
  const receivedAtMs = ARCHIVED_MS + 48 * HOUR_MS + 58 * 60_000;
  await loadLines(env, { replay, merchants: [] }, linesOf([{ event: archivedPayment(), receivedAtMs, batch: "r" }]));
  const rows = await query<{ hour_s: string }>(NEIGHBOURS_SQL, { replay, hours: [ARCHIVED_MS / 1000] });
  expect(rows.map(({ hour_s }) => Number(hour_s) * 1000 - ARCHIVED_MS)).toEqual(
    [47, 48, 49].map((hours) => hours * HOUR_MS),
  );
});
