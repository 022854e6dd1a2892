import { drizzle } from "drizzle-orm/d1";
import { describe, expect, test, vi } from "vitest";
import { encodeRawMessage } from "../../shared/messages/raw.ts";
import { shardOf } from "../../shared/topology.ts";
import { windowStart } from "../../shared/window.ts";
import { deadLetters, lateWindows } from "../directory/schema.ts";
import { loadTopology } from "../directory/topology.ts";
import { gzip } from "../gzip.ts";
import { bytesOf, HOUR_MS, NOON_MS, payment, payments } from "./sample-payments.ts";
import { archived, counted, messageOf, nextMerchant, openLog, QUEUE } from "./test-log.ts";
import { deliver, type TestMessage } from "./test-queue.ts";
import { workerEnv } from "./test-shard.ts";

openLog();

describe("a batch of the log", () => {
  test("is archived by event hour, counted once, then acknowledged", async () => {
    const [one, other] = [nextMerchant(), nextMerchant()];
    const first = messageOf([
      ...payments("a", 3, { merchant_id: one }),
      payment({ event_id: "earlier", merchant_id: one, occurred_at: NOON_MS - HOUR_MS }),
    ]);
    const second = messageOf(payments("b", 2, { merchant_id: other }));
    expect(await deliver(QUEUE, [first, second])).toEqual({ acknowledged: [first.id, second.id], retried: {} });
    expect([await counted(one), await counted(one, NOON_MS - HOUR_MS), await counted(other)]).toEqual([3, 1, 2]);
    expect(await archived(one)).toEqual(["a-0", "a-1", "a-2"]);
    expect(await archived(one, "raw/v1/2031/03/05/11/")).toEqual(["earlier"]);
    expect(await archived(other)).toEqual(["b-0", "b-1"]);
  });

  test("that comes again is archived under the same names, in other groupings under others, and counts nothing twice", async () => {
    const merchant = nextMerchant();
    const messages = ["a", "b", "c"].map((name) => messageOf(payments(name, 2, { merchant_id: merchant })));
    const [a, b, c] = messages as [TestMessage, TestMessage, TestMessage];
    await deliver(QUEUE, messages);
    const once = await archived(merchant);
    expect(once.length).toBe(6);
    await deliver(QUEUE, messages);
    await deliver(QUEUE, [c, b, a]);
    expect(await archived(merchant)).toEqual(once);
    for (const grouping of [[a], [b, c], [a, c]]) await deliver(QUEUE, grouping);
    expect(new Set(await archived(merchant))).toEqual(new Set(once));
    expect(await counted(merchant)).toBe(6);
  });

  test("of which a shard counted part directly is counted to the end from the log", async () => {
    const merchant = nextMerchant();
    const events = payments("a", 4, { merchant_id: merchant });
    const shard = shardOf(await loadTopology(workerEnv.DIRECTORY, NOON_MS), merchant, NOON_MS);
    await workerEnv.SHARD.get(workerEnv.SHARD.idFromName(shard)).apply(bytesOf(events.slice(0, 2)));
    await deliver(QUEUE, [messageOf(events)]);
    expect(await counted(merchant)).toBe(4);
  });

  test("larger than an isolate could unpack at once is dealt with in parts, and wholly acknowledged", async () => {
    const merchant = nextMerchant();
    // Random attributes do not compress: some 100 KB a message.
    const heavy = (name: string) =>
      payments(name, 90, { merchant_id: merchant }).map((event) => ({
        ...event,
        attributes: { note: crypto.getRandomValues(new Uint8Array(480)).toBase64() },
      }));
    const messages = Array.from({ length: 30 }, (_, i) => messageOf(heavy(`heavy-${i}`)));
    const { acknowledged } = await deliver(QUEUE, messages);
    expect(acknowledged).toEqual(messages.map(({ id }) => id));
    expect(await counted(merchant)).toBe(30 * 90);
  });
});

