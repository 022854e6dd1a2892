import type { Check } from "./check.ts";
import { LOOK_MS_MIN, type Looked } from "./looks.ts";
import type { OperatorRule } from "./rule.ts";

/** Operators' rules: the pipeline's state against a limit. */

const MINUTE_MS = 60_000;
/** What flickers at its limit has to be within it for so long to be over. */
const RECOVERED_MS = 180_000;

/** How the pipeline is; `null` for what nobody could say. */
export interface Pipeline {
  /** Since the moment up to which all is in history. */
  readonly freshnessMs: number | null;
  /** Messages that were given up and wait for an operator. */
  readonly deadLetters: number | null;
  /** Windows that the audits of late found to differ, and parts that their second opinion doubts. */
  readonly audit: { readonly differences: number; readonly doubts: number } | null;
  /** That the oldest message of the log has waited. */
  readonly logAgeMs: number | null;
  /** Whether ClickHouse answers, and else why not. */
  readonly history: { readonly isReachable: boolean; readonly detail: string } | null;
}

export function checkPipeline(rule: OperatorRule, pipeline: Pipeline, nowMs: number): Looked {
  return { check: checkOf(rule, pipeline), nextMs: nowMs + LOOK_MS_MIN };
}

function checkOf(rule: OperatorRule, { freshnessMs, deadLetters, audit, logAgeMs, history }: Pipeline): Check {
  const { kind } = rule;
  switch (kind) {
    case "freshness":
      if (freshnessMs === null) return UNKNOWN;
      return beyond(kind, freshnessMs > rule.minutes * MINUTE_MS, minutes(freshnessMs), "minutes behind");
    case "queue_lag":
      if (logAgeMs === null) return UNKNOWN;
      return beyond(kind, logAgeMs > rule.minutes * MINUTE_MS, minutes(logAgeMs), "minutes that a message has waited");
    case "dead_letters":
      if (deadLetters === null) return UNKNOWN;
      return beyond(kind, deadLetters > 0, deadLetters, "messages wait for an operator");
    case "audit_differences": {
      if (audit === null) return UNKNOWN;
      const { differences, doubts } = audit;
      return beyond(
        kind,
        differences + doubts > 0,
        differences + doubts,
        `${differences} windows differed, ${doubts} parts are in doubt`,
      );
    }
    case "clickhouse_unreachable":
      if (history === null) return UNKNOWN;
      return beyond(kind, !history.isReachable, null, history.detail);
    default:
      return kind satisfies never;
  }
}

/** For how long an alert has to be contradicted before it stands otherwise. */
export function holdOf(rule: { readonly kind: string; readonly minutes?: number }): {
  readonly fireMs: number;
  readonly clearMs: number;
} {
  switch (rule.kind) {
    // That it has been away for so long is only known by looking again.
    case "clickhouse_unreachable":
      return { fireMs: (rule.minutes ?? 0) * MINUTE_MS, clearMs: RECOVERED_MS };
    case "freshness":
    case "queue_lag":
      return { fireMs: 0, clearMs: RECOVERED_MS };
    default:
      return { fireMs: 0, clearMs: 0 };
  }
}

const UNKNOWN: Check = { outcome: "unknown", reason: "pipeline_unknown" };

function beyond(kind: OperatorRule["kind"], isBeyond: boolean, measured: number | null, detail: string): Check {
  const facts = { kind, measured, detail };
  return isBeyond
    ? { outcome: "firing", reason: "beyond_limit", facts }
    : { outcome: "quiet", reason: "within_limit", facts };
}

const minutes = (ms: number) => Math.round(ms / 6_000) / 10;
