import { finalHoursThrough, HOUR_MS } from "../../shared/window.ts";
import { AUDIT_FINDINGS_MS, type OperatingState } from "../directory/operating-state.ts";
import type { Answered } from "./answered.ts";
import type { HealthParts } from "./health-schema.ts";
import { because } from "./reason.ts";
import { degraded, down, firstOf, iso, isoOrNull, OK, unknown } from "./verdict.ts";

/** The audit follows an hour's end by ten minutes, and works on many hours at a time. */
export const AUDIT_BEHIND_MS_MAX = 3 * HOUR_MS;
/** Late windows are counted anew a minute after they were noted, and tried again after five. */
export const LATE_WAITING_MS_MAX = 30 * 60_000;

type DirectoryPart = "directory" | "dead_letters" | "audit" | "replays" | "late_windows" | "archive";

/** The parts that stand in the directory, and the directory itself. */
export function judgeDirectory(directory: Answered<OperatingState>, nowMs: number): Pick<HealthParts, DirectoryPart> {
  const finalThroughMs = finalHoursThrough(nowMs);
  const final_through = iso(finalThroughMs);
  if (!directory.ok) {
    const nobody = unknown(because("directory_silent"));
    const failing = { failing: null, failure: null };
    return {
      directory: { ...down(because("directory_away", { failure: directory.error })), answered_in_s: null },
      dead_letters: { ...nobody, waiting: null, oldest_at: null },
      audit: { ...nobody, final_through, audited_through: null, windows: null, doubts: null },
      replays: { ...nobody, running: null, ...failing },
      late_windows: { ...nobody, waiting: null, ...failing, earliest: null, waiting_since: null },
      archive: { ...nobody, hours_waiting: null, earliest_waiting: null, hours_failing: null, failure: null },
    };
  }
  const state = directory.value.value;
  return {
    directory: { ...OK, answered_in_s: directory.value.tookMs / 1000 },
    dead_letters: deadLetters(state),
    audit: audit(state, finalThroughMs),
    replays: {
      ...firstOf(
        state.replays.failing > 0 && degraded(because("replay_failed", { failure: state.replays.failure ?? "" })),
      ),
      ...state.replays,
    },
    late_windows: lateWindows(state, nowMs),
    archive: archive(state),
  };
}

function deadLetters({ deadLetters, oldestDeadAt }: OperatingState): HealthParts["dead_letters"] {
  const waiting = { raw: deadLetters["tally-raw"] ?? 0, windows: deadLetters["tally-windows"] ?? 0 };
  const letters = waiting.raw + waiting.windows;
  return {
    ...firstOf(letters > 0 && degraded(because("dead_letters", { messages: letters }))),
    waiting,
    oldest_at: isoOrNull(oldestDeadAt),
  };
}

function audit({ audit, auditedThroughMs }: OperatingState, finalThroughMs: number): HealthParts["audit"] {
  const { doubts, ...windows } = audit;
  const left = windows.short + windows.unarchived;
  const behindMs = auditedThroughMs === null ? 0 : finalThroughMs - auditedThroughMs;
  const days = Math.round(AUDIT_FINDINGS_MS / (24 * HOUR_MS));
  return {
    ...firstOf(
      left > 0 && degraded(because("archive_lost", { windows: left, days })),
      doubts > 0 && degraded(because("audit_doubts", { parts: doubts, days })),
      behindMs > AUDIT_BEHIND_MS_MAX && degraded(because("audit_behind", { behind_s: behindMs / 1000 })),
    ),
    final_through: iso(finalThroughMs),
    audited_through: isoOrNull(auditedThroughMs),
    windows,
    doubts,
  };
}

function lateWindows({ lateWindows }: OperatingState, nowMs: number): HealthParts["late_windows"] {
  const { waiting, failing, failure, earliestMs, sinceMs } = lateWindows;
  const waitingMs = sinceMs === null ? 0 : nowMs - sinceMs;
  return {
    ...firstOf(
      failing > 0 && degraded(because("recount_failed", { windows: failing, failure: failure ?? "" })),
      waitingMs > LATE_WAITING_MS_MAX && degraded(because("late_waiting", { waiting_s: waitingMs / 1000 })),
    ),
    ...{ waiting, failing, failure, earliest: isoOrNull(earliestMs), waiting_since: isoOrNull(sinceMs) },
  };
}

function archive({ uncompacted }: OperatingState): HealthParts["archive"] {
  const { waiting, earliestMs, failing, failure } = uncompacted;
  return {
    ...firstOf(failing > 0 && degraded(because("compaction_failed", { hours: failing, failure: failure ?? "" }))),
    ...{ hours_waiting: waiting, earliest_waiting: isoOrNull(earliestMs), hours_failing: failing, failure },
  };
}
