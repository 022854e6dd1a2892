import type { Result } from "../../shared/result.ts";
import { completeThrough, windowStart } from "../../shared/window.ts";
import { SHARD_BYTES_MAX } from "../aggregate/residency.ts";
import type { ShardStatus } from "../aggregate/shard-status.ts";
import type { OperatingState } from "../directory/operating-state.ts";
import type { MeterState, Reading } from "../meter/meter-state.ts";
import { REJECTION_CODES } from "../meter/series.ts";
import type { Answered } from "./answered.ts";
import type { Health, HealthParts } from "./health-schema.ts";
import { judgeDirectory } from "./judge-directory.ts";
import { because } from "./reason.ts";
import { degraded, down, earliest, firstOf, iso, isoOrNull, OK, unknown, type Verdict } from "./verdict.ts";

/** A window is in history some twelve minutes after it began, as it closes; beyond this something is stuck. */
export const FRESHNESS_MS_MAX = 15 * 60_000;
/** The log's consumer waits for ten seconds on purpose, the windows' for three. */
export const QUEUE_AGE_MS_MAX = 2 * 60_000;
/** Of what a shard may have in memory: beyond, it soon refuses batches. */
export const SHARD_BYTES_SHARE_MAX = 0.9;

export interface QueueState {
  readonly messages: number;
  readonly bytes: number;
  readonly oldestMs: number | null;
}

/** What everybody said who was asked. */
export interface Findings {
  readonly nowMs: number;
  readonly directory: Answered<OperatingState>;
  readonly meters: readonly Answered<MeterState>[];
  /** Of the meters that answered. */
  readonly reading: Reading;
  /** How many there are, and what those said that were asked; or why the topology is not known. */
  readonly shards: Result<AskedShards, string>;
  /** Start of the newest window in it. */
  readonly history: Answered<number | null>;
  /** `undefined` where the platform tells nothing. */
  readonly log: Answered<QueueState> | undefined;
  readonly windowsQueue: Answered<QueueState> | undefined;
}

export interface AskedShards {
  readonly shards: number;
  readonly answers: ReadonlyMap<string, Answered<ShardStatus>>;
}

/** What an operator is told, from what everybody said: nothing is asked any more. */
export function judgeHealth(findings: Findings): Health {
  const { nowMs, reading } = findings;
  const parts: HealthParts = {
    ingest: ingest(findings),
    log: queue(findings, "tally-raw", findings.log),
    windows_queue: queue(findings, "tally-windows", findings.windowsQueue),
    shards: shards(findings),
    history: history(findings),
    ...judgeDirectory(findings.directory, nowMs),
    meters: meters(findings),
  };
  return { as_of: iso(nowMs), over_s: reading.recentMs / 1000, verdict: overall(parts), parts };
}

/** Without these payments are refused, or today cannot be read. All else waits, and catches up. */
const VITAL = ["ingest", "shards", "directory"] as const satisfies readonly (keyof HealthParts)[];

function overall(parts: HealthParts): Health["verdict"] {
  if (VITAL.some((name) => parts[name].verdict === "down")) return "down";
  return Object.values(parts).every(({ verdict }) => verdict === "ok") ? "ok" : "degraded";
}

/** Why the meters' numbers cannot be told; some of them would look like all of them. */
function unmetered({ meters }: Findings): Verdict | undefined {
  const silent = meters.find(({ ok }) => !ok);
  if (silent?.ok === false) return unknown(because("meter_silent", { failure: silent.error }));
  return meters.length === 0 ? unknown(because("not_metered")) : undefined;
}

