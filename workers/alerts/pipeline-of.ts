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
 * How long the oldest message has waited: as the platform tells, or those had that were delivered in the last minutes, whichever is longer. The platform may not tell of
 * messages that failed and wait to be tried again, and what is told too long holds an alert back for minutes, where what is told too short tells of sales that
 * are on their way as missing. A queue of which neither tells anything is taken for empty; where nobody counts either, nothing is known.
 */
function logAgeOf(log: Health["parts"]["log"], nowMs: number): number | null {
  if (log.oldest_waiting_at === null && log.waiting_messages === null && log.worst_age_s === null) {
    return log.delivered === null ? null : 0;
  }
  const waitingMs = log.oldest_waiting_at === null ? 0 : nowMs - Date.parse(log.oldest_waiting_at);
  return Math.max(0, waitingMs, (log.worst_age_s ?? 0) * 1000);
}
