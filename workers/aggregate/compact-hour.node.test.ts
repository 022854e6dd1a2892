import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startCuttingProxy } from "../../scripts/cutting-proxy.ts";
import { archivePrefix, manifestKey } from "../../shared/archive-key.ts";
import { paymentEvent } from "../../shared/event.arbitrary.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import { requiredArchiveS3 } from "./archive-s3.ts";
import { compactHour } from "./compact-hour.ts";
import { PARQUET_STRUCTURE } from "./compact-sql.ts";
import { MOVED_REPEAT_MS } from "./engine.ts";
import { readManifest } from "./manifest.ts";
import { ARCHIVED_MS, archivedPayment, type Received } from "./sample-payments.ts";
import { ArchiveUnderTest, BYTES_MAX, REVISION } from "./test-archive.node.ts";

let tested: ArchiveUnderTest;
beforeAll(async () => {
  tested = await ArchiveUnderTest.start();
});
afterAll(() => tested?.stop());
beforeEach(() => tested.empty());

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
    event: {
      ...event,
      event_id: `e-${id}`,
      merchant_id: `shop-${shop}`,
      occurred_at: ARCHIVED_MS + at,
      currency: "JPY",
    },
    receivedAtMs: ARCHIVED_MS + (moment ?? at + lag),
    batch: `r-${batch}`,
  }));

test("windows stop being recent at multiples of ten minutes, which what is left out relies on", () => {
  expect(MOVED_REPEAT_MS % WINDOW_MS).toBe(0);
});

test("windows counted from what was compacted are to the byte those counted from the objects, whichever hours were compacted, and when", async () => {
  const hoursMs = [0, 1, 2].map((hour) => ARCHIVED_MS + hour * HOUR_MS);
  const step = fc.record({
    events: fc.array(received, { minLength: 1, maxLength: 25 }),
    repeated: fc.boolean(),
    compacted: fc.subarray(hoursMs),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 3 }), fc.boolean(), async (steps, isSmall) => {
      await tested.empty();
      let n = 0;
      const numbered = steps.map(({ events }) => events.map((one) => ({ ...one, n: n++ })));
      const whole = numbered.flatMap((events, at) => (steps[at]?.repeated ? [events, events] : [events]));
      for (const [at, events] of whole.entries()) await tested.deliver(`${at}`, events);
      const expected = await tested.counted(hoursMs);
      await tested.empty();
      let delivery = 0;
      for (const [at, { repeated, compacted }] of steps.entries()) {
        const events = numbered[at] ?? [];
        await tested.deliver(`${delivery++}`, events);
        if (repeated) await tested.deliver(`${delivery++}`, events);
        for (const hourMs of compacted) while ((await tested.compact(hourMs, isSmall ? 1 : BYTES_MAX)).isMore);
      }
      expect(await tested.counted(hoursMs)).toEqual(expected);
    }),
    { numRuns: 12 },
  );
});

/** A payment of the hour, received an hour later. */
function sent(over: Partial<PaymentEvent>, receivedAtMs = ARCHIVED_MS + HOUR_MS, batch = "r"): Received {
  return { event: archivedPayment(over), receivedAtMs, batch };
}

const filesOf = async () => (await readManifest(tested.bucket, ARCHIVED_MS)).manifest.files;
const parquetKeys = () => tested.keysOf(archivePrefix(ARCHIVED_MS), ".parquet");

async function rowsIn(key: string): Promise<Record<string, unknown>[]> {
  const { url, keyId, secret } = tested.archive.s3;
  return await tested.query(
    `SELECT * FROM s3('${url}/${key}', '${keyId}', '${secret}', 'Parquet', '${PARQUET_STRUCTURE}') SETTINGS output_format_json_quote_64bit_integers = 0, max_threads = 1`,
  );
}

