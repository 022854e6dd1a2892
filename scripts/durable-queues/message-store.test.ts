import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seededRandom } from "../seeded-random.ts";
import { type Batch, MessageStore, type MessageStoreOptions } from "./message-store.ts";
import type { QueueSettings } from "./queue-settings.ts";

const LEASE_MS = 60_000;
const SETTINGS: QueueSettings = {
  maxBatchSize: 3,
  maxBatchTimeoutMs: 2_000,
  maxRetries: 2,
  retryDelayMs: 500,
  maxConcurrency: 2,
  deadLetterQueue: "dead",
};

let dir: string;
let store: MessageStore;
let ids = 0;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tally-store-"));
  store = open();
});
afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true, force: true });
});

function open(over: Partial<MessageStoreOptions> = {}): MessageStore {
  return new MessageStore({
    path: join(dir, "queues.sqlite"),
    queues: new Map([
      ["log", SETTINGS],
      ["dead", { ...SETTINGS, maxBatchTimeoutMs: 0 }],
      ["kept", undefined],
    ]),
    leaseMs: LEASE_MS,
    random: seededRandom("store"),
    newId: () => `id-${ids++}`,
    repeatShare: 0,
    ...over,
  });
}

const send = (names: string, nowMs: number, delayS = 0) =>
  store.put(
    "log",
    [...names].map((name) => ({ body: new TextEncoder().encode(name), delayS })),
    nowMs,
  );

/** The bodies of a batch, in the order of their names. */
const namesIn = (batch: Batch | undefined) =>
  batch?.messages
    .map(({ body }) => new TextDecoder().decode(body))
    .sort()
    .join("");

function take(nowMs: number, queue = "log"): Batch {
  const batch = store.take(queue, nowMs);
  if (batch === undefined) throw new Error("no batch is due");
  return batch;
}

const verdict = (batch: Batch, { acked = "", delayS }: { acked?: string; delayS?: number } = {}) => {
  const isAcked = ({ body }: { body: Uint8Array }) => acked.includes(new TextDecoder().decode(body));
  const retried = batch.messages.filter((message) => !isAcked(message));
  return {
    acked: batch.messages.filter(isAcked).map(({ id }) => id),
    retried: delayS === undefined ? [] : retried.map(({ id }) => ({ id, delay_s: delayS })),
  };
};

describe("a batch", () => {
  test("goes at once when it is full, and holds no more than it may", () => {
    send("ab", 0);
    expect(store.take("log", 1)).toBeUndefined();
    send("cd", 1);
    expect(namesIn(take(1))).toBe("abc");
    expect(store.take("log", 1)).toBeUndefined();
  });

  test("that is not full goes when its first message has waited long enough, and not before", () => {
    send("a", 0);
    send("b", 1_999);
    expect(store.nextMs("log", 1_999)).toBe(2_000);
    expect(store.take("log", 1_999)).toBeUndefined();
    expect(namesIn(take(2_000))).toBe("ab");
  });

  test("waits while the consumer has as many as it takes", () => {
    send("abc", 0);
    send("def", 0);
    send("ghi", 0);
    const first = take(0);
    take(0);
    expect(store.take("log", 0)).toBeUndefined();
    store.settle(first, verdict(first, { acked: namesIn(first) ?? "" }), 1);
    expect(namesIn(take(1))).toBe("ghi");
  });

  test("comes in an order that nothing may rely on", () => {
    const orders = new Set<string>();
    for (let at = 0; at < 20; at += 1) {
      send("abc", at);
      const batch = take(at);
      orders.add(batch.messages.map(({ body }) => new TextDecoder().decode(body)).join(""));
      store.settle(batch, verdict(batch, { acked: "abc" }), at);
    }
    expect(orders.size).toBeGreaterThan(1);
  });
});

