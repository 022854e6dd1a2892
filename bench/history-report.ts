import type { RolledUp } from "../workers/aggregate/roll-up.ts";
import type { Read } from "./history-reads.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { significant } from "./numbers.ts";
import type { ParquetSpeedup } from "./parquet-speedup.ts";
import type { ReplaySpeed } from "./replay-speed.ts";
import { tableText } from "./table.ts";

export interface HistoryFigures {
  readonly reads: readonly Read[];
  readonly sizes: readonly { readonly tier: string; readonly rows: number; readonly bytes: number }[];
  readonly parquet: ParquetSpeedup;
  readonly rolledUp: { readonly seconds: number; readonly outcome: RolledUp };
  readonly replays: ReplaySpeed | undefined;
}

export interface HistoryRun {
  readonly rounds: number;
  readonly merchants: number;
  readonly years: number;
  readonly json: boolean;
  readonly startedMs: number;
}

/** The targets of `bench:history`. */
const RANGE_5Y_MS_MAX = 60;
const RATIO_5Y_TO_4W_MAX = 4;
const BYTES_PER_WINDOW_MAX = 90;
const OVER_BARE_MAX = 1.3;
const REPLAY_OVER_LIVE_MIN = 3;
const PARQUET_SPEEDUP_MIN = 10;
/** Questions whose answers are few or one row: what `over_bare_clickhouse` is of. The others are mostly the parsing of what was asked for. */
const COMPARED = ["range_5y_daily", "range_4w_hourly", "point"];

/** Prints a table, or one JSON line whose keys stay: other benchmarks of history add theirs. */
export function reportHistory(figures: HistoryFigures, { json, startedMs, ...run }: HistoryRun): void {
  const { reads, sizes, rolledUp, replays, parquet } = figures;
  const machine = describeMachine();
  const date = new Date(startedMs).toISOString();
  const msOf = (key: string) => reads.find((read) => read.key === key)?.ms ?? Number.NaN;
  const windows = sizes.find(({ tier }) => tier === "windows");
  const bytesOf = (tier: string) => (sizes.find((size) => size.tier === tier)?.bytes ?? 0) / (windows?.rows ?? 0);
  const compared = reads.filter(({ key }) => COMPARED.includes(key));
  const results = {
    ...Object.fromEntries(reads.map(({ key, ms }) => [`${key}_ms`, significant(ms)])),
    ratio_5y_to_4w: significant(msOf("range_5y_daily") / msOf("range_4w_hourly")),
    ratio_totals_5y_to_4w: significant(msOf("range_5y_daily") / msOf("total_4w")),
    over_bare_clickhouse: significant(Math.max(...compared.map(({ overBare }) => overBare))),
    bytes_per_window: significant(bytesOf("windows")),
    bytes_per_window_of_hours: significant(bytesOf("hours")),
    bytes_per_window_of_days: significant(bytesOf("days")),
    bytes_per_window_of_months: significant(bytesOf("months")),
    windows: windows?.rows ?? 0,
    ...(rolledUp.outcome.days === 0
      ? {}
      : { roll_up_windows_per_second: significant((windows?.rows ?? 0) / rolledUp.seconds) }),
    ...(replays === undefined ? {} : replayResults(replays)),
    parquet_speedup: significant(parquet.parquet_speedup),
    parquet_ms: significant(parquet.parquet_ms),
    ndjson_ms: significant(parquet.ndjson_ms),
  };
  if (json) {
    console.log(JSON.stringify({ ...results, ...run, machine, date }));
    return;
  }
  const limits: Readonly<Record<string, number>> = { range_5y_daily: RANGE_5Y_MS_MAX };
  const rows = [
    [`${run.merchants} merchants, ${results.windows} windows`, "ms", "bare ms", "at most"],
    ...reads.map(({ key, text, ms, bareMs }) => [text, ms.toFixed(1), bareMs.toFixed(1), String(limits[key] ?? "")]),
    ["5 years in total to 4 weeks by hour", String(results.ratio_5y_to_4w), "", String(RATIO_5Y_TO_4W_MAX)],
    ["5 years to 4 weeks, both in total", String(results.ratio_totals_5y_to_4w), "", ""],
    ["our call to the same SQL sent straight", String(results.over_bare_clickhouse), "", String(OVER_BARE_MAX)],
    ["bytes a window", String(results.bytes_per_window), "", String(BYTES_PER_WINDOW_MAX)],
    ["and for it in hours", String(results.bytes_per_window_of_hours), "", ""],
    ["and for it in days", String(results.bytes_per_window_of_days), "", ""],
    ["the archive as Parquet to lines", String(results.parquet_speedup), "", `at least ${PARQUET_SPEEDUP_MIN}`],
    ["windows rolled up a second", String(results.roll_up_windows_per_second ?? ""), "", ""],
  ];
  if (replays !== undefined) {
    const { replay_events_per_second, live_events_per_second, replay_over_live } = replayResults(replays);
    rows.push(
      ["events replayed a second", String(replay_events_per_second), "", ""],
      ["events counted live a second", String(live_events_per_second), "", ""],
      ["replayed to live", String(replay_over_live), "", `at least ${REPLAY_OVER_LIVE_MIN}`],
    );
  }
  console.log(`${tableText(rows)}\n\n${machineLine(machine)}\n${date}`);
}

function replayResults({ replayPerSecond, livePerSecond, ratio }: ReplaySpeed) {
  return {
    replay_events_per_second: significant(replayPerSecond),
    live_events_per_second: significant(livePerSecond),
    replay_over_live: significant(ratio),
  };
}
