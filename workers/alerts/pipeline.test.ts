import { expect, test } from "vitest";
import { checkPipeline, type Pipeline } from "./pipeline.ts";
import { type OperatorRule, operatorRuleSchema } from "./rule.ts";

const WELL: Pipeline = {
  freshnessMs: 600_000,
  deadLetters: 0,
  audit: { differences: 0, doubts: 0 },
  logAgeMs: 5_000,
  history: { isReachable: true, detail: "it answers" },
};
const NOBODY_KNOWS: Pipeline = { freshnessMs: null, deadLetters: null, audit: null, logAgeMs: null, history: null };
const rules = ["freshness", "dead_letters", "audit_differences", "queue_lag", "clickhouse_unreachable"].map(
  (kind): OperatorRule => operatorRuleSchema.parse({ kind }),
);

test.each(rules)("of a pipeline that is well $kind tells nothing, nor of one that nobody knows of", (rule) => {
  expect(checkPipeline(rule, WELL, 0).check).toMatchObject({ outcome: "quiet", reason: "within_limit" });
  expect(checkPipeline(rule, NOBODY_KNOWS, 0).check).toEqual({ outcome: "unknown", reason: "pipeline_unknown" });
});

test.each<[string, Partial<Pipeline>, number | null]>([
  ["freshness", { freshnessMs: 901_000 }, 15],
  ["dead_letters", { deadLetters: 3 }, 3],
  ["audit_differences", { audit: { differences: 2, doubts: 1 } }, 3],
  ["audit_differences", { audit: { differences: 0, doubts: 1 } }, 1],
  ["queue_lag", { logAgeMs: 660_000 }, 11],
  ["clickhouse_unreachable", { history: { isReachable: false, detail: "no answer in 3 s" } }, null],
])("%s fires beyond its limit, and no other does", (kind, over, measured) => {
  const outcomes = rules.map((rule) => [rule.kind, checkPipeline(rule, { ...WELL, ...over }, 0).check] as const);
  for (const [other, check] of outcomes)
    expect([other, check.outcome]).toEqual([other, other === kind ? "firing" : "quiet"]);
  expect(outcomes.find(([one]) => one === kind)?.[1]).toMatchObject({ facts: { kind, measured } });
});