function ingest(findings: Findings): HealthParts["ingest"] {
  const missing = unmetered(findings);
  if (missing !== undefined) {
    const none = { requests_per_second: null, events_per_second: null, events: null };
    return { ...missing, ...none, rejected_by_code: null, refused_requests: null, overloaded_requests: null };
  }
  const { recent, recentMs } = findings.reading;
  const of = (key: string) => recent.get(key) ?? 0;
  const events = {
    accepted: of("receipt_events/accepted"),
    duplicates: of("receipt_events/duplicates"),
    late: of("receipt_events/late"),
    queued: of("receipt_events/queued"),
    rejected: of("receipt_events/rejected"),
    ignored: of("receipt_events/ignored"),
  };
  const requests = sumOf(recent, "ingest_requests/");
  const refused = of("ingest_requests/log_unavailable");
  const codes = REJECTION_CODES.map((code) => [code, of(`rejected_events/${code}`)] as const);
  const overloaded = of("ingest_requests/overloaded");
  const refusing = because("log_refuses", { refused, requests });
  return {
    ...firstOf(
      refused > 0 && (refused === requests ? down(refusing) : degraded(refusing)),
      overloaded > 0 && degraded(because("overloaded", { refused: overloaded, requests })),
    ),
    requests_per_second: perSecond(requests, recentMs),
    events_per_second: perSecond(
      Object.values(events).reduce((sum, n) => sum + n, 0),
      recentMs,
    ),
    events,
    rejected_by_code: Object.fromEntries(codes.filter(([, n]) => n > 0)),
    refused_requests: refused,
    overloaded_requests: overloaded,
  };
}

type QueueName = "tally-raw" | "tally-windows";

function queue(
  findings: Findings,
  name: QueueName,
  state: Answered<QueueState> | undefined,
): HealthParts["log" | "windows_queue"] {
  const { nowMs, reading } = findings;
  const missing = unmetered(findings);
  const waiting = state?.ok === true ? state.value.value : undefined;
  const ageMs = reading.peaks.get(`queue_age_ms/${name}`) ?? null;
  const waitingMs = waiting === undefined || waiting.oldestMs === null ? 0 : nowMs - waiting.oldestMs;
  const retried = reading.recent.get(`queue_messages/${name}/retried`) ?? 0;
  const delivered =
    (reading.recent.get(`queue_messages/${name}/acknowledged`) ?? 0) +
    (reading.recent.get(`queue_messages/${name}/buried`) ?? 0);
  return {
    ...firstOf(
      waitingMs > QUEUE_AGE_MS_MAX && degraded(because("message_waits", { waiting_s: waitingMs / 1000 })),
      ageMs !== null && ageMs > QUEUE_AGE_MS_MAX && degraded(because("delivered_late", { age_s: ageMs / 1000 })),
      retried > 0 && degraded(because("deliveries_failed", { deliveries: retried })),
      state?.ok === false && unknown(because("queue_silent", { failure: state.error })),
      missing,
    ),
    worst_age_s: ageMs === null ? null : ageMs / 1000,
    waiting_messages: waiting?.messages ?? null,
    waiting_bytes: waiting?.bytes ?? null,
    oldest_waiting_at: isoOrNull(waiting?.oldestMs),
    delivered: missing === undefined ? delivered : null,
    retried: missing === undefined ? retried : null,
  };
}

