import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import type { ShardReading } from "../aggregate/shard.ts";
import { addKey, openDirectory } from "../directory/test-directory.ts";
import { metricsAnswerSchema } from "./metrics-schema.ts";
import { apiOver } from "./test-api.ts";

/** A day that is younger than any shard's windows. */
const NOON_MS = Date.UTC(2031, 10, 3, 12);
/** Of no port of that number anything is ever heard: ClickHouse's answers are the test's. */
const NOWHERE = "http://127.0.0.1:1";
const BESIDE = {
  ...{ ARCHIVE_S3_URL: `${NOWHERE}/archive`, ARCHIVE_S3_KEY_ID: "id", ARCHIVE_S3_SECRET: "secret" },
  ...{ CLICKHOUSE_URL: NOWHERE, CLICKHOUSE_USER: "reader", CLICKHOUSE_PASSWORD: "", CLICKHOUSE_DATABASE: "tally" },
  ARCHIVE: { list: async () => ({ objects: [], delimitedPrefixes: [], truncated: false }) },
  VERSION: { id: "rebuilding" },
};
const iso = (ms: number) => new Date(ms).toISOString();

let directory: D1Database;
let key: Awaited<ReturnType<typeof addKey>>;
beforeAll(async () => {
  directory = await openDirectory();
  key = await addKey(directory, "merchant", "shop");
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON_MS });
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response(""));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Metrics of shards that count a window anew, and of an archive without events. */
async function metricsWhile(damagedMs: number, query: string) {
  const read = async (_: string, fromMs: number, toMs: number) => {
    const reading: ShardReading = {
      ...{ as_of: Date.now(), retained_from: 0, history: [], windows: [] },
      damaged_from: fromMs <= damagedMs && damagedMs < toMs ? damagedMs : undefined,
    };
    return JSON.stringify(reading);
  };
  const SHARD = { idFromName: () => "", get: () => ({ read, mark: async () => null, counted: async () => [] }) };
  const api = apiOver(directory, { ...BESIDE, SHARD });
  const answer = await api.ask("GET", `/v1/merchants/shop/metrics?tz=UTC&currency=JPY&${query}`, key);
  const { notices, complete_through, series } = metricsAnswerSchema.parse(await answer.json());
  return {
    notices: notices.map(({ code }) => code),
    completeThroughMs: Date.parse(complete_through),
    isCompared: series[0]?.total.comparison !== undefined,
  };
}

test("what may lack something is not compared, nor with what may", async () => {
  const query = `from=${iso(NOON_MS - 2 * HOUR_MS)}&to=${iso(NOON_MS)}&granularity=1h&compare=previous_period`;
  expect(await metricsWhile(NOON_MS - HOUR_MS, query)).toEqual({
    ...{ notices: ["windows_rebuilding"], completeThroughMs: NOON_MS - HOUR_MS, isCompared: false },
  });
  vi.setSystemTime(NOON_MS + WINDOW_MS);
  const { notices, isCompared } = await metricsWhile(NOON_MS - 3 * HOUR_MS, query);
  expect({ notices, isCompared }).toEqual({ notices: ["base_unavailable"], isCompared: false });
  vi.setSystemTime(NOON_MS + 2 * WINDOW_MS);
  expect(await metricsWhile(NOON_MS - 5 * HOUR_MS, query)).toMatchObject({ notices: [], isCompared: true });
});

test("refunds of a span's sales that were made since may lack something, too", async () => {
  const query = `from=${iso(NOON_MS - 2 * HOUR_MS)}&to=${iso(NOON_MS - HOUR_MS)}&granularity=1h`;
  const damagedMs = NOON_MS - 3 * WINDOW_MS;
  expect(await metricsWhile(damagedMs, `${query}&refunds_by=sale`)).toMatchObject({
    ...{ notices: ["windows_rebuilding"], completeThroughMs: damagedMs },
  });
  expect((await metricsWhile(damagedMs, query)).notices).toEqual([]);
});
