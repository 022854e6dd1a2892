import { gunzipSync, gzipSync } from "node:zlib";
import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestArchive, type TestArchive } from "../../scripts/archive-test-bucket.ts";
import type { ClickHouse } from "../../scripts/clickhouse.ts";
import { startTestServer } from "../../scripts/clickhouse-test-server.ts";
import { archiveKey, archivePrefix, compactedKey, manifestKey } from "../../shared/archive-key.ts";
import { paymentEvent } from "../../shared/event.arbitrary.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import { requiredArchiveS3 } from "./archive-s3.ts";
import { loadHours } from "./archived-hours.ts";
import { compactHour } from "./compact-hour.ts";
import { PARQUET_COLUMNS, PARQUET_STRUCTURE } from "./compact-sql.ts";
import { MOVED_REPEAT_MS } from "./engine.ts";
import type { Env } from "./env.ts";
import { readManifest } from "./manifest.ts";
import { NEIGHBOURS_SQL, RECOUNT_SQL } from "./recount-sql.ts";

let server: ClickHouse;
let archive: TestArchive;
let env: Env;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const started = await startTestServer();
  stops.push(started.stop);
  archive = await startTestArchive();
  stops.push(archive.stop);
  server = started.server;
  env = {
    CLICKHOUSE_URL: server.url,
    CLICKHOUSE_USER: server.writer.user,
    CLICKHOUSE_PASSWORD: server.writer.password,
    CLICKHOUSE_DATABASE: "tally",
    ARCHIVE: archive.bucket,
    ARCHIVE_S3_URL: archive.s3.url,
    ARCHIVE_S3_KEY_ID: archive.s3.keyId,
    ARCHIVE_S3_SECRET: archive.s3.secret,
    CORRECTION_DELAY_MS: "0",
    LATE_DELAY_MS: "0",
    IDENTITY_KEY: "00".repeat(16),
  } as unknown as Env;
});

afterAll(async () => {
  for (const stop of stops) await stop();
});

beforeEach(async () => await emptyArchive());

interface Received {
  readonly event: PaymentEvent;
  readonly receivedAtMs: number;
  readonly batch: string;
  readonly n?: number;
}

const REVISION = 1_800_000_000_000;
const START_MS = Date.UTC(2026, 2, 1);
/** Large enough that what is compacted is one file, and so small that a pass takes an object. */
const BYTES_MAX = 64_000_000;

async function emptyArchive(): Promise<void> {
  const keys = await keysOf("raw/v1/");
  if (keys.length > 0) await archive.bucket.delete(keys);
}

async function keysOf(prefix: string): Promise<string[]> {
  return (await archive.bucket.list({ prefix })).objects.map(({ key }) => key);
}

const hourOf = ({ event }: Received) => event.occurred_at - (event.occurred_at % HOUR_MS);

function gzippedLines(received: readonly Received[]): Uint8Array<ArrayBuffer> {
  const lines = received.map(({ event, receivedAtMs, batch, n }) =>
    JSON.stringify({ ...event, received_at: receivedAtMs, source: "pos", batch, ...(n === undefined ? {} : { n }) }),
  );
  return Uint8Array.from(gzipSync(`${lines.join("\n")}\n`));
}

/** Puts events into the archive as one delivery does: an object for each of their hours. */
async function archiveDelivery(name: string, received: readonly Received[]): Promise<void> {
  for (const hourMs of new Set(received.map(hourOf))) {
    const own = received.filter((one) => hourOf(one) === hourMs);
    await archive.bucket.put(archiveKey(hourMs, name), gzippedLines(own));
  }
}

let passes = 0;

async function compact(hourMs: number, bytesMax = BYTES_MAX) {
  return await compactHour(env, requiredArchiveS3(env), hourMs, { nowMs: REVISION + ++passes, bytesMax });
}

let replays = 0;

