import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import { EMISSION_TIMEOUT_MS } from "./emission.ts";
import { RETENTION_MARGIN_MS } from "./engine.ts";
import { JOURNAL_SLOTS } from "./journal.ts";
import { bytesOf, HOUR_MS, MINUTE_MS, NOON_MS, payment, payments } from "./sample-payments.ts";
import { ALARM_RETRY_MS } from "./shard.ts";
import { Slice } from "./slice.ts";
import { TestShard } from "./test-shard.ts";

const CLOSES_MS = NOON_MS + 12 * MINUTE_MS;
const GOES_MS = NOON_MS + 10 * MINUTE_MS + 24 * HOUR_MS + RETENTION_MARGIN_MS;
/** Of the Worker under test, as `vitest.config.ts` has it. */
const CORRECTION_DELAY_MS = 50;
const { accepted, duplicate, conflict, late } = STATUS;

let shards = 0;
let shard: TestShard;

beforeEach(() => {
  // Far ahead, so that alarms ring only when a test rings them.
  vi.useFakeTimers({ toFake: ["Date"], now: NOON_MS });
  vi.spyOn(console, "error").mockImplementation(() => {});
  shard = new TestShard(`shard-under-test-${shards++}`);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const countOf = async (merchant = "shop") =>
  (await shard.read(merchant)).windows.reduce((sum, row) => sum + Number(row.payments_count), 0);

describe("after an eviction", () => {
  test("a merchant reads the same bytes, and a repeat is still a duplicate", async () => {
    const events = [
      payment({ event_id: "a", user: { id: "00112233445566ff", gender: "female", country: "JP" } }),
      payment({ event_id: "b", type: "refund", amount: 7, currency: "EUR" }),
      payment({ event_id: "c", occurred_at: NOON_MS - HOUR_MS, points_used: 3 }),
    ];
    expect(await shard.apply(events)).toEqual([accepted, accepted, accepted]);
    const before = await shard.read();
    expect(before.windows.length).toBe(3);
    await shard.evict();
    expect(await shard.read()).toEqual(before);
    expect(await shard.apply(events)).toEqual([duplicate, duplicate, duplicate]);
    expect(await shard.apply([payment({ event_id: "a", amount: 101 })])).toEqual([conflict]);
    expect(await shard.read()).toEqual(before);
  });

  test("a batch of nothing but repeats has written nothing", async () => {
    await shard.apply(payments("a", 3));
    for (let i = 0; i < 5; i++) await shard.apply(payments("a", 3));
    expect(await shard.sql("SELECT slot, seq FROM journal")).toEqual([{ slot: 1, seq: 1 }]);
  });

  test("revisions go on growing, though the clock went back", async () => {
    await shard.apply(payments("a", 1));
    const before = (await shard.read()).windows[0]?.revision;
    await shard.evict();
    vi.setSystemTime(NOON_MS - HOUR_MS);
    await shard.apply(payments("b", 1));
    expect((await shard.read()).windows[0]?.revision).toBeGreaterThan(Number(before));
  });

  test("the alarm that was set still stands", async () => {
    await shard.apply(payments("a", 1));
    await shard.evict();
    expect(await shard.alarmMs()).toBe(CLOSES_MS);
  });
});

describe("the journal", () => {
  test("wraps around: its rows are overwritten, and nothing is lost or counted again wherever the shard starts anew", async () => {
    for (let i = 1; i <= 2 * JOURNAL_SLOTS + 10; i++) {
      await shard.apply(payments(`batch-${i}`, 2));
      if (i % JOURNAL_SLOTS < 2 || i % JOURNAL_SLOTS >= JOURNAL_SLOTS - 2) await shard.evict();
    }
    expect(await countOf()).toBe(2 * (2 * JOURNAL_SLOTS + 10));
    expect(await shard.rows("journal")).toBe(JOURNAL_SLOTS);
    expect(await shard.rows("page")).toBe(1);
    await shard.evict();
    for (let i = 1; i <= 2 * JOURNAL_SLOTS + 10; i += 17) {
      expect(await shard.apply(payments(`batch-${i}`, 2))).toEqual([duplicate, duplicate]);
    }
  });

  test("gives way to pages when memory wants room; a large one takes several and comes back whole", async () => {
    const merchants = Array.from({ length: 34 }, (_, i) => `merchant-${i}`);
    for (const merchant_id of merchants) await shard.apply(payments("p", 5_000, { merchant_id }));
    const before = await shard.read("merchant-7");
    vi.setSystemTime(CLOSES_MS + 2 * HOUR_MS);
    await shard.writePages({ SEALED_EVENTS_MIN: "1000000" });
    expect(await shard.rows("page")).toBe(2);
    const [{ seq: paged } = {}] = await shard.sql("SELECT seq FROM checkpoint");
    expect(paged).toBe(34);
    await shard.evict();
    expect((await shard.read("merchant-7")).windows).toEqual(before.windows);
    expect(await shard.apply(payments("p", 5_000, { merchant_id: "merchant-33" }))).toEqual(
      Array(5_000).fill(duplicate),
    );
  });
});

describe("a batch that cannot be counted", () => {
  const rejected = async (bytes: Uint8Array, message: RegExp) => {
    const before = await shard.read();
    await expect((async () => await shard.stub.apply(bytes))()).rejects.toThrow(message);
    expect(await shard.read()).toEqual(before);
    expect(await shard.rows("journal")).toBe(1);
  };

  test("because it is none is refused, and changes nothing", async () => {
    await shard.apply(payments("a", 2));
    const good = bytesOf(payments("b", 2));
    const wrongAmount = good.slice();
    new Float64Array(wrongAmount.buffer, 16, 4)[2] = 1.5;
    for (const bytes of [new Uint8Array(), new Uint8Array(500), good.subarray(0, good.length - 1), wrongAmount]) {
      await rejected(bytes, /not a shard batch/);
    }
  });

  test("because its row cannot be written is an error to the caller, and counts once it can", async () => {
    await shard.apply(payments("a", 2));
    await shard.sql("CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(FAIL, 'disk is full'); END");
    await rejected(bytesOf(payments("b", 2)), /disk is full/);
    await shard.sql("DROP TRIGGER full");
    expect(await shard.apply(payments("b", 2))).toEqual([accepted, accepted]);
    await shard.evict();
    expect(await countOf()).toBe(4);
  });

  test("because a checkpoint is due and cannot be written is an error, and counts once it can", async () => {
    for (let i = 1; i < JOURNAL_SLOTS; i++) await shard.apply(payments(`${i}`, 1));
    await shard.sql("CREATE TRIGGER full BEFORE INSERT ON checkpoint BEGIN SELECT RAISE(FAIL, 'disk is full'); END");
    for (let i = 0; i < 3; i++) await expect(shard.apply(payments("b", 1))).rejects.toThrow("disk is full");
    expect(await shard.rows("page")).toBe(0);
    expect(await countOf()).toBe(JOURNAL_SLOTS - 1);
    await shard.sql("DROP TRIGGER full");
    expect(await shard.apply(payments("b", 1))).toEqual([accepted]);
    await shard.evict();
    expect(await countOf()).toBe(JOURNAL_SLOTS);
  });

  test("because counting fails half-way leaves no half: the shard starts anew, and counts all of it the next time", async () => {
    await shard.apply(payments("a", 2));
    const { count } = Slice.prototype;
    let events = 0;
    const broken = vi.spyOn(Slice.prototype, "count").mockImplementation(function (this: Slice, ...event) {
      if (++events === 2) throw new Error("a bug");
      count.apply(this, event);
    });
    await expect(shard.apply(payments("b", 3))).rejects.toThrow("a bug");
    broken.mockRestore();
    // The object that was reset is told from its successor by the stub.
    shard = new TestShard(`shard-under-test-${shards - 1}`);
    expect(await shard.rows("journal")).toBe(1);
    expect(await countOf()).toBe(2);
    expect(await shard.apply(payments("b", 3))).toEqual([accepted, accepted, accepted]);
    expect(await countOf()).toBe(5);
  });
});

describe("a window that closes", () => {
  test("is sent once, as the rows a merchant reads", async () => {
    await shard.apply([
      payment({ event_id: "a" }),
      payment({ event_id: "b", merchant_id: "café", user: { id: "00112233445566ff" } }),
      payment({ event_id: "open", occurred_at: NOON_MS + 10 * MINUTE_MS }),
    ]);
    expect(await shard.alarmMs()).toBe(CLOSES_MS);
    vi.setSystemTime(CLOSES_MS);
    await shard.catchWindows();
    expect(await shard.ring()).toBe(true);
    const [message, ...others] = shard.messages();
    expect(others).toEqual([]);
    expect(message?.shard).toBe(shard.stub.id.toString());
    const isClosed = (row: { window_start?: unknown }) => row.window_start === NOON_MS / 1000;
    expect(message?.rows).toEqual([
      ...(await shard.read()).windows.filter(isClosed),
      ...(await shard.read("café")).windows,
    ]);
    // For the corrections that may come.
    const correctionsMs = await shard.alarmMs();
    expect(correctionsMs).toBe(CLOSES_MS + CORRECTION_DELAY_MS);
    vi.setSystemTime(correctionsMs ?? 0);
    await shard.ring();
    expect(shard.sent.length).toBe(1);
    expect(await shard.alarmMs()).toBe(CLOSES_MS + 10 * MINUTE_MS);
  });

  test("is sent again when a late event corrects it, under a larger revision", async () => {
    await shard.apply([payment({ event_id: "a" }), payment({ event_id: "b", merchant_id: "other" })]);
    vi.setSystemTime(CLOSES_MS);
    await shard.catchWindows();
    await shard.ring();
    await shard.apply([payment({ event_id: "late" })]);
    await shard.ringUntilSent();
    const [first, correction] = shard.messages();
    expect(correction?.rows.map(({ merchant_id, payments_count }) => [merchant_id, payments_count])).toEqual([
      ["shop", 2],
    ]);
    expect(correction?.rows[0]?.revision).toBeGreaterThan(Number(first?.rows[0]?.revision));
  });

  test("is corrected by what comes while it is being sent, and the alarm is not set before that has ended", async () => {
    await shard.apply(payments("a", 1));
    vi.setSystemTime(CLOSES_MS);
    const alarms: (number | null)[] = [];
    await shard.catchWindows(async (instance, state) => {
      if (shard.sent.length > 0) return;
      instance.apply(bytesOf(payments("b", 1)));
      alarms.push(await state.storage.getAlarm());
    });
    await shard.ring();
    expect(alarms).toEqual([null]);
    await shard.ringUntilSent();
    expect(shard.messages().map(({ rows }) => rows[0]?.payments_count)).toEqual([1, 2]);
  });

  test("is sent in the end by a queue that failed at first; batches meanwhile do not make the alarm ring on and on", async () => {
    await shard.apply(payments("a", 1));
    vi.setSystemTime(CLOSES_MS);
    let failures = 0;
    await shard.catchWindows(() => {
      if (failures++ < 2) throw new Error("the queue does not answer");
    });
    await shard.ring();
    for (let i = 0; i < 3; i++) {
      await shard.apply(payments(`meanwhile-${i}`, 1));
      expect(await shard.alarmMs()).toBe(CLOSES_MS + ALARM_RETRY_MS);
    }
    vi.setSystemTime(CLOSES_MS + ALARM_RETRY_MS);
    await shard.ring();
    expect(await shard.alarmMs()).toBe(CLOSES_MS + 2 * ALARM_RETRY_MS);
    vi.setSystemTime(CLOSES_MS + 2 * ALARM_RETRY_MS);
    await shard.ring();
    expect(shard.messages().map(({ rows }) => rows[0]?.payments_count)).toEqual([4]);
  });

  test("is sent again after a restart, when it is not known to be stored; what was confirmed before does not count for that", async () => {
    await shard.apply(payments("a", 1));
    vi.setSystemTime(CLOSES_MS);
    await shard.catchWindows();
    await shard.ring();
    const before = shard.messages().map(({ emission, part }) => [emission, part] as const);
    await shard.evict();
    await shard.catchWindows();
    await shard.apply(payments("b", 1));
    await shard.ringUntilSent();
    expect(shard.messages().map(({ rows }) => rows[0]?.payments_count)).toEqual([1, 2]);
    vi.setSystemTime(GOES_MS);
    await shard.stub.confirm(before);
    expect((await shard.read()).retained_from).toBe(NOON_MS);
    await shard.confirmAll();
    expect((await shard.read()).retained_from).toBeGreaterThan(NOON_MS);
  });

  test("is sent again when nobody confirms it", async () => {
    await shard.apply(payments("a", 1));
    vi.setSystemTime(CLOSES_MS);
    await shard.catchWindows();
    await shard.ring();
    vi.setSystemTime(CLOSES_MS + CORRECTION_DELAY_MS);
    await shard.ring();
    expect(await shard.alarmMs()).toBe(CLOSES_MS + EMISSION_TIMEOUT_MS);
    await shard.ringUntilSent();
    expect(Date.now()).toBeGreaterThan(CLOSES_MS + EMISSION_TIMEOUT_MS);
    const [first, again] = shard.messages();
    expect(again?.rows).toEqual(first?.rows);
    expect(again?.emission).not.toBe(first?.emission);
  });
});

describe("past the horizon", () => {
  async function closed() {
    await shard.apply(payments("a", 2));
    vi.setSystemTime(CLOSES_MS);
    await shard.catchWindows();
    await shard.ring();
  }

  test("a stored window leaves the shard with every row of it, and its events are late from then on, whatever the clock says", async () => {
    await closed();
    await shard.confirmAll();
    vi.setSystemTime(GOES_MS - 1);
    await shard.ring();
    expect(await shard.alarmMs()).toBe(GOES_MS);
    expect((await shard.read("shop", true)).retained_from).toBeGreaterThan(NOON_MS);
    vi.setSystemTime(GOES_MS);
    await shard.ring();
    const reading = await shard.read();
    expect(reading.windows).toEqual([]);
    expect(reading.retained_from).toBeGreaterThan(NOON_MS);
    expect(await shard.rows("page")).toBe(0);
    expect(await shard.rows("journal")).toBe(0);
    expect(await shard.alarmMs()).toBeNull();
    await shard.evict();
    for (const nowMs of [GOES_MS, CLOSES_MS]) {
      vi.setSystemTime(nowMs);
      expect(await shard.apply(payments("a", 2))).toEqual([late, late]);
      expect((await shard.read()).retained_from).toBeGreaterThan(NOON_MS);
    }
  });

  test("a batch of a window that leaves goes with it, and one of a window that stays is there for the next start", async () => {
    await closed();
    await shard.confirmAll();
    await shard.apply([payment({ event_id: "next", occurred_at: CLOSES_MS })]);
    vi.setSystemTime(GOES_MS);
    await shard.ring();
    expect(await shard.sql("SELECT seq FROM journal")).toEqual([{ seq: 2 }]);
    await shard.evict();
    const { windows } = await shard.read("shop", true);
    expect(windows.map(({ payments_count }) => payments_count)).toEqual([1]);
  });

  test("a batch goes with the last window it was counted in, whatever times its refused events say", async () => {
    await shard.apply(payments("first", 1));
    const moved = { ...payment({ event_id: "first-0" }), occurred_at: CLOSES_MS };
    expect(await shard.apply([...payments("second", 1), moved])).toEqual([accepted, conflict]);
    await closed();
    await shard.confirmAll();
    vi.setSystemTime(GOES_MS);
    await shard.ring();
    expect(await shard.rows("page")).toBe(0);
    expect(await shard.rows("journal")).toBe(0);
  });

  test("a window that history has not confirmed stays, is answered for, and is sent again, for days", async () => {
    await closed();
    for (let day = 1; day <= 3; day++) {
      vi.setSystemTime(GOES_MS + day * 24 * HOUR_MS);
      await shard.ring();
      expect(await shard.alarmMs()).toBeGreaterThan(Date.now());
      const reading = await shard.read();
      expect(reading.retained_from).toBe(NOON_MS);
      expect(reading.windows[0]?.payments_count).toBe(2);
      await shard.ringUntilSent();
      await shard.evict();
      await shard.catchWindows();
    }
    await shard.ringUntilSent();
    await shard.confirmAll();
    expect(await shard.alarmMs()).toBe(Date.now());
    await shard.ring();
    expect((await shard.read()).windows).toEqual([]);
  });
});