function shards(findings: Findings): HealthParts["shards"] {
  const { reading, shards } = findings;
  const metered = unmetered(findings) === undefined;
  const failed = sumOf(reading.recent, "shard_calls/", "/failed");
  const calls = {
    calls_per_second: metered ? perSecond(sumOf(reading.recent, "shard_calls/"), reading.recentMs) : null,
    failed_calls: metered ? failed : null,
  };
  if (!shards.ok) {
    const none = { windows: null, bytes_max: null, damaged_windows: null, unconfirmed_emissions: null };
    return {
      ...unknown(because("topology_unknown", { failure: shards.error })),
      ...{ shards: null, asked: 0, reachable: 0 },
      ...{ ...calls, ...none, oldest_unconfirmed_at: null },
    };
  }
  const { answers } = shards.value;
  const known = statusesOf(answers);
  const [silent = ""] = [...answers].flatMap(([name, answer]) => (answer.ok ? [] : [`${name}: ${answer.error}`]));
  const unreachable = answers.size - known.length;
  const damaged = known.reduce((sum, status) => sum + status.damaged, 0);
  const bytesMax = Math.max(0, ...known.map(({ bytes }) => bytes));
  return {
    ...firstOf(
      unreachable > 0 &&
        known.length === 0 &&
        down(because("no_shard_answers", { asked: answers.size, failure: silent })),
      unreachable > 0 &&
        degraded(because("shards_silent", { silent: unreachable, asked: answers.size, failure: silent })),
      damaged > 0 && degraded(because("windows_damaged", { windows: damaged })),
      bytesMax > SHARD_BYTES_SHARE_MAX * SHARD_BYTES_MAX && degraded(because("shard_full")),
      failed > 0 && degraded(because("shard_calls_failed", { calls: failed })),
    ),
    ...{ shards: shards.value.shards, asked: answers.size, reachable: known.length, ...calls },
    windows: known.reduce((sum, status) => sum + status.windows, 0),
    bytes_max: bytesMax,
    damaged_windows: damaged,
    unconfirmed_emissions: known.reduce((sum, { emissions }) => sum + emissions, 0),
    oldest_unconfirmed_at: isoOrNull(earliest(known.map(({ unconfirmedSinceMs }) => unconfirmedSinceMs))),
  };
}

function statusesOf(answers: AskedShards["answers"]): ShardStatus[] {
  return [...answers.values()].flatMap((answer) => (answer.ok ? [answer.value.value] : []));
}

function history(findings: Findings): HealthParts["history"] {
  const { nowMs, history, shards } = findings;
  const statuses = shards.ok ? statusesOf(shards.value.answers) : [];
  const isWhole = shards.ok && statuses.length === shards.value.answers.size;
  const throughMs = isWhole ? completeInHistory(findings, statuses) : null;
  const freshnessMs = throughMs === null ? null : nowMs - throughMs;
  return {
    ...firstOf(
      !history.ok && down(because("history_away", { failure: history.error })),
      freshnessMs !== null &&
        freshnessMs > FRESHNESS_MS_MAX &&
        degraded(because("history_behind", { behind_s: freshnessMs / 1000 })),
      freshnessMs === null && unknown(because("history_unknown")),
    ),
    answered_in_s: history.ok ? history.value.tookMs / 1000 : null,
    newest_window: history.ok ? isoOrNull(history.value.value) : null,
    complete_through: isoOrNull(throughMs),
    freshness_s: freshnessMs === null ? null : freshnessMs / 1000,
    oldest_unfinished_window: isoOrNull(earliest(statuses.map(({ unstoredFromMs }) => unstoredFromMs))),
  };
}

/** What the shards know to be stored, less what the log may still bring: of an event that waits there no shard knows. */
function completeInHistory({ nowMs, log }: Findings, statuses: readonly ShardStatus[]): number {
  const waitingMs = log?.ok === true ? (log.value.value.oldestMs ?? nowMs) : nowMs;
  const through = statuses.map(({ completeThroughMs }) => completeThroughMs);
  return Math.min(completeThrough(nowMs), windowStart(waitingMs), ...through);
}

function meters(findings: Findings): HealthParts["meters"] {
  const { meters, reading } = findings;
  const reachable = meters.filter(({ ok }) => ok).length;
  const silent = unmetered(findings);
  return {
    ...(silent === undefined || meters.length === 0 ? (silent ?? OK) : { ...silent, verdict: "degraded" as const }),
    meters: meters.length,
    reachable,
    counting_since: reachable === 0 ? null : iso(reading.sinceMs),
  };
}

/** Of all series whose keys begin and end so. */
function sumOf(counts: ReadonlyMap<string, number>, begin: string, end = ""): number {
  let sum = 0;
  for (const [key, value] of counts) if (key.startsWith(begin) && key.endsWith(end)) sum += value;
  return sum;
}

function perSecond(count: number, overMs: number): number {
  return Math.round((count / (overMs / 1000)) * 1000) / 1000;
}
