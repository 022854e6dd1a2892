import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { paymentEvent } from "../shared/event.arbitrary.ts";
import type { PaymentEvent } from "../shared/event.ts";
import { batchOf, type EventBatch } from "../shared/event-batch.ts";
import { fingerprint } from "../shared/identity.ts";
import { decodeShardBatch, SHARD_BATCH_EVENTS_MAX } from "../shared/messages/shard-batch.ts";
import { routesOf } from "../shared/route-batch.ts";
import { sipKeyFromHex } from "../shared/siphash.ts";
import { shardOf, topologyOf } from "../shared/topology.ts";
import { windowStart } from "../shared/window.ts";
import {
  applyToShards,
  countedRequests,
  SHARD_CALLS_CONCURRENT_MAX,
  type ShardCalls,
  UNANSWERED,
} from "./apply-to-shards.ts";
import { type Deadline, startDeadline } from "./deadline.ts";

const identityKey = sipKeyFromHex("000102030405060708090a0b0c0d0e0f");
const topology = topologyOf([{ id: 1, from_ms: 0, shards: 16, overrides: { away: 100, slow: 101, big: 102 } }]);
const nameOf = (event: PaymentEvent) => shardOf(topology, event.merchant_id, windowStart(event.occurred_at));
const paymentOf = (merchant_id: string, n: number): PaymentEvent => ({
  event_id: `e-${n}`,
  type: "payment",
  merchant_id,
  occurred_at: 1_795_000_000_000,
  amount: n,
  currency: "JPY",
  payment_method: "qr",
  points_used: 0,
  points_earned: 0,
});

interface Call {
  readonly shard: string;
  readonly batch: EventBatch;
}

const endless: Deadline = { hasPassed: false, passing: new Promise(() => {}), cancel: () => {} };

/** Shards that answer each event with the low bits of its fingerprint, or as `answer` says; keeps the calls. */
function fakeShards(answer: (call: Call) => Promise<Uint8Array> | Uint8Array = echo) {
  const calls: Call[] = [];
  const apply = async (shard: string, bytes: Uint8Array) => {
    const batch = decodeShardBatch(bytes);
    if (!batch.ok) throw new Error(batch.error.reason);
    const call = { shard, batch: batch.value };
    calls.push(call);
    return answer(call);
  };
  const shards = {
    idFromName: (name: string) => name,
    get: (name: string) => ({ apply: (bytes: Uint8Array) => apply(name, bytes) }),
  } as unknown as ShardCalls["shards"];
  return {
    calls,
    of: { shards, caller: "ingest", requests: [], traced: [], deadline: endless, token: "" } satisfies ShardCalls,
  };
}
const echo = ({ batch }: Call) => Uint8Array.from({ length: batch.size }, (_, i) => batch.fingerprintLo(i) & 127);
const echoed = (event: PaymentEvent) =>
  fingerprint(identityKey, event.merchant_id, event.event_id, { lo: 0, hi: 0 }).lo & 127;