describe("late events", () => {
  test("are archived, not counted, and their windows noted once for a rebuild, however often they come", async () => {
    const merchant = nextMerchant();
    const occurred_at = NOON_MS - 30 * HOUR_MS;
    const late = payments("late", 3, { merchant_id: merchant, occurred_at });
    const message = messageOf([...late, ...payments("on-time", 1, { merchant_id: merchant })]);
    expect((await deliver(QUEUE, [message])).acknowledged).toEqual([message.id]);
    vi.setSystemTime(NOON_MS + 60_000);
    await deliver(QUEUE, [message]);
    expect(await counted(merchant)).toBe(1);
    expect(new Set(await archived(merchant, "raw/v1/2031/03/04/06/"))).toEqual(new Set(["late-0", "late-1", "late-2"]));
    const noted = (await drizzle(workerEnv.DIRECTORY).select().from(lateWindows)).filter(
      (row) => row.merchantId === merchant,
    );
    expect(noted).toEqual([
      {
        merchantId: merchant,
        windowStart: windowStart(occurred_at),
        firstSeenAt: NOON_MS,
        lastSeenAt: NOON_MS + 60_000,
        failure: null,
        retryAt: 0,
      },
    ]);
  });

  test("of more windows than a statement takes are all noted", async () => {
    const merchant = nextMerchant();
    const events = Array.from({ length: 180 }, (_, i) =>
      payment({ event_id: `${i}`, merchant_id: merchant, occurred_at: NOON_MS - (30 + i) * HOUR_MS }),
    );
    // A message holds no more than 60 hours; those of one delivery are noted together.
    await deliver(
      QUEUE,
      [0, 60, 120].map((from) => messageOf(events.slice(from, from + 60))),
    );
    const noted = (await drizzle(workerEnv.DIRECTORY).select().from(lateWindows)).filter(
      (row) => row.merchantId === merchant,
    );
    expect(noted.length).toBe(180);
  });
});

describe("nothing is acknowledged that is not both archived and counted", () => {
  const unreachable = () => {
    throw new Error("not reachable");
  };

  test("when the archive is away, all wait, longer each time", async () => {
    const merchant = nextMerchant();
    const fresh = messageOf(payments("a", 1, { merchant_id: merchant }));
    const tried = { ...messageOf(payments("b", 1, { merchant_id: merchant })), attempts: 3 };
    const broken = { ARCHIVE: { put: async () => unreachable() } };
    const { acknowledged, retried } = await deliver(QUEUE, [fresh, tried], broken);
    expect(acknowledged).toEqual([]);
    expect(Number(retried[tried.id])).toBeGreaterThan(Number(retried[fresh.id]));
    await deliver(QUEUE, [fresh, tried]);
    expect(await counted(merchant)).toBe(2);
  });

  test("when a shard fails, only what it holds waits", async () => {
    const topology = await loadTopology(workerEnv.DIRECTORY, NOON_MS);
    const failing = nextMerchant();
    const failingShard = shardOf(topology, failing, NOON_MS);
    let working = nextMerchant();
    while (shardOf(topology, working, NOON_MS) === failingShard) working = nextMerchant();
    const messages = [
      messageOf(payments("a", 2, { merchant_id: failing })),
      messageOf(payments("b", 2, { merchant_id: working })),
      messageOf([...payments("c", 1, { merchant_id: working }), ...payments("c", 1, { merchant_id: failing })]),
    ];
    const { SHARD } = workerEnv;
    const broken = {
      SHARD: {
        idFromName: (name: string) => (name === failingShard ? unreachable() : SHARD.idFromName(name)),
        get: (id: DurableObjectId) => SHARD.get(id),
      },
    };
    const { acknowledged, retried } = await deliver(QUEUE, messages, broken);
    expect(acknowledged).toEqual([messages[1]?.id]);
    expect(Object.keys(retried)).toEqual([messages[0]?.id, messages[2]?.id]);
    expect([await counted(failing), await counted(working)]).toEqual([0, 3]);
    await deliver(QUEUE, [messages[2], messages[0]] as TestMessage[]);
    expect([await counted(failing), await counted(working)]).toEqual([3, 3]);
  });

  test("when late windows cannot be noted, all wait", async () => {
    const merchant = nextMerchant();
    const late = messageOf(payments("late", 1, { merchant_id: merchant, occurred_at: NOON_MS - 30 * HOUR_MS }));
    await loadTopology(workerEnv.DIRECTORY, NOON_MS);
    const { acknowledged, retried } = await deliver(QUEUE, [late], { DIRECTORY: { prepare: unreachable } });
    expect([acknowledged, Object.keys(retried)]).toEqual([[], [late.id]]);
  });
});

