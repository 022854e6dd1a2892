import { gzipSync } from "node:zlib";
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
import { type ArchivedObject, loadHours, loadObjects, objectsBetween } from "./archived-hours.ts";
import type { Loading } from "./archived-lines.ts";
import { compactHour } from "./compact-hour.ts";
import { PARQUET_STRUCTURE } from "./compact-sql.ts";
import { MOVED_REPEAT_MS } from "./engine.ts";
import type { Env } from "./env.ts";
import { EMPTY_MANIFEST, readManifest, writeManifest } from "./manifest.ts";
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

/** From the start of a window, how long it recognises repeats of its events that are moved to other windows. */
const RECENT_MS = WINDOW_MS + MOVED_REPEAT_MS;

/** Few merchants, identities and moments, so that there are repeats within ten minutes and long after, and repeats moved to other windows. */
const received: fc.Arbitrary<Received> = fc
  .record({
    event: paymentEvent,
    id: fc.nat(4),
    shop: fc.nat(1),
    at: fc.oneof(fc.nat(3 * HOUR_MS - 1), fc.constantFrom(0, 599_999, 600_000, HOUR_MS - 1, HOUR_MS)),
    lag: fc.oneof(fc.integer({ min: -300_000, max: 7_200_000 }), fc.integer({ min: 0, max: 90 * 24 * HOUR_MS })),
    // Many at a few moments, on both sides of where the first windows stop being recent.
    moment: fc.option(
      fc.constantFrom(1, 3 * WINDOW_MS, RECENT_MS - 1, RECENT_MS, RECENT_MS + WINDOW_MS - 1, RECENT_MS + WINDOW_MS),
    ),
    batch: fc.nat(2),
  })
  .map(({ event, id, shop, at, lag, moment, batch }) => ({
    event: { ...event, event_id: `e-${id}`, merchant_id: `shop-${shop}`, occurred_at: START_MS + at, currency: "JPY" },
    receivedAtMs: START_MS + (moment ?? at + lag),
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
    { numRuns: 12 },
  );
}, 180_000);

const plain: PaymentEvent = {
  event_id: "e",
  type: "payment",
  merchant_id: "a",
  occurred_at: START_MS,
  amount: 1,
  currency: "JPY",
  payment_method: "qr",
  points_used: 0,
  points_earned: 0,
};

function sent(over: Partial<PaymentEvent>, receivedAtMs = START_MS + HOUR_MS, batch = "r"): Received {
  return { event: { ...plain, ...over }, receivedAtMs, batch };
}

const filesOf = async () => (await readManifest(archive.bucket, START_MS)).manifest.files;
const parquetKeys = async () => (await keysOf(archivePrefix(START_MS))).filter((key) => key.endsWith(".parquet"));

async function rowsIn(key: string): Promise<Record<string, unknown>[]> {
  const { url, keyId, secret } = archive.s3;
  return await query(
    `SELECT * FROM s3('${url}/${key}', '${keyId}', '${secret}', 'Parquet', '${PARQUET_STRUCTURE}') SETTINGS output_format_json_quote_64bit_integers = 0, max_threads = 1`,
  );
}

