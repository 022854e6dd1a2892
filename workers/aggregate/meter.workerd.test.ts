import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";
import { IsolateMeter, METERS, type MeterEnv, meterName } from "../meter/isolate-meter.ts";
import type { Meter } from "./meter.ts";
import { NOON_MS } from "./sample-payments.ts";
import { workerEnv } from "./test-shard.ts";

const { METER } = workerEnv;
if (METER === undefined) throw new Error("wrangler.toml binds no meters");
const meterOf = (name: string): DurableObjectStub<Meter> => METER.get(METER.idFromName(name));
afterEach(() => void vi.useRealTimers());

const told = (counts: Record<string, number>) => ({ counts, peaks: {} });

test("what was shown once is not less after the meter starts anew", async () => {
  const meter = meterOf("shown");
  await meter.add(told({ a: 3 }));
  expect((await meter.read()).counts).toEqual({ a: 3 });
  await evictDurableObject(meter);
  expect((await meter.read()).counts).toEqual({ a: 3 });
  await meter.add(told({ a: 1, b: 2 }));
  expect((await meter.read()).counts).toEqual({ a: 4, b: 2 });
});

test("what nobody looks at is written by the alarm, however often it is told before", async () => {
  // The alarm is years away, and rings when it is told to.
  vi.useFakeTimers({ toFake: ["Date"], now: NOON_MS });
  const meter = meterOf("alarmed");
  for (let i = 0; i < 20; i++) await meter.add(told({ a: 1 }));
  const written = () =>
    runInDurableObject(meter, (_, { storage }) => storage.sql.exec("SELECT * FROM meter").toArray().length);
  expect(await written()).toBe(0);
  expect(await runDurableObjectAlarm(meter)).toBe(true);
  expect(await written()).toBe(1);
  await evictDurableObject(meter);
  expect((await meter.read()).counts).toEqual({ a: 20 });
});

test("a row that cannot be read is counted from nothing", async () => {
  const meter = meterOf("damaged");
  await meter.add(told({ a: 1 }));
  await meter.read();
  await runInDurableObject(meter, (_, { storage }) => storage.sql.exec(`UPDATE meter SET state = '{"v":9}'`).toArray());
  await evictDurableObject(meter);
  expect((await meter.read()).counts).toEqual({});
});

test("isolates' counts come to the meters whole and once, with their peaks", async () => {
  const before = await sumOf("receipt_events/accepted");
  const isolates = Array.from({ length: 12 }, () => new IsolateMeter());
  await Promise.all(
    isolates.map(async (isolate, at) => {
      isolate.count("receipt_events", 1, "accepted");
      isolate.count("receipt_events", at, "accepted");
      isolate.peak("queue_age_ms", at, "tally-raw");
      await isolate.flush(workerEnv);
      await isolate.flush(workerEnv);
    }),
  );
  expect((await sumOf("receipt_events/accepted")) - before).toBe(12 + 66);
});

test("a meter that fails costs what it was told, and not the one who told", async () => {
  const failing: MeterEnv = {
    METER: { idFromName: () => "", get: () => ({ add: () => Promise.reject(new Error("down")) }) } as never,
  };
  const isolate = new IsolateMeter();
  isolate.count("history_rows", 5);
  await isolate.flush(failing);
  isolate.count("history_rows", 2);
  const before = await sumOf("history_rows");
  await isolate.flush(workerEnv);
  expect((await sumOf("history_rows")) - before).toBe(2);
});

test("many counts are told in one call, some seconds later; one whose context has died is told with the next", async () => {
  const waits: Promise<unknown>[] = [];
  const isolate = new IsolateMeter();
  const later = (nowMs: number) => isolate.flushLater(workerEnv, (work) => void waits.push(work), nowMs);
  for (let i = 0; i < 50; i++) later(1_000_000 + i);
  expect(waits).toHaveLength(1);
  later(1_000_000 + 60_000);
  expect(waits).toHaveLength(2);
  await isolate.flush(workerEnv);
});

async function sumOf(key: string): Promise<number> {
  const states = await Promise.all(Array.from({ length: METERS }, (_, at) => meterOf(meterName(at)).read()));
  return states.reduce((sum, { counts }) => sum + (counts[key] ?? 0), 0);
}