/** Has the events counted, each by its own shard; one status an event. */
async function apply(calls: ShardCalls, events: readonly PaymentEvent[]): Promise<number[]> {
  return [...(await applyToShards(calls, routesOf(topology, batchOf(events, identityKey)), events.length))];
}
const unanswered = () => new Promise<Uint8Array>(() => {});

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("applying events to shards", () => {
  test("asks each event's own shard, once, and puts every answer where its event stands", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(paymentEvent, { maxLength: 60 }), async (events) => {
        const { calls, of } = fakeShards();
        expect(await apply(of, events)).toEqual(events.map(echoed));
        expect(calls.map(({ shard }) => shard).sort()).toEqual([...new Set(events.map(nameOf))].sort());
        for (const { shard, batch } of calls) {
          const own = events.filter((event) => nameOf(event) === shard);
          expect(own.map(({ amount }) => amount)).toEqual(own.map((_, i) => batch.amount(i)));
          expect(batch.size).toBe(own.length);
        }
      }),
    );
  });

  test("sends a shard no more than 5,000 events at a time, in their order, the next when the last is answered", async () => {
    const events = Array.from({ length: 2 * SHARD_BATCH_EVENTS_MAX + 1 }, (_, n) => paymentOf("big", n));
    let answered = 0;
    const { calls, of } = fakeShards(async (call) => {
      expect(answered).toBe(calls.length - 1);
      await Promise.resolve();
      answered += 1;
      return echo(call);
    });
    expect(await apply(of, events)).toEqual(events.map(echoed));
    expect(calls.map(({ batch }) => [batch.size, batch.amount(0)])).toEqual([
      [SHARD_BATCH_EVENTS_MAX, 0],
      [SHARD_BATCH_EVENTS_MAX, SHARD_BATCH_EVENTS_MAX],
      [1, 2 * SHARD_BATCH_EVENTS_MAX],
    ]);
  });

  test("also cuts where texts would make a batch larger than a row may be: the longest ones there are, all different", async () => {
    const { calls, of } = fakeShards();
    const events = Array.from({ length: 5_000 }, (_, n) => ({
      ...paymentOf("big", n),
      payment_method: `${n}`.padEnd(32, "語"),
      user: { grade: `g${n}`.padEnd(21, "語"), gender: `s${n}`.padEnd(21, "語"), device: `d${n}`.padEnd(21, "語") },
      merchant: { location: `${n}`.padEnd(42, "語") },
    }));
    expect(await apply(of, events)).toEqual(events.map(echoed));
    expect(calls.length).toBeGreaterThan(1);
    expect(calls.reduce((sum, { batch }) => sum + batch.size, 0)).toBe(5_000);
  });

  test("a shard that fails leaves its own events unknown, and is not asked again", async () => {
    const many = Array.from({ length: SHARD_BATCH_EVENTS_MAX + 1 }, (_, n) => paymentOf("away", n));
    const events = [paymentOf("near", 0), ...many, paymentOf("near", 1)];
    const { calls, of } = fakeShards((call) => {
      if (call.shard === "shard-100") throw Object.assign(new Error("overloaded"), { overloaded: true });
      return echo(call);
    });
    const statuses = await apply(of, events);
    expect(statuses).toEqual(events.map((event) => (event.merchant_id === "away" ? UNANSWERED : echoed(event))));
    expect(calls.filter(({ shard }) => shard === "shard-100").length).toBe(1);
  });

  test("a shard that answers too late is not waited for; the others' answers are kept", async () => {
    const events = [paymentOf("slow", 0), paymentOf("near", 1), paymentOf("slow", 2)];
    const { of } = fakeShards((call) => (call.shard === "shard-101" ? unanswered() : echo(call)));
    const statuses = await apply({ ...of, deadline: startDeadline(50) }, events);
    expect(statuses).toEqual([UNANSWERED, echoed(events[1] as PaymentEvent), UNANSWERED]);
  });

  test("the time is that of all calls together: nothing is begun after it, however many shards are left", async () => {
    const events = Array.from({ length: 300 }, (_, n) => paymentOf(`m-${n}`, n));
    const { calls, of } = fakeShards(unanswered);
    const statuses = await apply({ ...of, deadline: startDeadline(50) }, events);
    expect(statuses).toEqual(events.map(() => UNANSWERED));
    expect(calls.length).toBe(SHARD_CALLS_CONCURRENT_MAX);
  });

  test("never calls more than six shards at the same time", async () => {
    let running = 0;
    let most = 0;
    const { of } = fakeShards(async (call) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      return echo(call);
    });
    await apply(
      of,
      Array.from({ length: 300 }, (_, n) => paymentOf(`m-${n}`, n)),
    );
    expect(most).toBe(SHARD_CALLS_CONCURRENT_MAX);
  });

  test("an answer that is too short leaves unknown what it does not say", async () => {
    const events = [paymentOf("near", 0), paymentOf("near", 1)];
    const { of } = fakeShards((call) => echo(call).subarray(0, 1));
    expect(await apply(of, events)).toEqual([echoed(events[0] as PaymentEvent), UNANSWERED]);
  });

  test("an answer that is too long says nothing of the events it was not asked about", async () => {
    const events = [paymentOf("away", 0), paymentOf("near", 1)];
    const { of } = fakeShards((call) => {
      if (call.shard === "shard-100") throw new Error("gone");
      return Uint8Array.of(...echo(call), 1, 2, 3);
    });
    expect(await apply(of, events)).toEqual([UNANSWERED, echoed(events[1] as PaymentEvent)]);
    const many = Array.from({ length: SHARD_BATCH_EVENTS_MAX + 2 }, (_, n) => paymentOf("big", n));
    const { calls, of: ofMany } = fakeShards((call) => {
      if (calls.length > 1) throw new Error("gone");
      return new Uint8Array(call.batch.size + 2);
    });
    expect((await apply(ofMany, many)).slice(-3)).toEqual([0, UNANSWERED, UNANSWERED]);
  });

  test("tells each shard which request it is, so that the log need not bring the events again", async () => {
    const token = "0123456789abcdef0123456789abcdef";
    const { calls, of } = fakeShards();
    const events = Array.from({ length: 50 }, (_, n) => paymentOf(`m-${n}`, n));
    await apply({ ...of, token }, events);
    expect(new Set(calls.map(({ batch }) => batch.token))).toEqual(new Set([token]));
    await apply(of, events);
    expect(calls.at(-1)?.batch.token).toBe("");
  });

  test("tells a shard no request of which it gets the events in several calls: the next one may fail", async () => {
    const token = "0123456789abcdef0123456789abcdef";
    const { calls, of } = fakeShards();
    const many = Array.from({ length: SHARD_BATCH_EVENTS_MAX + 1 }, (_, n) => paymentOf("big", n));
    const large = many.slice(0, -1).map((event, n) => ({
      ...event,
      payment_method: `${n}`.padEnd(32, "語"),
      user: { grade: `g${n}`.padEnd(21, "語"), gender: `s${n}`.padEnd(21, "語"), device: `d${n}`.padEnd(21, "語") },
      merchant: { location: `${n}`.padEnd(42, "語") },
    }));
    for (const events of [many, large]) {
      calls.length = 0;
      await apply({ ...of, token }, events);
      expect(calls.length).toBeGreaterThan(1);
      expect(new Set(calls.map(({ batch }) => batch.token))).toEqual(new Set([""]));
    }
  });

  test("no events, no calls", async () => {
    const { calls, of } = fakeShards();
    expect(await apply(of, [])).toEqual([]);
    expect(calls).toEqual([]);
  });
});