describe("the Parquet of an hour", () => {
  test("has all of every event, also what is not counted", async () => {
    const whole: PaymentEvent = {
      ...plain,
      amount: Number.MAX_SAFE_INTEGER,
      points_used: 3,
      points_earned: 4,
      refund_of: "e-0",
      user: {
        id: "00112233445566ff",
        grade: "gold",
        gender: "female",
        country: "JP",
        device: "ios",
        age_band: "30-39",
      },
      merchant: { grade: "A", location: '渋谷 "1"', business_type: "cafe" },
      attributes: { table: "7", "a\\b": "€😀" },
    };
    await archiveDelivery("1", [{ event: whole, receivedAtMs: START_MS + 5, batch: "r-0", n: 7 }]);
    await compact(START_MS);
    const { user, merchant, ...rest } = whole;
    const { id: user_id, ...ofUser } = user ?? {};
    const { grade: merchant_grade, ...ofMerchant } = merchant ?? {};
    const provenance = { received_at: START_MS + 5, source: "pos", batch: "r-0", n: 7, line: 0 };
    const [key = ""] = await parquetKeys();
    expect(await rowsIn(key)).toEqual([{ ...rest, user_id, ...ofUser, merchant_grade, ...ofMerchant, ...provenance }]);
  });

  test("is sorted by merchant and time, and of lines of one identity and window has the first of every ten minutes in which it was received", async () => {
    const received = START_MS + 2 * HOUR_MS;
    await archiveDelivery("1", [
      sent({ merchant_id: "b", event_id: "x", occurred_at: START_MS + 9 }, received),
      sent({ merchant_id: "a", event_id: "y", occurred_at: START_MS + 8, amount: 2 }, received + 1),
      sent({ merchant_id: "a", event_id: "z", occurred_at: START_MS + 7 }, received),
      sent({ merchant_id: "a", event_id: "y", occurred_at: START_MS + 9, amount: 1 }, received),
    ]);
    await archiveDelivery("2", [
      sent({ merchant_id: "a", event_id: "y", occurred_at: START_MS + 8, amount: 3 }, received + WINDOW_MS - 1),
      sent({ merchant_id: "a", event_id: "y", occurred_at: START_MS + 8, amount: 4 }, received + WINDOW_MS),
      sent({ merchant_id: "a", event_id: "y", occurred_at: START_MS + WINDOW_MS, amount: 5 }, received),
    ]);
    expect(await compact(START_MS)).toMatchObject({ objects: 2, events: 5 });
    const [key = ""] = await parquetKeys();
    expect(
      (await rowsIn(key)).map(({ merchant_id, event_id, amount }) => `${merchant_id} ${event_id} ${amount}`),
    ).toEqual(["a z 1", "a y 4", "a y 1", "a y 5", "b x 1"]);
  });

  test("has a later copy that counts, where the first one in its window was a repeat of another window's", async () => {
    const [first, second] = [START_MS, START_MS + WINDOW_MS];
    await archiveDelivery("1", [
      sent({ occurred_at: first }, START_MS + 1),
      sent({ occurred_at: second, amount: 2 }, START_MS + RECENT_MS - 1),
      sent({ occurred_at: second, amount: 3 }, START_MS + RECENT_MS),
    ]);
    const before = await counted([START_MS]);
    const amounts = before.windows.map((row) => JSON.parse(String(row)).payments_amount);
    expect(amounts.map(Number)).toEqual([1, 3]);
    await compact(START_MS);
    expect(await counted([START_MS])).toEqual(before);
  });

  test("takes the place of the objects and of earlier Parquet; once more changes nothing", async () => {
    await archiveDelivery("1", [sent({ event_id: "1" })]);
    await compact(START_MS);
    await archiveDelivery("2", [sent({ event_id: "2" }), sent({ event_id: "1" })]);
    expect(await compact(START_MS)).toMatchObject({ objects: 1, events: 2, isMore: false });
    const keys = await keysOf("raw/v1/");
    expect(keys).toEqual([...(await parquetKeys()), manifestKey(START_MS)]);
    expect(await filesOf()).toMatchObject([
      { events: 2, originals: [{ name: "1.ndjson.gz" }, { name: "2.ndjson.gz" }] },
    ]);
    expect(await compact(START_MS)).toMatchObject({ objects: 0 });
    expect(await keysOf("raw/v1/")).toEqual(keys);
  });

  test("is several files when the hour has more than a pass takes", async () => {
    for (const name of ["1", "2", "3"]) await archiveDelivery(name, [sent({ event_id: name })]);
    const passes = [await compact(START_MS, 1), await compact(START_MS, 1), await compact(START_MS, 1)];
    expect(passes.map(({ isMore }) => isMore)).toEqual([true, true, false]);
    expect(await filesOf()).toHaveLength(3);
    const { windows } = await counted([START_MS]);
    expect(windows.map((row) => Number(JSON.parse(String(row)).payments_count))).toEqual([3]);
  });
});

