import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { differences, loadTruth, servedMetrics, storedHistory, truth } from "../scripts/ground-truth.ts";
import { HOUR_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { shopEvents } from "./shop.ts";
import { answered, startTestSystem, type TestSystem, until } from "./system.ts";

const EVENTS = 4_000;
const REQUEST_EVENTS = 500;

let tally: TestSystem;

beforeAll(async () => {
  tally = await startTestSystem();
});
afterAll(() => tally?.stop());

test("a day of a shop, sent once and then wholly again, is what plain SQL says: in the API and in ClickHouse, window by window", async () => {
  const toMs = windowStart(Date.now()) - WINDOW_MS;
  const fromMs = toMs - 22 * HOUR_MS;
  const events = shopEvents({ seed: "slice", count: EVENTS, fromMs, toMs });
  const lines = events.map((event) => `${JSON.stringify(event)}\n`);
  expect(await loadTruth(tally.sql, Readable.from(lines))).toBe(EVENTS);
  const expected = await truth(tally.sql);
  const merchants = [...new Set(events.map(({ merchant_id }) => merchant_id))];
  const served = () =>
    servedMetrics((path) => answered(() => tally.read(path)), merchants, fromMs - (fromMs % WINDOW_MS), toMs);

  for (let at = 0; at < EVENTS; at += REQUEST_EVENTS) {
    const receipt = await (await tally.send(events.slice(at, at + REQUEST_EVENTS))).json();
    expect(receipt).toEqual({ accepted: REQUEST_EVENTS, duplicates: 0, late: 0, rejected: 0, errors: [] });
  }
  expect(differences(expected, await served())).toEqual([]);
  await until("all windows in ClickHouse", async () =>
    differences(expected, await storedHistory(tally.sql)).length === 0 ? true : undefined,
  );

  for (let at = 0; at < EVENTS; at += REQUEST_EVENTS) {
    const again = await tally.send(events.slice(at, at + REQUEST_EVENTS), { Prefer: "respond-async" });
    expect(await again.json()).toMatchObject({ queued: REQUEST_EVENTS, rejected: 0 });
  }
  await until("both passes in the archive", async () =>
    (await archivedLines(tally)) >= 2 * EVENTS ? true : undefined,
  );
  expect(differences(expected, await served())).toEqual([]);
  expect(differences(expected, await storedHistory(tally.sql))).toEqual([]);
});

test("days, weeks and months in a zone with summer time add up to the windows in them", async () => {
  const toMs = windowStart(Date.now());
  const fromMs = toMs - 23 * HOUR_MS;
  const totals = await Promise.all(
    ["10m", "1h", "1d", "1w", "1mo"].map(async (granularity) => {
      const path = `/v1/merchants/United-Kingdom/metrics?from=${fromMs}&to=${toMs}&granularity=${granularity}&tz=Europe/London&currency=GBP`;
      const { series } = (await (await answered(() => tally.read(path))).json()) as {
        series: { total: object; buckets: { payments: { count: number; amount: number } }[] }[];
      };
      const buckets = series[0]?.buckets ?? [];
      return {
        total: series[0]?.total,
        count: buckets.reduce((sum, { payments }) => sum + payments.count, 0),
        amount: buckets.reduce((sum, { payments }) => sum + payments.amount, 0),
      };
    }),
  );
  expect(totals[0]?.count).toBeGreaterThan(0);
  for (const total of totals) expect(total).toEqual(totals[0]);
});

/** Lines in all objects of the archive. */
async function archivedLines({ runtime }: TestSystem): Promise<number> {
  let lines = 0;
  let cursor: string | undefined;
  do {
    const page = await runtime.archive.list({ prefix: "raw/v1/", ...(cursor === undefined ? {} : { cursor }) });
    for (const { key } of page.objects) {
      const bytes = await (await runtime.archive.get(key))?.arrayBuffer();
      if (bytes !== undefined) lines += gunzipSync(new Uint8Array(bytes)).toString().split("\n").length - 1;
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return lines;
}
