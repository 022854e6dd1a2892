import { expect, test } from "vitest";
import { failuresOf, latencyOf } from "./overload-report.ts";

const latency = { p50_ms: 10, p99_ms: 50, max_ms: 90 };
const kept: Parameters<typeof failuresOf>[0] = {
  lost: 0,
  invented: 0,
  requests: { accepted: 10, direct: 5, refused: 90, wrong: 0, unanswered: 0, unsent: 0 },
  refusals: { ...latency, within_100_ms: 1 },
  memory_mb: { before: 200, quarters: [300, 310, 305, 300], after: 300 },
  reads: { alone: latency, sustained: latency, flood: { ...latency, p50_ms: 20 } },
  recovered_ms: 100,
};

test("a flood that is borne fails in nothing", () => {
  expect(failuresOf(kept, 0)).toEqual([]);
});

test.each<[string, Partial<typeof kept>, number]>([
  ["1 accepted events", { lost: 1 }, 0],
  ["2 events are counted", { invented: 2 }, 0],
  ["3 answers are neither", {}, 3],
  ["nothing was refused", { requests: { ...kept.requests, refused: 0 } }, 0],
  ["a refusal takes 101 ms", { refusals: { ...kept.refusals, p99_ms: 101 } }, 0],
  ["from 300 to 500 MB", { memory_mb: { ...kept.memory_mb, quarters: [300, 310, 400, 500] } }, 0],
  ["normal only 10001 ms", { recovered_ms: 10_001 }, 0],
  ["reads take 21 ms instead of 10", { reads: { ...kept.reads, flood: { ...latency, p50_ms: 21 } } }, 0],
])("%s is told", (told, over, wrongAnswers) => {
  expect(failuresOf({ ...kept, ...over }, wrongAnswers)).toEqual([expect.stringContaining(told)]);
});

test("a latency is of unsorted milliseconds, to a tenth", () => {
  expect(latencyOf([30, 10, 20.04])).toEqual({ p50_ms: 20, p99_ms: 30, max_ms: 30 });
});
