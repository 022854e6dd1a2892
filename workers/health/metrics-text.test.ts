import { expect, test } from "vitest";
import { metricsText } from "./metrics-text.ts";
import { exampleLook, metered, silent } from "./test-look.ts";
import { readOpenMetrics } from "./test-open-metrics.ts";

const read = (over: Parameters<typeof exampleLook>[0] = {}) => readOpenMetrics(metricsText(exampleLook(over)));

test("what was counted is there by each label, and what was not as zero", () => {
  const samples = read(
    metered({ "receipt_events/accepted": 5, "rejected_events/too_old": 2, "shard_calls/log/failed": 1 }),
  );
  expect(samples.get('tally_receipt_events_total{kind="accepted"}')).toBe(5);
  expect(samples.get('tally_receipt_events_total{kind="late"}')).toBe(0);
  expect(samples.get('tally_rejected_events_total{code="too_old"}')).toBe(2);
  expect(samples.get('tally_shard_calls_total{caller="log",outcome="failed"}')).toBe(1);
});

test("a histogram has what was observed in each bucket and those before", () => {
  const samples = read(
    metered({ "shard_call_seconds/log/0": 3, "shard_call_seconds/log/2": 4, "shard_call_seconds/log/sum": 0.07 }),
  );
  expect(samples.get('tally_shard_call_seconds_bucket{caller="log",le="0.005"}')).toBe(3);
  expect(samples.get('tally_shard_call_seconds_bucket{caller="log",le="0.01"}')).toBe(3);
  expect(samples.get('tally_shard_call_seconds_bucket{caller="log",le="+Inf"}')).toBe(7);
  expect(samples.get('tally_shard_call_seconds_sum{caller="log"}')).toBe(0.07);
});

test("one state of the whole and of each part holds", () => {
  const samples = read({ history: silent });
  const held = [...samples].filter(([key, value]) => /^tally_health(_part)?\{/.test(key) && value === 1);
  expect(held.map(([key]) => key)).toEqual(
    expect.arrayContaining([
      'tally_health{tally_health="degraded"}',
      'tally_health_part{part="history",tally_health_part="down"}',
    ]),
  );
  expect(held).toHaveLength(13);
});

test("while a meter is silent no counter is there, rather than one that falls", () => {
  const samples = read({ meters: [...metered({ "receipt_events/accepted": 5 }).meters, silent] });
  expect([...samples.keys()].filter((key) => /_total|_bucket/.test(key))).toEqual([]);
  expect(samples.get("tally_freshness_seconds{}")).toBe(660);
});

test("what nobody could tell is not there", () => {
  const samples = read({ directory: silent, shards: silent });
  for (const name of ["freshness_seconds", "dead_letters", "late_windows", "shards"]) {
    expect([...samples.keys()].filter((key) => key.startsWith(`tally_${name}{`))).toEqual([]);
  }
});

test("there are never more series than a scraper is fond of, whatever is counted", () => {
  const counts = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`rejected_events/made-up-${i}`, 1]));
  expect(read(metered(counts)).size).toBeLessThan(300);
});

test("each metric stands in the operators' page, and none that there is not", () => {
  const pages = import.meta.glob("../../docs/operations.md", { query: "?raw", import: "default", eager: true });
  const operations = Object.values(pages).join();
  const look = exampleLook(metered({}, { "queue_age_ms/tally-raw": 1 }));
  const metrics = [...metricsText(look).matchAll(/^# TYPE (\w+) (\w+)/gm)];
  const samples = metrics.map(([, name, type]) => (type === "counter" ? `${name}_total` : name));
  const listed = [...operations.matchAll(/^\| `(tally_\w+)/gm)].map(([, name]) => name);
  expect(listed.sort()).toEqual(samples.sort());
});
