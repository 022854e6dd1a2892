import { afterAll, beforeAll, expect, test } from "vitest";
import { shardOf } from "../shared/topology.ts";
import { GRACE_MS, HOUR_MS, windowStart } from "../shared/window.ts";
import { EventSourceReader } from "./event-source.ts";
import { payment, startTestSystem, type TestSystem } from "./system.ts";

/** In which the day is half over, so that hours ago is today, and so is what happens while the test runs. */
const ZONE = zoneAtNoon();

let tally: TestSystem;
let key: string;
const open: EventSourceReader[] = [];

beforeAll(async () => {
  tally = await startTestSystem();
  key = await tally.merchantKey("shop");
});
afterAll(async () => {
  for (const reader of open) reader.close();
  await tally?.stop();
});

async function listen(query = "", headers: Readonly<Record<string, string>> = {}, merchant = "shop") {
  const url = `${tally.runtime.apiUrl}/v1/merchants/${merchant}/live?tz=${encodeURIComponent(ZONE)}${query}`;
  const reader = await EventSourceReader.open(url, merchant === "shop" ? key : tally.operatorKey, headers);
  open.push(reader);
  return reader;
}

interface ShownReport {
  readonly currency: string;
  readonly payments: { readonly count: number; readonly amount: number };
}
const countOf = (reports: readonly ShownReport[], currency = "JPY") =>
  reports.find((report) => report.currency === currency)?.payments.count ?? 0;

test("a payment posted to ingest is on the stream, in its window and in the day's total, in each currency", async () => {
  const merchant_id = "first-shop";
  await tally.send([payment({ merchant_id, amount: 100 })]);
  const reader = await listen("", {}, merchant_id);
  expect(reader.response.headers.get("Content-Type")).toBe("text/event-stream; charset=utf-8");
  const snapshot = await reader.find("the snapshot", ({ name }) => name === "snapshot");
  expect(reader.events[0]).toBe(snapshot);
  expect(reader.notes[0]).toMatch(/^retry: \d+$/);
  expect(countOf(snapshot.data.today.reports)).toBe(1);

  await tally.send([payment({ merchant_id, amount: 250 })]);
  const update = await reader.find(
    "the update",
    ({ name, data }) => name === "window" && countOf(data.today.reports) === 2,
  );
  expect(update.data.window.status).toBe("open");
  expect(update.data.today.reports[0]).toMatchObject({ currency: "JPY", payments: { count: 2, amount: 350 } });
  expect(update.id).not.toBe(snapshot.id);

  await tally.send([payment({ merchant_id, amount: 3, currency: "USD" })]);
  const dollars = await reader.find("the dollars", ({ data }) => countOf(data.today.reports, "USD") === 1);
  expect(countOf(dollars.data.today.reports)).toBe(2);
  const metrics = await (
    await tally.read(`/v1/merchants/${merchant_id}/metrics?from=today&granularity=1d&tz=${encodeURIComponent(ZONE)}`)
  ).json();
  const totals = (metrics as { series: { total: unknown; currency: string }[] }).series;
  expect(dollars.data.today.reports).toMatchObject(
    totals.map(({ currency, total }) => {
      const { payments, refunds, net, customers, p50 } = total as Record<string, unknown>;
      return { currency, payments, refunds, net, customers, p50 };
    }),
  );
});

test("who comes again with the last id is told nothing until something changes, and everything when something has changed meanwhile", async () => {
  const { id, again } = await betweenTurns(async () => {
    const reader = await listen();
    const { id = "" } = await reader.find("the snapshot", ({ name }) => name === "snapshot");
    reader.close();
    return { id, again: await listen("", { "Last-Event-ID": id }) };
  });
  await tally.send([payment({ amount: 7 })]);
  const first = await again.find("the first event", () => true);
  expect(again.notes).toContain(": nothing has changed");
  expect(first.name).toBe("window");
  again.close();
  const outdated = await listen("", { "Last-Event-ID": id });
  expect((await outdated.find("the first event", () => true)).name).toBe("snapshot");
});

test("a payment that comes late corrects the day's total", async () => {
  const reader = await listen("&currency=JPY", {}, "late-shop");
  await reader.find("the snapshot", ({ name }) => name === "snapshot");
  const lateMs = windowStart(Date.now()) - 2 * HOUR_MS;
  await tally.send([payment({ merchant_id: "late-shop", occurred_at: lateMs, amount: 40 })]);
  const corrected = await reader.find("the correction", ({ data }) => countOf(data.today.reports) === 1);
  expect(corrected.name).toBe("today");
  await tally.send([payment({ merchant_id: "late-shop", occurred_at: Date.now(), amount: 2 })]);
  const update = await reader.find("the update", ({ data }) => countOf(data.today.reports) === 2);
  expect(update.data.today.reports[0].payments.amount).toBe(42);
});

test("only the merchant's own key and operators listen, and every parameter that is wrong is named", async () => {
  const other = await tally.merchantKey("other-shop");
  expect((await tally.read("/v1/merchants/shop/live", other)).status).toBe(403);
  expect((await tally.read("/v1/merchants/shop/live", "none")).status).toBe(401);
  for (const [query, parameter] of [
    ["tz=Mars/Base", "tz"],
    ["currency=XXQ", "currency"],
    ["from=today", "from"],
  ]) {
    const answer = await tally.read(`/v1/merchants/shop/live?${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ parameter });
  }
});

test("listeners of a shard that has left memory hear of the next payment", async () => {
  const reader = await listen();
  const { data } = await reader.find("the snapshot", ({ name }) => name === "snapshot");
  const shard = shardOf({ epochs: [{ id: 1, from_ms: 0, shards: 2, overrides: {} }] }, "shop", 0);
  await tally.runtime.miniflare.unsafeEvictDurableObject("tally-aggregate", "Shard", { name: shard });
  await tally.send([payment({ amount: 1 })]);
  const before = countOf(data.today.reports);
  await reader.find("the update", ({ data: update }) => countOf(update.today.reports) === before + 1);
});

/** What is done while no window opens or closes, which would be something new: where one does, it is done again. */
async function betweenTurns<T>(work: () => Promise<T>): Promise<T> {
  const opened = () => windowStart(Date.now());
  const closed = () => windowStart(Date.now() - GRACE_MS);
  for (;;) {
    const before = [opened(), closed()];
    const done = await work();
    if (opened() === before[0] && closed() === before[1]) return done;
  }
}

function zoneAtNoon(): string {
  const offset = 12 - new Date().getUTCHours();
  return offset === 0 ? "UTC" : `Etc/GMT${offset > 0 ? "-" : "+"}${Math.abs(offset)}`;
}