describe("a message", () => {
  test("that was sent with a delay is not delivered before that has passed", () => {
    send("abc", 0, 5);
    expect(store.nextMs("log", 0)).toBe(5_000);
    expect(store.take("log", 4_999)).toBeUndefined();
    expect(namesIn(take(5_000))).toBe("abc");
  });

  test("that waits is due at once when delays are ended; one that is with a consumer is not", () => {
    send("abc", 0);
    take(0);
    send("def", 0, 5);
    store.endDelays(1_000);
    expect(namesIn(take(1_000))).toBe("def");
    expect(store.take("log", 1_000)).toBeUndefined();
  });

  test("that was acknowledged is gone, its neighbours come again after the delay each asked for, or the queue's own", () => {
    send("abc", 0);
    const batch = take(0);
    const [b] = batch.messages.filter(({ body }) => new TextDecoder().decode(body) === "b");
    store.settle(batch, { ...verdict(batch, { acked: "a" }), retried: [{ id: String(b?.id), delay_s: 7 }] }, 100);
    expect(store.nextMs("log", 100)).toBe(600);
    const again = take(600 + SETTINGS.maxBatchTimeoutMs);
    expect(namesIn(again)).toBe("c");
    expect(again.messages[0]?.attempts).toBe(2);
    expect(namesIn(take(7_100 + SETTINGS.maxBatchTimeoutMs))).toBe("b");
  });

  test("whose consumer says nothing comes again when its time is over; what that consumer says later changes nothing", () => {
    send("abc", 0);
    const lost = take(0);
    expect(store.nextMs("log", 1)).toBe(LEASE_MS);
    expect(store.take("log", LEASE_MS - 1)).toBeUndefined();
    const again = take(LEASE_MS);
    expect(again.messages.map(({ attempts }) => attempts)).toEqual([2, 2, 2]);
    store.settle(lost, verdict(lost, { acked: "abc" }), LEASE_MS + 1);
    expect(store.backlog()).toEqual({ log: 3 });
    store.settle(again, verdict(again, { acked: "abc" }), LEASE_MS + 2);
    expect(store.backlog()).toEqual({});
  });

  test("that did not reach its consumer has not been delivered", () => {
    send("abc", 0);
    store.giveBack(take(0), 10, 100);
    expect(store.take("log", 109)).toBeUndefined();
    expect(take(110).messages.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
  });

  test("is dead after its first delivery and all retries, whether refused or not answered, and keeps its id and time", () => {
    send("abc", 42);
    const first = take(42);
    store.settle(first, verdict(first, { delayS: 0 }), 43);
    take(43); // Never answered.
    const last = take(43 + LEASE_MS);
    expect(last.messages.map(({ attempts }) => attempts)).toEqual([3, 3, 3]);
    store.settle(last, verdict(last, { acked: "b", delayS: 0 }), 44 + LEASE_MS);
    expect(store.backlog()).toEqual({ dead: 2 });
    const dead = take(44 + LEASE_MS, "dead");
    expect(namesIn(dead)).toBe("ac");
    const original = new Map(first.messages.map((message) => [message.id, message]));
    for (const { id, sentMs, attempts } of dead.messages) {
      expect(original.has(id)).toBe(true);
      expect([sentMs, attempts]).toEqual([42, 1]);
    }
  });

  test("whose last delivery is never answered is dead, too", () => {
    send("abc", 0);
    for (let at = 0; at < 3; at += 1) take(at * LEASE_MS);
    expect(store.take("log", 3 * LEASE_MS)).toBeUndefined();
    expect(store.backlog()).toEqual({ dead: 3 });
  });

  test("stays in a queue that nobody consumes", () => {
    store.put("kept", [{ body: new Uint8Array(1), delayS: 0 }], 0);
    expect(store.take("kept", 1e9)).toBeUndefined();
    expect(store.nextMs("kept", 1e9)).toBeUndefined();
    expect(store.backlog()).toEqual({ kept: 1 });
  });
});

test("a call the platform would refuse leaves nothing in the queue", () => {
  const fine = { body: new Uint8Array(1), delayS: 0 };
  expect(() => store.put("log", [fine, { body: new Uint8Array(128_000), delayS: 0 }], 0)).toThrow(RangeError);
  expect(() => store.put("log", Array(101).fill(fine), 0)).toThrow(RangeError);
  expect(() => store.put("unknown", [fine], 0)).toThrow("no queue unknown");
  expect(store.backlog()).toEqual({});
});

test("what was sent is still there when the file is opened again: delayed, deliverable, or with a consumer", () => {
  send("abc", 0);
  take(0);
  send("def", 0);
  send("g", 0, 10);
  store.close();
  store = open();
  expect(store.backlog()).toEqual({ log: 7 });
  const ready = take(1);
  expect(namesIn(ready)).toBe("def");
  store.settle(ready, verdict(ready, { acked: "def" }), 1);
  expect(namesIn(take(12_000))).toBe("g");
  expect(namesIn(take(LEASE_MS))).toBe("abc");
});

test("some of what was acknowledged comes again where that is asked for, and all of it ends", () => {
  store.close();
  store = open({ repeatShare: 0.5 });
  let deliveries = 0;
  for (let nowMs = 0; nowMs < 300; nowMs += 3) send("abc", 0);
  for (let nowMs = 0; store.backlog().log !== undefined; nowMs += SETTINGS.maxBatchTimeoutMs) {
    const batch = take(nowMs);
    deliveries += batch.messages.length;
    store.settle(batch, verdict(batch, { acked: "abc" }), nowMs);
  }
  expect(deliveries).toBeGreaterThan(500);
  expect(deliveries).toBeLessThan(700);
});

test("whatever consumers do, every message ends acknowledged or dead, and none before a consumer has had it", () => {
  const behaviours = fc.array(fc.constantFrom("ack", "retry", "die", "unreached", "half"), { maxLength: 40 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), behaviours, (count, behaviour) => {
      const names = "abcdefghi".slice(0, count);
      send(names, 0);
      const acked = new Set<string>();
      const dead = new Set<string>();
      const had = new Set<string>();
      for (let turn = 0, nowMs = 0; turn < 500 && Object.keys(store.backlog()).length > 0; turn += 1) {
        nowMs += LEASE_MS + SETTINGS.maxBatchTimeoutMs;
        const burial = store.take("dead", nowMs);
        if (burial !== undefined) {
          for (const name of namesIn(burial) ?? "") dead.add(name);
          store.settle(burial, verdict(burial, { acked: names }), nowMs);
        }
        const batch = store.take("log", nowMs);
        if (batch === undefined) continue;
        const isLast = turn >= behaviour.length;
        const act = isLast ? "ack" : behaviour[turn];
        const all = namesIn(batch) ?? "";
        if (act === "unreached") store.giveBack(batch, nowMs, 0);
        else for (const name of all) had.add(name);
        const taken = act === "ack" ? all : act === "half" ? all.slice(0, all.length / 2) : "";
        for (const name of taken) acked.add(name);
        if (act !== "die" && act !== "unreached") {
          store.settle(batch, verdict(batch, { acked: taken, delayS: 0 }), nowMs);
        }
      }
      expect(store.backlog()).toEqual({});
      expect([...acked, ...dead].sort().join("")).toBe(names);
      expect([...had].sort().join("")).toBe(names);
    }),
    { numRuns: 100 },
  );
});
