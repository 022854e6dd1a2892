import type { SourceEdit } from "./source-edit.ts";

/** Rows a shard's journal may have in a run. */
export const JOURNAL_SLOTS = 16;

/** Limits that five hundred steps would never reach, made so small that they do. They are edits of the source as it is loaded. */
export const NARROW_LIMITS: readonly SourceEdit[] = [
  {
    file: "workers/aggregate/journal.ts",
    find: "JOURNAL_SLOTS = 1_024",
    replace: `JOURNAL_SLOTS = ${JOURNAL_SLOTS}`,
  },
  { file: "workers/aggregate/emission.ts", find: "EMISSION_ROWS_MAX = 20_000", replace: "EMISSION_ROWS_MAX = 8" },
  { file: "workers/aggregate/emission.ts", find: "EMISSIONS_PENDING_MAX = 64", replace: "EMISSIONS_PENDING_MAX = 4" },
  { file: "workers/aggregate/send-windows.ts", find: "MESSAGE_ROWS_FIRST = 950", replace: "MESSAGE_ROWS_FIRST = 3" },
  { file: "workers/aggregate/send-windows.ts", find: "MESSAGE_ROWS_MAX = 4_000", replace: "MESSAGE_ROWS_MAX = 3" },
  {
    file: "workers/aggregate/residency.ts",
    find: "RESIDENT_BYTES_MAX = 48_000_000",
    replace: "RESIDENT_BYTES_MAX = 5_000",
  },
  { file: "workers/aggregate/page.ts", find: "PAGE_BYTES_MAX = 1_900_000", replace: "PAGE_BYTES_MAX = 1_500" },
  {
    file: "workers/aggregate/residency.ts",
    find: "REBUILD_BYTES_MAX = 32_000_000",
    replace: "REBUILD_BYTES_MAX = 2_500",
  },
  {
    file: "workers/aggregate/rebuild.ts",
    find: "REBUILD_OBJECTS_PER_ALARM = 100",
    replace: "REBUILD_OBJECTS_PER_ALARM = 4",
  },
  { file: "workers/aggregate/rebuild.ts", find: "RECOUNT_EVENTS_MIN = 5_000", replace: "RECOUNT_EVENTS_MIN = 5" },
  { file: "workers/aggregate/sealed-run.ts", find: "SEALED_EVENTS_MIN = 100_000", replace: "SEALED_EVENTS_MIN = 4" },
  { file: "workers/aggregate/sealed-run.ts", find: "PART_EVENTS = 8_000", replace: "PART_EVENTS = 3" },
  {
    file: "workers/aggregate/recent-requests.ts",
    find: "RECENT_REQUESTS_MAX = 16_384",
    replace: "RECENT_REQUESTS_MAX = 8",
  },
];