describe("an object that cannot be read whole", () => {
  const many = Array.from({ length: 50 }, (_, n) => sent({ event_id: `e-${n}-${Math.imul(n, 0x9e3779b1)}` }));
  const text = (json: string) => Uint8Array.from(gzipSync(json));

  test.each<[string, Uint8Array<ArrayBuffer>]>([
    ["cut off", gzippedLines(many).slice(0, -20)],
    ["with a byte changed", Uint8Array.from(gzippedLines(many), (byte, at) => (at === 40 ? byte ^ 0x55 : byte))],
    ["that is no gzip", Uint8Array.from(Buffer.from("not gzip at all"))],
    ["that is empty", new Uint8Array(0)],
    ["of something else than events", text("hello\n")],
    ["of lines that are no events", text('{"event_id":"a"}\n')],
    ["with a field that no event has", text('{"event_id":"a","user":{"shoe_size":"44"}}\n')],
  ])("%s stays and is named, the others of its hour are compacted", async (_, damaged) => {
    const key = archiveKey(START_MS, "2");
    await archiveDelivery("1", [sent({ event_id: "1" })]);
    await archive.bucket.put(key, damaged);
    await archiveDelivery("3", [sent({ event_id: "3" })]);
    expect(await compact(START_MS)).toMatchObject({ objects: 2, events: 2, damaged: 1 });
    expect((await keysOf("raw/v1/")).filter((one) => one.endsWith(".gz"))).toEqual([key]);
    const { manifest } = await readManifest(archive.bucket, START_MS);
    expect(manifest.damaged.map(({ name }) => name)).toEqual(["2.ndjson.gz"]);
    // It is not tried again while it is what it was, and keeps nothing from being compacted.
    await archiveDelivery("4", [sent({ event_id: "4" })]);
    expect(await compact(START_MS)).toMatchObject({ objects: 1, events: 3, damaged: 1 });
    await archive.bucket.put(key, gzippedLines([sent({ event_id: "2" })]));
    expect(await compact(START_MS)).toMatchObject({ objects: 1, events: 4, damaged: 0 });
  });

  test("alone in its hour leaves it as it is", async () => {
    await archive.bucket.put(archiveKey(START_MS, "1"), "not gzip at all");
    expect(await compact(START_MS)).toMatchObject({ objects: 0, events: 0, damaged: 1 });
    expect(await keysOf("raw/v1/")).toEqual([archiveKey(START_MS, "1"), manifestKey(START_MS)]);
  });
});

describe("a pass that died", () => {
  const event = sent({ event_id: "1" });

  test("before the manifest: its Parquet counts nothing, and is removed by a later one, once it is old enough to be nobody's", async () => {
    await archiveDelivery("1", [event]);
    const orphan = compactedKey(START_MS, "1-dead");
    await archive.bucket.put(orphan, "half a file");
    expect((await counted([START_MS])).windows).toHaveLength(1);
    await compact(START_MS);
    const limits = { nowMs: Date.now(), bytesMax: BYTES_MAX };
    await compactHour(env, requiredArchiveS3(env), START_MS, limits);
    expect(await parquetKeys()).toContain(orphan);
    await compactHour(env, requiredArchiveS3(env), START_MS, { ...limits, nowMs: Date.now() + 2 * HOUR_MS });
    expect(await parquetKeys()).not.toContain(orphan);
    expect((await counted([START_MS])).windows).toHaveLength(1);
  });

  test("before the objects were removed: they are not counted twice, and are removed by the next", async () => {
    const twice = [event, sent({ event_id: "2" })];
    await archiveDelivery("1", twice);
    const before = await counted([START_MS]);
    await compact(START_MS);
    await archiveDelivery("1", twice);
    expect(await counted([START_MS])).toEqual(before);
    const listed = [];
    for await (const { kind } of objectsBetween(archive.bucket, START_MS, START_MS + HOUR_MS)) listed.push(kind);
    expect(listed).toEqual(["parquet"]);
    await compact(START_MS);
    expect((await keysOf("raw/v1/")).filter((key) => key.endsWith(".gz"))).toEqual([]);
  });

  test("nothing is removed when the file cannot be found again, or another pass has written the manifest", async () => {
    await archiveDelivery("1", [event]);
    const failing = (name: "head" | "put", answer: unknown) =>
      new Proxy(archive.bucket, {
        get: (bucket, property) =>
          property === name ? async () => answer : Reflect.get(bucket, property).bind(bucket),
      });
    for (const bucket of [failing("head", null), failing("put", null)]) {
      const limits = { nowMs: REVISION, bytesMax: BYTES_MAX };
      const pass = compactHour({ ...env, ARCHIVE: bucket }, requiredArchiveS3(env), START_MS, limits);
      await expect(pass).rejects.toThrow();
      expect((await keysOf("raw/v1/")).filter((key) => key.endsWith(".gz"))).toHaveLength(1);
    }
    expect((await counted([START_MS])).windows).toHaveLength(1);
  });

  test("a manifest that another pass has written meanwhile is not overwritten", async () => {
    await writeManifest(archive.bucket, START_MS, EMPTY_MANIFEST, undefined);
    await expect(writeManifest(archive.bucket, START_MS, EMPTY_MANIFEST, undefined)).rejects.toThrow("by another");
    const { etag } = await readManifest(archive.bucket, START_MS);
    await writeManifest(
      archive.bucket,
      START_MS,
      { ...EMPTY_MANIFEST, damaged: [{ name: "a", etag: "b", reason: "c" }] },
      etag,
    );
    await expect(writeManifest(archive.bucket, START_MS, EMPTY_MANIFEST, etag)).rejects.toThrow("by another");
  });
});

