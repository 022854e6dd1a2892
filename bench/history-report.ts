import type { RolledUp } from "../workers/aggregate/roll-up.ts";
import type { Read } from "./history-reads.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { significant } from "./numbers.ts";
import type { ParquetSpeedup } from "./parquet-speedup.ts";
import { tableText } from "./table.ts";

export interface HistoryFigures {
  readonly reads: readonly Read[];
  readonly sizes: readonly { readonly table: string; readonly rows: number; readonly bytes: number }[];
  readonly generated: { readonly seconds: number };
  readonly parquet: ParquetSpeedup;
  readonly rolledUp: { readonly seconds: number; readonly outcome: RolledUp };
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
const PARQUET_SPEEDUP_MIN = 10;
/** Questions whose answers are few or one row: what `over_bare_clickhouse` is of. The others are mostly the parsing of what was asked for. */
const COMPARED = ["range_5y_daily", "range_4w_hourly", "point"];

/** Prints a table, or one JSON line whose keys stay: other benchmarks of history add theirs. */
export function reportHistory(figures: HistoryFigures, { json, startedMs, ...run }: HistoryRun): void {
  const { reads, sizes, rolledUp, parquet } = figures;
  const machine = describeMachine();
  const date = new Date(startedMs).toISOString();
  const msOf = (key: string) => reads.find((read) => read.key === key)?.ms ?? Number.NaN;
  const windows = sizes.find(({ table }) => table === "windows");
  const bytesOf = (table: string) => (sizes.find((size) => size.table === table)?.bytes ?? 0) / (windows?.rows ?? 0);
  const compared = reads.filter(({ key }) => COMPARED.includes(key));
  const results = {
    ...Object.fromEntries(reads.map(({ key, ms }) => [`${key}_ms`, significant(ms)])),
    ratio_5y_to_4w: significant(msOf("range_5y_daily") / msOf("range_4w_hourly")),
    ratio_totals_5y_to_4w: significant(msOf("range_5y_daily") / msOf("total_4w")),
    over_bare_clickhouse: significant(Math.max(...compared.map(({ ms, bareMs }) => ms / bareMs))),
    bytes_per_window: significant(bytesOf("windows")),
    bytes_per_window_of_hours: significant(bytesOf("hours")),
    bytes_per_window_of_days: significant(bytesOf("days")),
    windows: windows?.rows ?? 0,
    roll_up_windows_per_second: significant((windows?.rows ?? 0) / rolledUp.seconds),
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
    [
      "a million events of the archive: NDJSON to Parquet",
      String(results.parquet_speedup),
      "",
      `at least ${PARQUET_SPEEDUP_MIN}`,
    ],
    ["windows rolled up a second", String(results.roll_up_windows_per_second), "", ""],
  ];
  console.log(`${tableText(rows)}\n\n${machineLine(machine)}\n${date}`);
}
