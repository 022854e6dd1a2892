import { describe, expect, test } from "vitest";
import { amountBucket, bucketRange } from "../../shared/amounts.ts";
import { BREAKDOWN_VALUES_MAX, DIMENSIONS } from "../../shared/breakdown.ts";
import { decodeWindowsMessage, WINDOWS_MESSAGE_BYTES_MAX } from "../../shared/messages/windows.ts";
import { ReportCounter } from "../../shared/report.ts";
import { type MerchantWindow, toRow } from "../../shared/window-row.ts";
import { gunzip } from "../gzip.ts";
import { NOON_MS } from "./sample-payments.ts";
import { sendWindows } from "./send-windows.ts";

const SHARD = "5a".repeat(32);

/** A queue that keeps what it is sent; from the `failsAt`-th call on it takes no more. */
function fakeQueue(failsAt = Number.POSITIVE_INFINITY) {
  const calls: Uint8Array[][] = [];
  const take = async (bodies: Uint8Array[]) => {
    if (calls.length >= failsAt) throw new Error("the queue is full");
    calls.push(bodies);
  };
  const send = (body: Uint8Array) => take([body]);
  const sendBatch = (messages: Iterable<{ body: Uint8Array }>) => take([...messages].map(({ body }) => body));
  return { queue: { send, sendBatch } as unknown as Queue, calls };
}

function decode(body: Uint8Array) {
  const message = decodeWindowsMessage(new TextDecoder().decode(gunzip(body, 100_000_000)));
  if (!message.ok) throw new Error(message.error.reason);
  return message.value;
}

function windowOf(merchantId: string, counter = new ReportCounter()): MerchantWindow {
  return { merchantId, currency: "JPY", startMs: NOON_MS, revision: 1, report: counter.report() };
}

/** Everything a window can hold: each breakdown full of the longest texts there are, every register and amount bucket taken. */
function fullestWindow(): MerchantWindow {
  const counter = new ReportCounter();
  let seed = 1;
  const random = (n: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * n);
  };
  const astral = (length: number) =>
    String.fromCodePoint(...Array.from({ length }, () => 0x10000 + random(0x10ffff - 0x10000)));
  for (let i = 0; i < 8 * 3072; i++) {
    const bucket = bucketRange(i % 3072);
    const isLabelled = i < BREAKDOWN_VALUES_MAX + 1;
    counter.add({
      type: "payment",
      amount: Math.max(0, bucket.high - 1 - random(Math.min(bucket.high - bucket.low, 2 ** 31))),
      points_used: Number.MAX_SAFE_INTEGER,
      points_earned: Number.MAX_SAFE_INTEGER,
      user: { lo: i, hi: random(2 ** 32) >>> random(28) },
      dimensions: DIMENSIONS.map((dimension) => (isLabelled ? astral(dimension === "location" ? 64 : 32) : undefined)),
    });
  }
  return windowOf("m".repeat(64), counter);
}

describe("an emission on its way to the queue", () => {
  test("arrives whole, in parts numbered from 0, as many as are answered", async () => {
    const windows = Array.from({ length: 1_234 }, (_, i) => windowOf(`m${i}`));
    const { queue, calls } = fakeQueue();
    expect(await sendWindows(queue, SHARD, { id: 77, slices: [], windows })).toBe(2);
    const messages = calls.flat().map(decode);
    expect(messages.map(({ shard, emission, part }) => [shard, emission, part])).toEqual([
      [SHARD, 77, 0],
      [SHARD, 77, 1],
    ]);
    expect(messages.flatMap(({ rows }) => rows)).toEqual(JSON.parse(JSON.stringify(windows.map(toRow))));
  });

  test("fills its messages where the first one would be too large", async () => {
    const small = (name: string, at: number) => {
      const counter = new ReportCounter();
      for (let i = 0; i < 4; i++) {
        const user = { lo: Math.imul(at + 1, 0x9e3779b1 + i) >>> 0, hi: Math.imul(at + 3, 0x85ebca6b + i) >>> 0 };
        const dimensions = DIMENSIONS.map((dimension) => `${dimension}-${(at * 7 + i * 13) % 50}`);
        counter.add({
          type: "payment",
          amount: 100 + at * 31 + i,
          points_used: 0,
          points_earned: at,
          user,
          dimensions,
        });
      }
      return windowOf(name, counter);
    };
    const windows = Array.from({ length: 949 }, (_, i) => small(`merchant-${i * 7919}`, i));
    const { queue, calls } = fakeQueue();
    await sendWindows(queue, SHARD, { id: 1, slices: [], windows });
    const bytes = calls.flat().map(({ byteLength }) => byteLength);
    expect(bytes.length).toBeGreaterThan(1);
    expect(Math.min(...bytes.slice(0, -1))).toBeGreaterThan(0.85 * WINDOWS_MESSAGE_BYTES_MAX);
    const messages = calls.flat().map(decode);
    expect(messages.flatMap(({ rows }) => rows.map((row) => row.merchant_id))).toEqual(
      windows.map(({ merchantId }) => merchantId),
    );
  });

  test("is cut where a message would be too large, every part with a number of its own", async () => {
    const fullest = fullestWindow();
    const windows = Array.from({ length: 9 }, (_, i) => ({ ...fullest, merchantId: `m${i}` }));
    const { queue, calls } = fakeQueue();
    const parts = await sendWindows(queue, SHARD, { id: 1, slices: [], windows });
    const bodies = calls.flat();
    expect(Math.max(...bodies.map((body) => body.byteLength))).toBeLessThanOrEqual(WINDOWS_MESSAGE_BYTES_MAX);
    const messages = bodies.map(decode);
    expect(messages.map(({ part }) => part)).toEqual(Array.from({ length: parts }, (_, part) => part));
    expect(messages.flatMap(({ rows }) => rows.map((row) => row.merchant_id))).toEqual(
      windows.map(({ merchantId }) => merchantId),
    );
  });

  test("fits one message even with the fullest window: one that did not would hold up its shard for good", async () => {
    const { queue, calls } = fakeQueue();
    expect(await sendWindows(queue, SHARD, { id: 1, slices: [], windows: [fullestWindow()] })).toBe(1);
    expect(calls.flat()[0]?.byteLength).toBeLessThanOrEqual(WINDOWS_MESSAGE_BYTES_MAX);
  });

  test("fails as a whole when the queue takes only some of it", async () => {
    const fullest = fullestWindow();
    const windows = Array.from({ length: 6 }, (_, i) => ({ ...fullest, merchantId: `m${i}` }));
    const { queue } = fakeQueue(1);
    await expect(sendWindows(queue, SHARD, { id: 1, slices: [], windows })).rejects.toThrow("the queue is full");
  });
});

test("the fullest window is as full as the test says", () => {
  const { report } = fullestWindow();
  expect(report.amounts.bucket.length).toBe(amountBucket(Number.MAX_SAFE_INTEGER) + 1);
  expect(report.customers.length).toBe(2048);
  for (const dimension of DIMENSIONS) {
    expect(report.breakdowns[dimension].values.size).toBe(BREAKDOWN_VALUES_MAX);
    expect(report.breakdowns[dimension].other.count).toBe(1);
  }
});
