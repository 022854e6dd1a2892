import { expect, test } from "vitest";
import type { Delta } from "./delta.ts";
import { IsolateMeter, type MeterEnv } from "./isolate-meter.ts";

async function toldBy(count: (meter: IsolateMeter) => void): Promise<Delta | undefined> {
  let told: Delta | undefined;
  const add = async (delta: Delta) => {
    told = delta;
  };
  const meter = new IsolateMeter();
  count(meter);
  await meter.flush({ METER: { idFromName: (name: string) => name, get: () => ({ add }) } } as unknown as MeterEnv);
  return told;
}

test("what is counted under a value that no label has is other, so that there are never more series than are named", async () => {
  const told = await toldBy((meter) => {
    meter.count("rejected_events", 2, "a-merchant's-own-code");
    meter.count("rejected_events", 1, "another");
    meter.count("rejected_events", 4, "too_old");
  });
  expect(told?.counts).toEqual({ "rejected_events/other": 3, "rejected_events/too_old": 4 });
});

test("what is observed is in the first bucket that it is not above, and in the sum", async () => {
  const told = await toldBy((meter) => {
    for (const seconds of [0.005, 0.006, 10, 11]) meter.observe("shard_call_seconds", seconds, "log");
  });
  expect(told?.counts).toEqual({
    "shard_call_seconds/log/0": 1,
    "shard_call_seconds/log/1": 1,
    "shard_call_seconds/log/9": 1,
    "shard_call_seconds/log/10": 1,
    "shard_call_seconds/log/sum": 21.011,
  });
});

test("of peaks the worst is told, and of nothing nothing", async () => {
  const told = await toldBy((meter) => {
    for (const ms of [3, 9, 4]) meter.peak("queue_age_ms", ms, "tally-raw");
  });
  expect(told).toEqual({ counts: {}, peaks: { "queue_age_ms/tally-raw": 9 } });
  expect(await toldBy((meter) => meter.count("history_rows", 0))).toBeUndefined();
});
