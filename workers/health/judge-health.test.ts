import { expect, test } from "vitest";
import { ok } from "../../shared/result.ts";
import { DAY_MS, HOUR_MS } from "../../shared/window.ts";
import type { ShardStatus } from "../aggregate/shard-status.ts";
import type { OperatingState } from "../directory/operating-state.ts";
import { HEALTH_EXAMPLE } from "./health-example.ts";
import { type HealthParts, healthSchema } from "./health-schema.ts";
import { type Findings, judgeHealth } from "./judge-health.ts";
import { findings, metered, NOW_MS, QUIET, SHARD, said, silent } from "./test-look.ts";

const withShard = (over: Partial<ShardStatus>) =>
  ({ shards: ok({ shards: 1, answers: new Map([["shard-0", said({ ...SHARD, ...over })]]) }) }) as const;
const withState = (over: Partial<OperatingState>) => ({ directory: said({ ...QUIET, ...over }) });

test("while nothing is wrong the verdict is ok, no part has a reason, and rates are of the last minutes", () => {
  const health = judgeHealth(findings());
  expect(health.verdict).toBe("ok");
  expect(Object.values(health.parts).map(({ reason }) => reason)).toEqual(Object.keys(health.parts).map(() => null));
  expect(health.parts.ingest).toMatchObject({ events_per_second: 1.25, requests_per_second: 0.013 });
  expect(health.parts.history).toMatchObject({ complete_through: "2026-11-27T11:50:00.000Z", freshness_s: 660 });
  expect(healthSchema.parse(health)).toEqual(health);
});

test.each<[string, Partial<Findings>, keyof HealthParts, string, string]>([
  ["a hanging ClickHouse", { history: silent }, "history", "down", "no answer in 3 s"],
  ["a directory that is away", { directory: silent }, "directory", "down", "D1"],
  ["a directory that is away", { directory: silent }, "dead_letters", "unknown", "directory"],
  ["an unknown topology", { shards: silent }, "shards", "unknown", "topology"],
  ["an unknown topology", { shards: silent }, "history", "unknown", "shard"],
  ["a silent meter", { meters: [silent] }, "ingest", "unknown", "meter"],
  ["a silent meter", { meters: [silent] }, "meters", "degraded", "no answer in 3 s"],
  ["no meters", { meters: [] }, "meters", "unknown", "METER"],
  ["a stuck window", withShard({ completeThroughMs: NOW_MS - HOUR_MS }), "history", "degraded", "60 min behind"],
  ["damage", withShard({ damaged: 2 }), "shards", "degraded", "2 windows are damaged"],
  ["a full shard", withShard({ bytes: 79_000_000 }), "shards", "degraded", "nearly full"],
  ["a stuck queue", { log: said({ messages: 9, bytes: 9, oldestMs: NOW_MS - 300_000 }) }, "log", "degraded", "5 min"],
  ["a queue that is not told", { log: silent }, "log", "unknown", "no answer"],
  ["old messages", metered({}, { "queue_age_ms/tally-raw": 180_000 }), "log", "degraded", "after 3 min"],
  ["retries", metered({ "queue_messages/tally-windows/retried": 4 }), "windows_queue", "degraded", "4 deliveries"],
  ["failed calls", metered({ "shard_calls/log/failed": 1 }), "shards", "degraded", "1 calls failed"],
  ["a log that refuses", metered({ "ingest_requests/log_unavailable": 2 }), "ingest", "down", "2 of 2"],
  [
    "overload",
    metered({ "ingest_requests/overloaded": 2, "ingest_requests/answered": 3 }),
    "ingest",
    "degraded",
    "2 of 5",
  ],
  ["dead letters", withState({ deadLetters: { "tally-raw": 2 } }), "dead_letters", "degraded", "2 messages"],
  ["a loss", withState({ audit: { ...QUIET.audit, short: 1 } }), "audit", "degraded", "lost something of 1"],
  ["a doubt", withState({ audit: { ...QUIET.audit, doubts: 1 } }), "audit", "degraded", "plain SQL"],
  ["a late audit", withState({ auditedThroughMs: NOW_MS - 2 * DAY_MS }), "audit", "degraded", "24 h behind"],
  ["a failing replay", withState({ replays: { running: 1, failing: 1, failure: "x" } }), "replays", "degraded", "x"],
])("%s shows, with the reason", (_, over, part, verdict, reason) => {
  const health = judgeHealth(findings(over));
  expect(health.parts[part]).toMatchObject({ verdict, reason: expect.stringContaining(reason) });
  expect(health.verdict).not.toBe("ok");
  expect(healthSchema.parse(health)).toEqual(health);
});

test.each<[string, Partial<Findings>, "degraded" | "down"]>([
  ["ClickHouse, which payments and today do not need", { history: silent }, "degraded"],
  [
    "one of two shards",
    {
      shards: ok({
        shards: 2,
        answers: new Map([
          ["a", said(SHARD)],
          ["b", silent],
        ]),
      }),
    },
    "degraded",
  ],
  [
    "all shards",
    {
      shards: ok({
        shards: 2,
        answers: new Map([
          ["a", silent],
          ["b", silent],
        ]),
      }),
    },
    "down",
  ],
  ["the directory", { directory: silent }, "down"],
  ["the meters, which only count", { meters: [silent] }, "degraded"],
])("without %s the whole is as bad as that", (_, over, verdict) => {
  expect(judgeHealth(findings(over)).verdict).toBe(verdict);
});

test("the example that the description shows could be an answer", () => {
  expect(healthSchema.parse(HEALTH_EXAMPLE)).toEqual(HEALTH_EXAMPLE);
});

test("what the log has not brought yet is not called complete", () => {
  const oldestMs = NOW_MS - 2 * HOUR_MS;
  const { parts } = judgeHealth(findings({ log: said({ messages: 1, bytes: 1, oldestMs }) }));
  expect(parts.history.complete_through).toBe("2026-11-27T10:00:00.000Z");
});

test("how far history is is not told from some of the shards", () => {
  const answers = new Map([
    ["a", said(SHARD)],
    ["b", silent],
  ] as const);
  const { history } = judgeHealth(findings({ shards: ok({ shards: 2, answers }) })).parts;
  expect(history).toMatchObject({ verdict: "unknown", complete_through: null, freshness_s: null });
});