describe("a reader", () => {
  const listedNow = async () => {
    const listed = [];
    for await (const object of objectsBetween(archive.bucket, START_MS, START_MS + HOUR_MS)) listed.push(object);
    return listed;
  };
  const load = (objects: Iterable<ArchivedObject>) => loadObjects(env, { replay: ++replays, merchants: [] }, objects);

  test("that listed before a compaction and reads after it fails, and finds everything when it lists again", async () => {
    await archiveDelivery("1", [sent({ event_id: "1" })]);
    const lines = await listedNow();
    await compact(START_MS);
    await expect(load(lines)).rejects.toThrow("has gone since");
    const parquet = await listedNow();
    await archiveDelivery("2", [sent({ event_id: "2" })]);
    await compact(START_MS);
    await expect(load(parquet)).rejects.toThrow("has gone since");
    expect(await load(await listedNow())).toEqual([]);
  });

  test("is told of Parquet that is damaged or gone, and of a manifest that cannot be read, and gets the rest", async () => {
    const hoursMs = [0, 1, 2, 3].map((hour) => START_MS + hour * HOUR_MS);
    for (const occurred_at of hoursMs) {
      await archiveDelivery("1", [sent({ occurred_at })]);
      await compact(occurred_at);
    }
    const [cut = "", gone = ""] = (await keysOf("raw/v1/")).filter((key) => key.endsWith(".parquet"));
    const bytes = new Uint8Array((await (await archive.bucket.get(cut))?.arrayBuffer()) ?? new ArrayBuffer(0));
    await archive.bucket.put(cut, bytes.slice(0, -9));
    await archive.bucket.delete(gone);
    await archive.bucket.put(manifestKey(START_MS + 2 * HOUR_MS), "{}");
    const replay = ++replays;
    const damaged = await loadHours(env, { replay, merchants: [] }, hoursMs);
    expect(damaged.map(({ key }) => key).sort()).toEqual([cut, gone, manifestKey(START_MS + 2 * HOUR_MS)].sort());
    const loaded = "SELECT toUnixTimestamp(hour) AS hour FROM archived_events WHERE replay = {replay:UInt64}";
    expect(await query(loaded, { replay })).toEqual([{ hour: (START_MS + 3 * HOUR_MS) / 1000 }]);
  });

  test("gets only what it asks for: merchants, and a slice of them", async () => {
    const ids = ["a", "b", "c", "d", "e"];
    await archiveDelivery(
      "1",
      ids.map((merchant_id) => sent({ merchant_id })),
    );
    await compact(START_MS);
    const loaded = async (loading: Partial<Loading>) => {
      const replay = ++replays;
      await loadHours(env, { replay, merchants: [], ...loading }, [START_MS]);
      const rows = "SELECT merchant_id FROM archived_events WHERE replay = {replay:UInt64} ORDER BY merchant_id";
      return (await query<{ merchant_id: string }>(rows, { replay })).map(({ merchant_id }) => merchant_id);
    };
    expect(await loaded({ merchants: ["b", "d"] })).toEqual(["b", "d"]);
    const slices = [await loaded({ slices: 2, slice: 0 }), await loaded({ slices: 2, slice: 1 })];
    expect(slices.flat().sort()).toEqual(ids);
    expect(slices[0]?.length).toBeLessThan(5);
  });

  test("is told what to configure when there is Parquet and no way to it", async () => {
    await archiveDelivery("1", [sent({})]);
    await compact(START_MS);
    const { ARCHIVE_S3_URL: _, ARCHIVE_S3_KEY_ID: __, ARCHIVE_S3_SECRET: ___, ...bare } = env;
    await expect(loadHours(bare, { replay: ++replays, merchants: [] }, [START_MS])).rejects.toThrow("ARCHIVE_S3_URL");
    await expect(
      loadHours({ ...bare, ARCHIVE_S3_URL: "http://a" }, { replay: ++replays, merchants: [] }, [START_MS]),
    ).rejects.toThrow("go together");
  });
});
