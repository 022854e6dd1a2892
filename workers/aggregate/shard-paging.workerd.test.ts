import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import { bytesOf, HOUR_MS, MINUTE_MS, NOON_MS, payment, payments } from "./sample-payments.ts";
import { Shard, type ShardReading } from "./shard.ts";
import { TestShard, workerEnv } from "./test-shard.ts";

const WINDOW_MS = 10 * MINUTE_MS;
const { accepted, duplicate, conflict } = STATUS;

let shards = 0;
let shard: TestShard;
let reported: unknown[];

beforeEach(() => {
  reported = [];
  // Far ahead, so that alarms ring only when a test rings them.
  vi.useFakeTimers({ toFake: ["Date"], now: NOON_MS });
  vi.spyOn(console, "error").mockImplementation((line) => void reported.push(line));
  shard = new TestShard(`shard-paging-${shards++}`);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A payment in each of the last `hours`' first windows, sent and stored; then a start with nothing in memory. */
async function pagedOut(hours: number): Promise<void> {
  for (let hour = hours; hour > 0; hour--) {
    const occurred_at = NOON_MS - hour * HOUR_MS;
    await shard.apply([payment({ event_id: `h${hour}`, occurred_at }), payment({ event_id: `i${hour}`, occurred_at })]);
  }
  await shard.catchWindows();
  const sent = () => new Set(shard.messages().flatMap(({ rows }) => rows.map((row) => row.window_start)));
  while (sent().size < hours) await shard.ringUntilSent();
  await shard.confirmAll();
  // The row of this one says what is stored.
  await shard.apply([payment({ event_id: "row", merchant_id: "another" })]);
  await shard.writePages();
}

const countOf = ({ windows }: ShardReading) => windows.reduce((sum, row) => sum + Number(row.payments_count), 0);

describe("a window that is paged out", () => {
  test("is left to history by a read, in as few spans as there are, and answered for when history is away", async () => {
    await shard.apply([payment({ event_id: "now" })]);
    await pagedOut(6);
    await shard.apply([payment({ event_id: "late", occurred_at: NOON_MS - 3 * HOUR_MS })]);
    const reading = await shard.read();
    const span = (fromHour: number, toHour: number) => [
      NOON_MS - fromHour * HOUR_MS,
      NOON_MS - toHour * HOUR_MS + WINDOW_MS,
    ];
    expect(reading.windows.map((row) => Number(row.window_start) * 1000)).toEqual([
      NOON_MS - 3 * HOUR_MS,
      NOON_MS - HOUR_MS,
      NOON_MS,
    ]);
    // What is before the shard's time joins the first of them.
    expect(reading.history).toEqual([
      [0, span(6, 4)[1]],
      [NOON_MS - 2 * HOUR_MS, span(2, 2)[1]],
    ]);
    const whole = await shard.read("shop", true);
    expect(whole.history).toEqual([[0, whole.retained_from]]);
    expect(countOf(whole)).toBe(14);
    // There is room for all of them, so the next read finds them in memory; of final windows history is asked all the same.
    const history = [[0, whole.retained_from + 2 * WINDOW_MS]];
    expect(await shard.read()).toEqual({ ...whole, history, as_of: Date.now() });
  });

  test("takes a late event, knows its repeats, and is sent again with all it had", async () => {
    await pagedOut(8);
    const occurred_at = NOON_MS - 7 * HOUR_MS;
    expect(await shard.apply([payment({ event_id: "h7", occurred_at })])).toEqual([duplicate]);
    expect(await shard.apply([payment({ event_id: "i7", occurred_at, amount: 1 })])).toEqual([conflict]);
    expect(await shard.apply([payment({ event_id: "new", occurred_at })])).toEqual([accepted]);
    shard.sent.length = 0;
    await shard.catchWindows();
    await shard.ringUntilSent();
    const rows = shard.messages().flatMap((message) => message.rows);
    expect(rows.map((row) => [Number(row.window_start) * 1000, row.payments_count])).toEqual([[occurred_at, 3]]);
    await shard.evict();
    expect(await shard.apply([payment({ event_id: "new", occurred_at })])).toEqual([duplicate]);
  });

  test("and is not known to be stored is answered for by the shard, and sent after a restart", async () => {
    await shard.apply(payments("a", 3, { occurred_at: NOON_MS - 5 * HOUR_MS }));
    await shard.catchWindows();
    await shard.ringUntilSent();
    await shard.evict();
    expect(countOf(await shard.read())).toBe(3);
    shard.sent.length = 0;
    await shard.catchWindows();
    await shard.ringUntilSent();
    expect(shard.messages()[0]?.rows[0]?.payments_count).toBe(3);
  });
});

/** Runs a shard with these limits on the storage of the one under test. */
async function limited<T>(limits: Record<string, string>, use: (shard: Shard) => T): Promise<T> {
  return await runInDurableObject(shard.stub, (_, state) => use(new Shard(state, { ...workerEnv, ...limits })));
}

describe("a shard whose memory is limited", () => {
  test("says and counts in the end what one does that keeps everything", async () => {
    const roomy = new TestShard(`shard-roomy-${shards}`);
    const batches = Array.from({ length: 120 }, (_, i) =>
      payments(`b${i % 90}`, 40, { occurred_at: NOON_MS - ((i * 7) % 23) * HOUR_MS, merchant_id: `m${i % 3}` }),
    );
    const expected: number[][] = [];
    for (const batch of batches) expected.push(await roomy.apply(batch));
    const actual = await limited({ RESIDENT_BYTES_MAX: "0", SHARD_BYTES_MAX: "60000" }, (small) =>
      batches.map((batch) => [...small.apply(bytesOf(batch))]),
    );
    expect(actual).toEqual(expected);
    expect(await shard.rows("page")).toBeGreaterThan(10);
    await shard.evict();
    const rowsOf = async (one: TestShard) =>
      (await one.read("m1", true)).windows.map(({ revision, ...row }) => ({ ...row }));
    expect(await rowsOf(shard)).toEqual(await rowsOf(roomy));
  });

  test("refuses what does not fit, as it was, and says what to do about it", async () => {
    await shard.apply(payments("a", 500));
    await limited({ RESIDENT_BYTES_MAX: "0", SHARD_BYTES_MAX: "1000" }, (small) => {
      expect(() => small.apply(bytesOf(payments("b", 1)))).toThrow(/too many/);
    });
    expect(String(reported)).toContain("grow the topology");
    expect(await shard.rows("journal")).toBe(1);
    expect(await shard.apply(payments("b", 1))).toEqual([accepted]);
  });

  test("is as it was when the checkpoint that would make room cannot be written, and goes on when it can", async () => {
    const limits = { RESIDENT_BYTES_MAX: "0", SHARD_BYTES_MAX: "60000" };
    const old = (hour: number) => payments(`o${hour}`, 800, { occurred_at: NOON_MS - hour * HOUR_MS });
    await shard.sql("CREATE TRIGGER full BEFORE INSERT ON checkpoint BEGIN SELECT RAISE(FAIL, 'disk is full'); END");
    await runInDurableObject(shard.stub, (_, state) => {
      const small = new Shard(state, { ...workerEnv, ...limits });
      let hour = 3;
      expect(() => {
        for (; hour < 20; hour++) small.apply(bytesOf(old(hour)));
      }).toThrow("disk is full");
      expect(hour).toBeLessThan(19);
      const before = small.read("shop", 0, 1e15, true);
      expect(() => small.apply(bytesOf(old(hour)))).toThrow("disk is full");
      expect(small.read("shop", 0, 1e15, true)).toBe(before);
      expect(state.storage.sql.exec("SELECT count(*) AS n FROM page").one().n).toBe(0);
      state.storage.sql.exec("DROP TRIGGER full");
      for (; hour < 20; hour++) expect([...small.apply(bytesOf(old(hour)))]).toEqual(Array(800).fill(accepted));
      for (hour = 3; hour < 20; hour++)
        expect([...small.apply(bytesOf(old(hour)))]).toEqual(Array(800).fill(duplicate));
    });
  });
});
