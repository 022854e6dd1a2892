import type { WorkerName } from "../../scripts/build.ts";
import { type FloodCount, quantile } from "./flood.ts";

export interface Latency {
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
}

export interface OverloadReport {
  readonly ok: boolean;
  readonly failures: readonly string[];
  readonly sustained_events_per_s: number;
  readonly offered_events_per_s: number;
  /** What of it got as far as a connection. */
  readonly sent_events_per_s: number;
  readonly accepted_events_per_s: number;
  readonly requests: Omit<FloodCount, "acceptedMs" | "refusedMs">;
  readonly refusals: Latency & { readonly within_100_ms: number };
  readonly acceptances: Latency;
  /** How late the sender's own event loop was under the flood: its latencies are known no better. */
  readonly sender_lag: Latency;
  /** What processes took of one core under the flood. A Worker's code runs in one thread of its process. */
  readonly cores: Readonly<Record<WorkerName | "sender" | "queues", number>>;
  /** Events that were accepted and are not counted; counted and were refused. */
  readonly lost: number;
  readonly invented: number;
  /** Resident, of the Workers' processes: before, and the largest of each quarter of the flood. */
  readonly memory_mb: { readonly before: number; readonly quarters: readonly number[]; readonly after: number };
  /** Reads of a merchant that sends nothing: alone, while others send what the machine sustains, and under the flood of one of them. */
  readonly reads: { readonly alone: Latency; readonly sustained: Latency; readonly flood: Latency };
  /** From the end of the flood until requests are taken and answered as before. */
  readonly recovered_ms: number;
  readonly drained_ms: number;
}

/** Of a refusal. */
export const REFUSAL_MS_MAX = 100;
/** Service is normal again so soon after the flood. */
export const RECOVERY_MS_MAX = 10_000;
/** Memory later in the flood may be so much of what it was in its first quarter. */
const GROWTH_MAX = 1.5;
/** Of another merchant's reads. */
const SLOWER_MAX = 2;

/** What of the figures is not as promised, a sentence each. */
export function failuresOf(
  figures: Pick<OverloadReport, "lost" | "invented" | "refusals" | "memory_mb" | "recovered_ms" | "requests" | "reads">,
  wrongAnswers: number,
): string[] {
  const { lost, invented, refusals, memory_mb, recovered_ms, reads, requests } = figures;
  const [first = 0, ...others] = memory_mb.quarters;
  const promises: readonly [boolean, string][] = [
    [lost === 0, `${lost} accepted events are not counted`],
    [invented === 0, `${invented} events are counted that were not accepted`],
    [wrongAnswers === 0, `${wrongAnswers} answers are neither a receipt nor 429 or 503 with Retry-After`],
    [requests.refused > 0, "nothing was refused: that was no overload"],
    [refusals.p99_ms <= REFUSAL_MS_MAX, `a refusal takes ${refusals.p99_ms} ms (p99), more than ${REFUSAL_MS_MAX}`],
    [Math.max(...others) <= GROWTH_MAX * first, `memory grows from ${first} to ${Math.max(...others)} MB in the flood`],
    [recovered_ms <= RECOVERY_MS_MAX, `service is normal only ${recovered_ms} ms after the flood`],
    [
      reads.flood.p50_ms <= SLOWER_MAX * reads.sustained.p50_ms,
      `others' reads take ${reads.flood.p50_ms} ms instead of ${reads.sustained.p50_ms}`,
    ],
  ];
  return promises.filter(([isKept]) => !isKept).map(([, failure]) => failure);
}

export function latencyOf(ms: readonly number[]): Latency {
  const rounded = (value: number) => Math.round(value * 10) / 10;
  return {
    p50_ms: rounded(quantile(ms, 0.5)),
    p99_ms: rounded(quantile(ms, 0.99)),
    max_ms: rounded(quantile(ms, 1)),
  };
}