/** Windows, and the hours that a replay would ask beside, as they are counted from what the archive has now. */
async function counted(hoursMs: readonly number[]): Promise<{ windows: unknown[]; neighbours: unknown[] }> {
  const replay = ++replays;
  expect(await loadHours(env, { replay, merchants: [] }, hoursMs)).toEqual([]);
  const parameters = { replay, hours: hoursMs.map((ms) => ms / 1000), merchants: [], slots: [], revision: REVISION };
  const windows = await query(RECOUNT_SQL, parameters);
  return {
    windows: windows.map((row) => JSON.stringify(row)).sort(),
    neighbours: await query(NEIGHBOURS_SQL, parameters),
  };
}

async function query<T = Record<string, unknown>>(sql: string, parameters: Record<string, unknown> = {}): Promise<T[]> {
  const client = createClient({
    url: server.url,
    username: server.user,
    password: server.password,
    database: "tally",
    log: { level: ClickHouseLogLevel.OFF },
  });
  try {
    return await (await client.query({ query: sql, query_params: parameters, format: "JSONEachRow" })).json<T>();
  } finally {
    await client.close();
  }
}

const parquetRows = (key: string) =>
  query<Record<string, string | number | object>>(
    `SELECT * FROM s3('${archive.s3.url}/${key}', '${archive.s3.keyId}', '${archive.s3.secret}', 'Parquet', '${PARQUET_STRUCTURE}')`,
  );

/** Few merchants, identities and moments, so that there are repeats within ten minutes and long after, and repeats moved to other windows. */
const received: fc.Arbitrary<Received> = fc
  .record({
    event: paymentEvent,
    id: fc.nat(8),
    shop: fc.nat(1),
    at: fc.oneof(fc.nat(3 * HOUR_MS - 1), fc.constantFrom(0, 599_999, 600_000, HOUR_MS - 1, HOUR_MS)),
    lag: fc.oneof(fc.integer({ min: -300_000, max: 7_200_000 }), fc.integer({ min: 0, max: 90 * 24 * HOUR_MS })),
    // Many at a few moments, on both sides of where a window stops being recent.
    moment: fc.option(
      fc.constantFrom(0, 1, WINDOW_MS - 1, WINDOW_MS, 9 * WINDOW_MS, 10 * WINDOW_MS - 1, 10 * WINDOW_MS),
    ),
    batch: fc.nat(2),
  })
  .map(({ event, id, shop, at, lag, moment, batch }) => ({
    event: { ...event, event_id: `e-${id}`, merchant_id: `shop-${shop}`, occurred_at: START_MS + at, currency: "JPY" },
    receivedAtMs: moment === null ? START_MS + at + lag : START_MS + 2 * HOUR_MS + moment,
    batch: `r-${batch}`,
  }));

test("windows stop being recent at multiples of ten minutes, which what is left out relies on", () => {
  expect(MOVED_REPEAT_MS % WINDOW_MS).toBe(0);
});

test("windows counted from what was compacted are to the byte those counted from the objects, whichever hours were compacted, and when", async () => {
  const hoursMs = [0, 1, 2].map((hour) => START_MS + hour * HOUR_MS);
  const step = fc.record({
    events: fc.array(received, { minLength: 1, maxLength: 25 }),
    repeated: fc.boolean(),
    compacted: fc.subarray(hoursMs),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 3 }), fc.boolean(), async (steps, isSmall) => {
      await emptyArchive();
      let n = 0;
      const numbered = steps.map(({ events }) => events.map((one) => ({ ...one, n: n++ })));
      const whole = numbered.flatMap((events, at) => (steps[at]?.repeated ? [events, events] : [events]));
      for (const [at, events] of whole.entries()) await archiveDelivery(`${at}`, events);
      const expected = await counted(hoursMs);
      await emptyArchive();
      let delivery = 0;
      for (const [at, { repeated, compacted }] of steps.entries()) {
        const events = numbered[at] ?? [];
        await archiveDelivery(`${delivery++}`, events);
        if (repeated) await archiveDelivery(`${delivery++}`, events);
        for (const hourMs of compacted) while ((await compact(hourMs, isSmall ? 1 : BYTES_MAX)).isMore);
      }
      expect(await counted(hoursMs)).toEqual(expected);
    }),
    { numRuns: 20 },
  );
}, 180_000);
