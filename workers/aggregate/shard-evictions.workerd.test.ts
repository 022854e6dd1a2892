import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { seededRandom } from "../../scripts/seeded-random.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import { MINUTE_MS, NOON_MS, payment } from "./sample-payments.ts";
import { TestShard } from "./test-shard.ts";

const SENDERS = 6;
const EVICTIONS = 16;
const BATCH_EVENTS_MAX = 60;
const ATTEMPTS_MAX = 100;
const MERCHANTS = ["bakery", "kiosk", "shop"];
const SHARD = "shard-evicted-under-load";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON_MS });
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("evicted and aborted again and again in the middle of load, a shard counts each event that was answered for exactly once", async () => {
  const load = newLoad();
  const acknowledged = new Map<string, PaymentEvent>();
  const senders = Promise.all(Array.from({ length: SENDERS }, (_, sender) => send(sender, load, acknowledged)));
  // A sender that fails ends the test at once.
  await Promise.race([interrupt(load), senders]).finally(() => {
    load.isOver = true;
  });
  await senders;

  const shown = await totals();
  expect(shown).toEqual(expectedTotals(acknowledged.values()));
  await new TestShard(SHARD).evict();
  expect(await totals()).toEqual(shown);
  // Otherwise the aborts have cut off nothing.
  expect(load.failures).toBeGreaterThan(0);
});

interface Load {
  isOver: boolean;
  failures: number;
  /** Senders begin no call before this. */
  gate: Promise<void>;
  /** To be called with each answer; `answers` resolves after so many of them. */
  answered(): void;
  answers(count: number): Promise<void>;
}

function newLoad(): Load {
  let total = 0;
  let awaited = { at: Number.POSITIVE_INFINITY, resolve: () => {} };
  return {
    isOver: false,
    failures: 0,
    gate: Promise.resolve(),
    answered: () => {
      total += 1;
      if (total >= awaited.at) awaited.resolve();
    },
    answers: (count) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      awaited = { at: total + count, resolve };
      return promise;
    },
  };
}

async function interrupt(load: Load): Promise<void> {
  const random = seededRandom("evictions");
  for (let eviction = 0; eviction < EVICTIONS; eviction += 1) {
    await load.answers(1 + Math.floor(random() * SENDERS * 3));
    if (eviction % 2 === 0) await evict(load);
    else await abort();
  }
}

/** Each batch with some repeats among it, sent until it is answered. */
async function send(sender: number, load: Load, acknowledged: Map<string, PaymentEvent>): Promise<void> {
  const random = seededRandom("evictions", sender);
  const own: PaymentEvent[] = [];
  for (let batch = 0; !load.isOver; batch += 1) {
    const fresh = Array.from({ length: Math.ceil(random() * BATCH_EVENTS_MAX) }, (_, i) =>
      payment({
        event_id: `${sender}-${batch}-${i}`,
        merchant_id: MERCHANTS[Math.floor(random() * MERCHANTS.length)] ?? "shop",
        occurred_at: NOON_MS - Math.floor(random() * 4) * 10 * MINUTE_MS,
        amount: Math.floor(random() * 10_000),
      }),
    );
    const repeats = own.filter(() => random() < 3 / own.length);
    const statuses = await applyUntilAnswered([...fresh, ...repeats], load);
    expect(statuses.slice(fresh.length)).toEqual(repeats.map(() => STATUS.duplicate));
    for (const event of fresh) acknowledged.set(event.event_id, event);
    own.push(...fresh);
    load.answered();
  }
}

async function applyUntilAnswered(events: readonly PaymentEvent[], load: Load): Promise<readonly number[]> {
  let cause: unknown;
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    await load.gate;
    try {
      // The stub tells an object that was aborted from its successor.
      return await new TestShard(SHARD).apply(events);
    } catch (error) {
      load.failures += 1;
      cause = error;
    }
  }
  throw new Error(`not answered in ${ATTEMPTS_MAX} attempts`, { cause });
}

/** With calls on their way, for whose end an eviction waits; those that come meanwhile would keep it waiting for ever. */
async function evict(load: Load): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  load.gate = promise;
  await new TestShard(SHARD).evict().finally(resolve);
}

/** As the runtime does to an object that has run out of memory: whatever it is answering is cut off. */
async function abort(): Promise<void> {
  try {
    await runInDurableObject(new TestShard(SHARD).stub, (_, state) => state.abort("aborted by the test"));
  } catch {
    // Also the call that asked for it.
  }
}

async function totals(): Promise<Record<string, readonly [count: number, amount: number]>> {
  const shard = new TestShard(SHARD);
  const entries: [string, readonly [number, number]][] = [];
  for (const merchant of MERCHANTS) {
    for (const row of (await shard.read(merchant)).windows) {
      entries.push([`${merchant} ${row.window_start}`, [Number(row.payments_count), Number(row.payments_amount)]]);
    }
  }
  return Object.fromEntries(entries);
}

function expectedTotals(events: Iterable<PaymentEvent>): Record<string, readonly [count: number, amount: number]> {
  const all: Record<string, readonly [number, number]> = {};
  for (const { merchant_id, occurred_at, amount } of events) {
    const name = `${merchant_id} ${occurred_at / 1000}`;
    const [count, sum] = all[name] ?? [0, 0];
    all[name] = [count + 1, sum + amount];
  }
  return all;
}
