import { finalHoursThrough, HOUR_MS } from "../../shared/window.ts";
import { AUDIT_FINDINGS_MS, type OperatingState } from "../directory/operating-state.ts";
import type { Answered } from "./answered.ts";
import type { HealthParts } from "./health-schema.ts";
import { degraded, down, firstOf, inWords, iso, isoOrNull, OK, unknown } from "./verdict.ts";

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
    const nobody = unknown("the directory does not answer");
    const failing = { failing: null, failure: null };
    return {
      directory: { ...down(`D1: ${directory.error}`), answered_in_s: null },
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
      ...firstOf(state.replays.failing > 0 && degraded(`the last pass of a replay failed: ${state.replays.failure}`)),
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
    ...firstOf(letters > 0 && degraded(`${letters} messages could not be dealt with`)),
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
      left > 0 && degraded(`the archive has lost something of ${left} windows audited in ${days} days`),
      doubts > 0 && degraded(`plain SQL adds up to something else in ${doubts} parts audited in ${days} days`),
      behindMs > AUDIT_BEHIND_MS_MAX && degraded(`the audit is ${inWords(behindMs)} behind`),
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
      failing > 0 && degraded(`${failing} windows could not be counted anew: ${failure}`),
      waitingMs > LATE_WAITING_MS_MAX && degraded(`late events wait for ${inWords(waitingMs)} to be counted`),
    ),
    ...{ waiting, failing, failure, earliest: isoOrNull(earliestMs), waiting_since: isoOrNull(sinceMs) },
  };
}

function archive({ uncompacted }: OperatingState): HealthParts["archive"] {
  const { waiting, earliestMs, failing, failure } = uncompacted;
  return {
    ...firstOf(failing > 0 && degraded(`${failing} hours could not be compacted: ${failure}`)),
    ...{ hours_waiting: waiting, earliest_waiting: isoOrNull(earliestMs), hours_failing: failing, failure },
  };
}