describe("the Parquet of an hour", () => {
  test("has all of every event, also what is not counted", async () => {
    const whole: PaymentEvent = {
      ...archivedPayment(),
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
    await tested.deliver("1", [{ event: whole, receivedAtMs: ARCHIVED_MS + 5, batch: "r-0", n: 7 }]);
    await tested.compact(ARCHIVED_MS);
    const { user, merchant, ...rest } = whole;
    const { id: user_id, ...ofUser } = user ?? {};
    const { grade: merchant_grade, ...ofMerchant } = merchant ?? {};
    const provenance = { received_at: ARCHIVED_MS + 5, source: "pos", batch: "r-0", n: 7, line: 0 };
    const [key = ""] = await parquetKeys();
    expect(await rowsIn(key)).toEqual([{ ...rest, user_id, ...ofUser, merchant_grade, ...ofMerchant, ...provenance }]);
  });

  test("is sorted by merchant and time, and of lines of one identity and window has the first of every ten minutes in which it was received", async () => {
    const received = ARCHIVED_MS + 2 * HOUR_MS;
    await tested.deliver("1", [
      sent({ merchant_id: "b", event_id: "x", occurred_at: ARCHIVED_MS + 9 }, received),
      sent({ merchant_id: "a", event_id: "y", occurred_at: ARCHIVED_MS + 8, amount: 2 }, received + 1),
      sent({ merchant_id: "a", event_id: "z", occurred_at: ARCHIVED_MS + 7 }, received),
      sent({ merchant_id: "a", event_id: "y", occurred_at: ARCHIVED_MS + 9, amount: 1 }, received),
    ]);
    await tested.deliver("2", [
      sent({ merchant_id: "a", event_id: "y", occurred_at: ARCHIVED_MS + 8, amount: 3 }, received + WINDOW_MS - 1),
      sent({ merchant_id: "a", event_id: "y", occurred_at: ARCHIVED_MS + 8, amount: 4 }, received + WINDOW_MS),
      sent({ merchant_id: "a", event_id: "y", occurred_at: ARCHIVED_MS + WINDOW_MS, amount: 5 }, received),
    ]);
    expect(await tested.compact(ARCHIVED_MS)).toMatchObject({ objects: 2, events: 5 });
    const [key = ""] = await parquetKeys();
    expect(
      (await rowsIn(key)).map(({ merchant_id, event_id, amount }) => `${merchant_id} ${event_id} ${amount}`),
    ).toEqual(["a z 1", "a y 4", "a y 1", "a y 5", "b x 1"]);
  });

  test("has a later copy that counts, where the first one in its window was a repeat of another window's", async () => {
    const [first, second] = [ARCHIVED_MS, ARCHIVED_MS + WINDOW_MS];
    await tested.deliver("1", [
      sent({ occurred_at: first }, ARCHIVED_MS + 1),
      sent({ occurred_at: second, amount: 2 }, ARCHIVED_MS + RECENT_MS - 1),
      sent({ occurred_at: second, amount: 3 }, ARCHIVED_MS + RECENT_MS),
    ]);
    const before = await tested.counted([ARCHIVED_MS]);
    const amounts = before.windows.map((row) => JSON.parse(String(row)).payments_amount);
    expect(amounts.map(Number)).toEqual([1, 3]);
    await tested.compact(ARCHIVED_MS);
    expect(await tested.counted([ARCHIVED_MS])).toEqual(before);
  });

  test("takes the place of the objects and of earlier Parquet; once more changes nothing", async () => {
    await tested.deliver("1", [sent({ event_id: "1" })]);
    await tested.compact(ARCHIVED_MS);
    await tested.deliver("2", [sent({ event_id: "2" }), sent({ event_id: "1" })]);
    expect(await tested.compact(ARCHIVED_MS)).toMatchObject({ objects: 1, events: 2, isMore: false });
    const keys = await tested.keysOf("raw/v1/");
    expect(keys).toEqual([...(await parquetKeys()), manifestKey(ARCHIVED_MS)]);
    expect(await filesOf()).toMatchObject([
      { events: 2, originals: [{ name: "1.ndjson.gz" }, { name: "2.ndjson.gz" }] },
    ]);
    expect(await tested.compact(ARCHIVED_MS)).toMatchObject({ objects: 0 });
    expect(await tested.keysOf("raw/v1/")).toEqual(keys);
  });

  test("takes so many requests to the bucket as scripts/capacity/upkeep.ts reckons with, also where that is slow to answer", async () => {
    const proxy = await startCuttingProxy(tested.archive.s3.url);
    proxy.firstAnswersAfterMs = 1_000;
    try {
      for (const name of ["1", "2", "3"]) await tested.deliver(name, [sent({ event_id: name })]);
      const env = { ...tested.env, ARCHIVE_S3_URL: proxy.url };
      await compactHour(env, requiredArchiveS3(env), ARCHIVED_MS, { nowMs: REVISION, bytesMax: BYTES_MAX });
      // Each object and the Parquet, twice: its head and its bytes. The Worker's own are the listing, the manifest twice, and a head.
      expect(proxy.asked).toEqual({ HEAD: 2 * 3 + 2, GET: 2 * 3 + 2, PUT: 1 });
    } finally {
      await proxy.stop();
    }
  });

  test("is several files when the hour has more than a pass takes", async () => {
    for (const name of ["1", "2", "3"]) await tested.deliver(name, [sent({ event_id: name })]);
    const passes = [
      await tested.compact(ARCHIVED_MS, 1),
      await tested.compact(ARCHIVED_MS, 1),
      await tested.compact(ARCHIVED_MS, 1),
    ];
    expect(passes.map(({ isMore }) => isMore)).toEqual([true, true, false]);
    expect(await filesOf()).toHaveLength(3);
    const { windows } = await tested.counted([ARCHIVED_MS]);
    expect(windows.map((row) => Number(JSON.parse(String(row)).payments_count))).toEqual([3]);
  });
});
