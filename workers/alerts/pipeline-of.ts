import type { Health } from "../health/health-schema.ts";
import type { Pipeline } from "./pipeline.ts";

/** What alerts go by, of what `GET /v1/admin/health` says; audits' findings of late are asked for apart, as health counts those of a week. */
export function pipelineOf({ as_of, parts }: Health, audit: Pipeline["audit"]): Pipeline {
  const { history, dead_letters: letters } = parts;
  return {
    freshnessMs: history.freshness_s === null ? null : history.freshness_s * 1000,
    deadLetters: letters.waiting === null ? null : letters.waiting.raw + letters.waiting.windows,
    audit,
    logAgeMs: logAgeOf(parts.log, Date.parse(as_of)),
    history: {
      isReachable: history.answered_in_s !== null,
      detail: history.answered_in_s === null ? (history.reason ?? "it does not answer") : "it answers",
    },
  };
}

/**
 * How long the oldest message has waited: as the platform tells, or, where it does not, what was delivered in the last minutes had. A queue that
 * brings nothing, of which the platform tells nothing, is taken for empty; where nobody counts either, nothing is known.
 */
function logAgeOf(log: Health["parts"]["log"], nowMs: number): number | null {
  if (log.oldest_waiting_at !== null) return Math.max(0, nowMs - Date.parse(log.oldest_waiting_at));
  if (log.waiting_messages !== null) return 0;
  if (log.worst_age_s !== null) return log.worst_age_s * 1000;
  return log.delivered === null ? null : 0;
}