describe("a message that cannot be read", () => {
  const framed = (columns: Uint8Array, events = 1) =>
    encodeRawMessage({
      batch: "broken",
      receivedAtMs: NOON_MS,
      members: [{ hourMs: NOON_MS, events, gzip: gzip("{}\n") }],
      columns,
      token: "",
    }).buffer;

  test("is buried with its body and a reason, and its neighbours are counted", async () => {
    const merchant = nextMerchant();
    const good = messageOf(payments("a", 2, { merchant_id: merchant }));
    const columns = bytesOf([payment({ event_id: "x", merchant_id: merchant })]);
    const damaged = columns.slice();
    damaged[damaged.length - 2] = 0xff;
    const broken: TestMessage[] = [
      { id: `not-a-frame-${merchant}`, body: new Uint8Array([1, 2, 3]).buffer },
      { id: `text-${merchant}`, body: "text" },
      { id: `json-${merchant}`, body: { an: "object" } },
      { id: `fewer-events-${merchant}`, body: framed(columns, 2) },
      { id: `more-events-${merchant}`, body: framed(bytesOf(payments("x", 2, { merchant_id: merchant }))) },
      { id: `cut-columns-${merchant}`, body: framed(columns.slice(0, -9)) },
      { id: `not-a-batch-${merchant}`, body: framed(damaged) },
      { id: `cut-off-${merchant}`, body: (good.body as ArrayBuffer).slice(0, -1) },
    ];
    const { acknowledged, retried } = await deliver(QUEUE, [...broken.slice(0, 4), good, ...broken.slice(4)]);
    expect(new Set(acknowledged)).toEqual(new Set([good, ...broken].map(({ id }) => id)));
    expect(retried).toEqual({});
    expect(await counted(merchant)).toBe(2);
    const buried = (await drizzle(workerEnv.DIRECTORY).select().from(deadLetters)).filter(({ id }) =>
      id.endsWith(merchant),
    );
    expect(buried.map(({ id }) => id).sort()).toEqual(broken.map(({ id }) => id).sort());
    for (const { id, queue, reason, bodyKey, bodyBytes, attempts } of buried) {
      expect([queue, attempts, bodyKey]).toEqual([QUEUE, 1, `dead/v1/${QUEUE}/${id}`]);
      expect(reason.length).toBeGreaterThan(5);
      expect((await workerEnv.ARCHIVE.head(bodyKey))?.size).toBe(bodyBytes);
    }
    const object = await workerEnv.ARCHIVE.get(`dead/v1/${QUEUE}/fewer-events-${merchant}`);
    expect(await object?.arrayBuffer()).toEqual(broken[3]?.body);
  });

  test("waits while it cannot be kept: it is never dropped", async () => {
    const message = { id: `unkept-${nextMerchant()}`, body: "text", attempts: 2 };
    for (const broken of [{ ARCHIVE: {} }, { DIRECTORY: {} }]) {
      expect(await deliver(QUEUE, [message], broken)).toEqual({ acknowledged: [], retried: { [message.id]: 4 } });
    }
  });
});

test("what comes out of a dead-letter queue is kept under the name of its own, once", async () => {
  const id = `dead-${nextMerchant()}`;
  const message = { ...messageOf(payments("a", 1)), id, attempts: 4 };
  for (let i = 0; i < 2; i++) expect((await deliver("tally-raw-dead", [message])).acknowledged).toEqual([id]);
  const rows = (await drizzle(workerEnv.DIRECTORY).select().from(deadLetters)).filter((row) => row.id === id);
  expect(rows.map(({ queue, bodyKey }) => [queue, bodyKey])).toEqual([[QUEUE, `dead/v1/${QUEUE}/${id}`]]);
});

test("a queue nobody consumes is an error, so that its messages stay", async () => {
  await expect(deliver("tally-other", [{ id: "x", body: "x" }])).rejects.toThrow("no consumer for tally-other");
});