describe("which requests were counted", () => {
  /** Shards that know these tokens; the one named `away` fails, the one named `slow` never answers. */
  const knowing = (...known: string[]) => {
    const asked: string[] = [];
    const counted = async (shard: string, tokens: readonly string[]) => {
      asked.push(shard);
      if (shard === "away") throw new Error("overloaded");
      if (shard === "slow") return await unanswered();
      return Uint8Array.from(tokens, (token) => (known.includes(`${shard} ${token}`) ? 1 : 0));
    };
    const shards = {
      idFromName: (name: string) => name,
      get: (name: string) => ({ counted: (tokens: readonly string[]) => counted(name, tokens) }),
    } as unknown as ShardCalls["shards"];
    return { asked, of: { shards, caller: "log" as const, requests: [], traced: [], deadline: startDeadline(50) } };
  };

  test("is each shard's own to say, and each is asked once", async () => {
    const { asked, of } = knowing("a 1", "b 2");
    const counted = await countedRequests(
      of,
      ["a", "b", "c"].map((shard) => ({ shard, tokens: ["1", "2"] })),
    );
    expect(Object.fromEntries(counted)).toEqual({ a: new Set(["1"]), b: new Set(["2"]), c: new Set() });
    expect(asked.sort()).toEqual(["a", "b", "c"]);
  });

  test("is none, as far as anybody knows, of a shard that fails or takes too long", async () => {
    const { of } = knowing("a 1", "away 1", "slow 1");
    const counted = await countedRequests(
      of,
      ["slow", "a", "away"].map((shard) => ({ shard, tokens: ["1"] })),
    );
    expect(Object.fromEntries(counted)).toEqual({ a: new Set(["1"]) });
  });
});
