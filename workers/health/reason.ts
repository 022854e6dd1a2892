import { HOUR_MS } from "../../shared/window.ts";

type Values = Readonly<Record<string, number | string>>;

/** Why a part is not well, by code: in the API's English, of values that whoever tells it in other words has, too. Durations are in seconds, `failure` is what somebody else said went wrong. */
const REASONS = {
  log_refuses: (v: { refused: number; requests: number }) => `the log refused ${v.refused} of ${v.requests} requests`,
  overloaded: (v: { refused: number; requests: number }) =>
    `${v.refused} of ${v.requests} requests were refused, because isolates had enough to do`,
  meter_silent: (v: { failure: string }) => `a meter: ${v.failure}`,
  not_metered: () => "nothing is metered: METER is not bound",
  message_waits: (v: { waiting_s: number }) => `a message waits for ${inWords(v.waiting_s)}`,
  delivered_late: (v: { age_s: number }) => `a message was delivered after ${inWords(v.age_s)}`,
  deliveries_failed: (v: { deliveries: number }) =>
    `${v.deliveries} deliveries failed of late; the messages come again`,
  queue_silent: (v: { failure: string }) => `the queue: ${v.failure}`,
  topology_unknown: (v: { failure: string }) => `the topology: ${v.failure}`,
  no_shard_answers: (v: { asked: number; failure: string }) => `none of ${v.asked} answers; ${v.failure}`,
  shards_silent: (v: { silent: number; asked: number; failure: string }) =>
    `${v.silent} of ${v.asked} do not answer; ${v.failure}`,
  windows_damaged: (v: { windows: number }) =>
    `${v.windows} windows are damaged and wait to be rebuilt from the archive`,
  shard_full: () => "a shard is nearly full: it needs more of them",
  shard_calls_failed: (v: { calls: number }) =>
    `${v.calls} calls failed of late; their events are counted from the log`,
  history_away: (v: { failure: string }) => `ClickHouse: ${v.failure}`,
  history_behind: (v: { behind_s: number }) =>
    `it is ${inWords(v.behind_s)} behind; windows arrive within thirteen minutes of their beginning`,
  history_unknown: () => "how far it is cannot be told while a shard does not answer",
  directory_away: (v: { failure: string }) => `D1: ${v.failure}`,
  directory_silent: () => "the directory does not answer",
  dead_letters: (v: { messages: number }) => `${v.messages} messages could not be dealt with`,
  archive_lost: (v: { windows: number; days: number }) =>
    `the archive has lost something of ${v.windows} windows audited in ${v.days} days`,
  audit_doubts: (v: { parts: number; days: number }) =>
    `plain SQL adds up to something else in ${v.parts} parts audited in ${v.days} days`,
  audit_behind: (v: { behind_s: number }) => `the audit is ${inWords(v.behind_s)} behind`,
  replay_failed: (v: { failure: string }) => `the last pass of a replay failed: ${v.failure}`,
  recount_failed: (v: { windows: number; failure: string }) =>
    `${v.windows} windows could not be counted anew: ${v.failure}`,
  late_waiting: (v: { waiting_s: number }) => `late events wait for ${inWords(v.waiting_s)} to be counted`,
  compaction_failed: (v: { hours: number; failure: string }) => `${v.hours} hours could not be compacted: ${v.failure}`,
} as const satisfies Readonly<Record<string, (values: never) => string>>;

export type ReasonCode = keyof typeof REASONS;
export const REASON_CODES = Object.keys(REASONS) as [ReasonCode, ...ReasonCode[]];

/** A reason in words, and as what it can be told by in others. */
export interface Reason {
  readonly reason: string;
  readonly because: { readonly code: ReasonCode; readonly values: Values };
}

/** Nothing to fill in where a reason has no values. */
type ValuesOf<Code extends ReasonCode> = Parameters<(typeof REASONS)[Code]>;

export function because<Code extends ReasonCode>(code: Code, ...[values]: ValuesOf<Code>): Reason {
  const told = REASONS[code] as (values: Values | undefined) => string;
  return { reason: told(values), because: { code, values: values ?? {} } };
}

const HOUR_S = HOUR_MS / 1000;

/** `90 s`, `12 min`, `3.5 h`. */
function inWords(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 2 * HOUR_S ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / (HOUR_S / 10)) / 10} h`;
}
