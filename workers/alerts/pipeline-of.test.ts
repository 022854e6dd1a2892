import { expect, test } from "vitest";
import { ok } from "../../shared/result.ts";
import { completeThrough } from "../../shared/window.ts";
import type { Health } from "../health/health-schema.ts";
import { judgeHealth } from "../health/judge-health.ts";
import { addDelta, newMeterState, readingOf } from "../meter/meter-state.ts";
import { pipelineOf } from "./pipeline-of.ts";

const NOW_MS = Date.UTC(2026, 10, 27, 12, 0);
const silent = { ok: false, error: "no answer in 3 s" } as const;
const state = addDelta(newMeterState(NOW_MS - 86_400_000), { counts: {}, peaks: {} }, NOW_MS);
const nobody: Health = judgeHealth({
  nowMs: NOW_MS,
  directory: silent,
  meters: [silent],
  reading: readingOf([], 300_000, NOW_MS),
  shards: silent,
  history: silent,
  log: undefined,
  windowsQueue: undefined,
});
const quiet: Health = judgeHealth({
  nowMs: NOW_MS,
  directory: silent,
  meters: [ok({ value: state, tookMs: 1 })],
  reading: readingOf([state], 300_000, NOW_MS),
  shards: ok({ shards: 1, answers: new Map() }),
  history: ok({ value: null, tookMs: 3 }),
  log: undefined,
  windowsQueue: undefined,
});

test("what nobody answered is not known, but that ClickHouse does not answer is", () => {
  const history = { isReachable: false, detail: "ClickHouse: no answer in 3 s" };
  expect(pipelineOf(nobody, null)).toEqual({
    freshnessMs: null,
    deadLetters: null,
    audit: null,
    logAgeMs: null,
    history,
  });
  expect(pipelineOf(quiet, null)).toMatchObject({
    freshnessMs: NOW_MS - completeThrough(NOW_MS),
    history: { isReachable: true },
  });
});

test.each<[string, Partial<Health["parts"]["log"]>, number | null]>([
  ["the platform says since when", { oldest_waiting_at: "2026-11-27T11:50:00.000Z", worst_age_s: 3 }, 600_000],
  ["the platform says that nothing waits", { waiting_messages: 0, worst_age_s: null, delivered: null }, 0],
  ["it says so, and what came of late had waited", { waiting_messages: 0, worst_age_s: 300 }, 300_000],
  ["only deliveries tell", { worst_age_s: 90 }, 90_000],
  ["nothing was delivered", { worst_age_s: null }, 0],
  ["nobody counts", { worst_age_s: null, delivered: null }, null],
])("how far the log lags is known when %s", (_, log, ageMs) => {
  const health = { ...quiet, parts: { ...quiet.parts, log: { ...quiet.parts.log, ...log } } };
  expect(pipelineOf(health, null).logAgeMs).toBe(ageMs);
});

test("letters of both queues are told of together", () => {
  const waiting = { raw: 2, windows: 1 };
  const parts = { ...quiet.parts, dead_letters: { ...quiet.parts.dead_letters, waiting } };
  expect(pipelineOf({ ...quiet, parts }, { differences: 1, doubts: 0 })).toMatchObject({
    deadLetters: 3,
    audit: { differences: 1, doubts: 0 },
  });
});
