import type { LiveFigures } from "./live-listeners.ts";
import { liveResults } from "./live-run.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { median, percentile, significant } from "./numbers.ts";
import type { CachedReads } from "./read-cached.ts";
import type { HistoryReadMs } from "./read-uncached.ts";
import { tableText } from "./table.ts";

export interface ReadFigures {
  readonly cached: CachedReads;
  readonly historyMs: HistoryReadMs;
  readonly recentMs: readonly number[];
  readonly csvPerSecond: number;
  readonly live: LiveFigures;
}

export interface ReadRun {
  readonly rounds: number;
  readonly requests: number;
  readonly reads: number;
  readonly merchants: number;
  readonly json: boolean;
  readonly startedMs: number;
}

/** The targets of `bench:read`. */
const CACHED_VS_HELLO_MIN = 0.8;
const OVER_BARE_MAX = 1.3;
const LISTENERS_MIN = 1_000;

/** Prints a table, or one JSON line whose keys stay. */
export function reportReads(
  { cached, historyMs, recentMs, csvPerSecond, live }: ReadFigures,
  { json, startedMs, ...run }: ReadRun,
): void {
  const machine = describeMachine();
  const date = new Date(startedMs).toISOString();
  const results = {
    cached_vs_hello: significant(cached.ratio),
    cached_vs_hello_cpu: significant(cached.cpuRatio),
    cached_per_second: significant(cached.cachedPerSecond),
    hello_per_second: significant(cached.helloPerSecond),
    cached_report_bytes: cached.reportBytes,
    uncached_recent_p50_ms: significant(median(recentMs)),
    uncached_recent_p95_ms: significant(percentile(recentMs, 95)),
    uncached_history_p50_ms: significant(median(historyMs.ours)),
    uncached_history_p95_ms: significant(percentile(historyMs.ours, 95)),
    bare_clickhouse_p50_ms: significant(median(historyMs.bare)),
    history_over_bare_clickhouse: significant(historyMs.ratio),
    csv_rows_per_second: significant(csvPerSecond),
    ...liveResults(live),
  };
  if (json) {
    console.log(JSON.stringify({ ...results, ...run, machine, date }));
    return;
  }
  const targets: Readonly<Record<string, string>> = {
    cached_vs_hello: `at least ${CACHED_VS_HELLO_MIN}`,
    history_over_bare_clickhouse: `at most ${OVER_BARE_MAX}`,
    live_idle_listeners: `at least ${LISTENERS_MIN}`,
  };
  const rows = [
    ["", "measured", "wanted"],
    ...Object.entries(results).map(([name, value]) => [name.replaceAll("_", " "), String(value), targets[name] ?? ""]),
  ];
  console.log(`${tableText(rows)}\n\n${machineLine(machine)}\n${date}`);
}
