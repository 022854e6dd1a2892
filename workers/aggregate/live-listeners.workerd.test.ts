import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { decodeLiveMessage, LIVE_PING, LIVE_PONG, type LiveMessage } from "../../shared/messages/live.ts";
import { WINDOW_MS } from "../../shared/window.ts";
import { LIVE_PUSH_INTERVAL_MS } from "./live-changes.ts";
import { LIVE_LISTENERS_PER_MERCHANT_MAX } from "./live-listeners.ts";
import { HOUR_MS, NOON_MS, payment, payments } from "./sample-payments.ts";
import { TestShard } from "./test-shard.ts";

/** For what comes within some milliseconds where nothing else is done. */
const WAIT_MS_MAX = 120_000;

let shards = 0;
let shard: TestShard;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON_MS });
  for (const level of ["warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => {});
  shard = new TestShard(`live-shard-${shards++}`);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const connect = (merchant: string) =>
  shard.stub.fetch(`https://shard/live?merchant=${merchant}`, { headers: { Upgrade: "websocket" } });

/** One who listens, and what was heard. */
class Listener {
  readonly socket: WebSocket;
  readonly heard: string[] = [];

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => void this.heard.push(String(data)));
    socket.accept();
  }

  get messages(): LiveMessage[] {
    return this.heard.flatMap((text) => {
      const message = decodeLiveMessage(text);
      return message.ok ? [message.value] : [];
    });
  }

  /** What the last window it was told of has counted. */
  get counts(): number[] {
    return this.messages.flatMap(({ windows }) => windows.at(-1)?.report.payments_count ?? []);
  }

  async hears(counts: readonly number[]): Promise<void> {
    await vi.waitFor(() => expect(this.counts).toEqual(counts), WAIT_MS_MAX);
  }
}

async function listen(merchant = "shop"): Promise<Listener> {
  const { webSocket } = await connect(merchant);
  if (webSocket === null) throw new Error("no socket");
  const listener = new Listener(webSocket);
  await vi.waitFor(() => expect(listener.messages.length).toBe(1), WAIT_MS_MAX);
  return listener;
}

test("a listener is told what there is, then what changes, whole: recent windows as they are, of older ones that they changed", async () => {
  await shard.apply([payment({ event_id: "old", occurred_at: NOON_MS - HOUR_MS }), payment({ event_id: "a" })]);
  const listener = await listen();
  expect(listener.messages).toMatchObject([{ asOfMs: NOON_MS, corrected: false, windows: [{ startMs: NOON_MS }] }]);
  await shard.apply([payment({ event_id: "b", currency: "EUR" })]);
  const told = () => listener.messages[1]?.windows.map(({ currency }) => currency);
  await vi.waitFor(() => expect(told()).toEqual(["EUR", "JPY"]), WAIT_MS_MAX);
  await shard.apply([payment({ event_id: "c", occurred_at: NOON_MS - HOUR_MS })]);
  await vi.waitFor(() => expect(listener.messages[2]).toMatchObject({ windows: [], corrected: true }), WAIT_MS_MAX);
});

test("while a recent window is damaged nobody begins to listen: what the first message leaves out nobody would read", async () => {
  await shard.apply(payments("a", 2));
  await shard.sql("INSERT INTO damaged (window, noted_at_ms) VALUES (?, 0)", NOON_MS / WINDOW_MS);
  await shard.evict();
  expect((await connect("shop")).status).toBe(409);
  await shard.sql("DELETE FROM damaged");
  await shard.sql("INSERT INTO damaged (window, noted_at_ms) VALUES (?, 0)", (NOON_MS - HOUR_MS) / WINDOW_MS);
  await shard.evict();
  expect((await listen()).counts).toEqual([2]);
});

test("repeats, other merchants and those who have left are not told of anything", async () => {
  const [listener, leaving] = [await listen(), await listen()];
  await shard.apply(payments("a", 2));
  for (const one of [listener, leaving]) await one.hears([2]);
  leaving.socket.close();
  await vi.waitFor(() => expect(leaving.socket.readyState).toBe(WebSocket.CLOSED), WAIT_MS_MAX);
  await shard.apply(payments("a", 2));
  await shard.apply(payments("b", 3, { merchant_id: "another" }));
  vi.setSystemTime(NOON_MS + 1_000);
  await shard.apply(payments("c", 3));
  await listener.hears([2, 5]);
  expect(leaving.counts).toEqual([2]);
});

test("many changes at once are one message, whatever there are of them one in each interval", async () => {
  const listener = await listen();
  await shard.apply(payments("first", 1));
  await listener.hears([1]);
  const beganMs = performance.now();
  for (let i = 0; i < 20; i++) await shard.apply(payments(`more-${i}`, 1));
  await vi.waitFor(() => expect(listener.counts.at(-1)).toBe(21), WAIT_MS_MAX);
  const intervals = Math.ceil((performance.now() - beganMs) / LIVE_PUSH_INTERVAL_MS);
  expect(listener.counts.length - 1).toBeLessThanOrEqual(intervals);
});

test("a shard that leaves memory keeps its listeners, answers their pings, and tells them of what it counts next", async () => {
  await shard.apply(payments("a", 2));
  const listener = await listen();
  await shard.evict();
  await shard.apply(payments("b", 1));
  await listener.hears([2, 3]);
  await shard.evict();
  listener.socket.send(LIVE_PING);
  await vi.waitFor(() => expect(listener.heard.at(-1)).toBe(LIVE_PONG), WAIT_MS_MAX);
});

test("a listener that has not pinged for long is let go of instead of being sent more", async () => {
  const silent = await listen();
  vi.setSystemTime(NOON_MS + HOUR_MS);
  await shard.apply(payments("a", 1, { occurred_at: NOON_MS + HOUR_MS }));
  await vi.waitFor(() => expect(silent.socket.readyState).toBe(WebSocket.CLOSED), WAIT_MS_MAX);
  expect(silent.counts).toEqual([]);
});

test("a merchant has so many listeners and no more, until one of them leaves", async () => {
  const sockets: WebSocket[] = [];
  for (let i = 0; i < LIVE_LISTENERS_PER_MERCHANT_MAX; i++) {
    const { webSocket } = await connect("shop");
    webSocket?.accept();
    if (webSocket !== null) sockets.push(webSocket);
  }
  expect(sockets.length).toBe(LIVE_LISTENERS_PER_MERCHANT_MAX);
  expect((await connect("shop")).status).toBe(503);
  expect((await connect("another")).status).toBe(101);
  sockets[0]?.close();
  await vi.waitFor(async () => expect((await connect("shop")).status).toBe(101), WAIT_MS_MAX);
});

test("what is no subscription is refused", async () => {
  expect((await connect("no%20such%20id")).status).toBe(404);
  expect((await shard.stub.fetch("https://shard/live?merchant=shop")).status).toBe(426);
});
