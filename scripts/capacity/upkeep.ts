import type { Flow } from "./flow.ts";
import { figuresOf, type Item, n, within } from "./item.ts";
import { type Load, WINDOWS_PER_DAY } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import { LIMITS } from "./platform.ts";

const HOURS = 24;
/** `PASS_OBJECTS_MAX` and `COMPACT_BYTES_MAX` of workers/aggregate: what one pass of compaction takes. */
const PASS_OBJECTS_MAX = 500;
const PASS_BYTES_MAX = 64e6;
/** Keys of one listing (Cloudflare R2, "Workers API reference"). */
const LISTED_MAX = 1_000;
/** Of each object, as counted by `compact-hour.node.test.ts`: ClickHouse asks for its head and its bytes, once to add it up and once to write. */
const READS_PER_OBJECT = 4;
/** Of each pass: the manifest, and of the Parquet its head three times, its footer and its rows. Rows of more than one row group are more reads. */
const READS_PER_PASS = 6;
/** The listing, the Parquet, the manifest. */
const WRITES_PER_PASS = 3;

export interface Upkeep {
  readonly items: readonly Item[];
  /** That the log writes to the archive. */
  readonly objectsPerDay: number;
  readonly r2ReadsPerDay: number;
  readonly r2WritesPerDay: number;
  readonly replayerSecondsPerDay: number;
}

/** What is done later with a day's events: each hour audited, that is replayed, and compacted once; each day rolled up. */
export function upkeepOf(o: CapacityOptions, load: Load, log: Flow): Upkeep {
  const figure = figuresOf("upkeep");
  const objects = log.batchesPerDay * log.groups * o["archive-hours"];
  const events = o["events-per-day"];
  const bytes = events * o["gzip-bytes"];
  const passes = HOURS * Math.ceil(Math.max(objects / HOURS / PASS_OBJECTS_MAX, bytes / HOURS / PASS_BYTES_MAX));
  const listings = HOURS * Math.ceil(objects / HOURS / LISTED_MAX);
  const r2ReadsPerDay = objects + objects * READS_PER_OBJECT + passes * READS_PER_PASS;
  const r2WritesPerDay = listings + passes * WRITES_PER_PASS + HOURS;
  const windows = load.activeMerchants * WINDOWS_PER_DAY;
  const rows = Math.min(windows, o.merchants * HOURS) + Math.min(windows, o.merchants) * 2;
  const auditS = (events * o["audit-us"]) / 1e6;
  const compactS = (events * o["compact-us"]) / 1e6;
  const rollUpS = (windows * o["roll-up-us"]) / 1e6;
  const cores = o.replayers * o["replay-cores"];
  const busyS = (auditS + compactS) / cores;
  const items = [
    figure(
      "compaction_passes",
      passes,
      "passes/day",
      `${n(HOURS)} × ceil(max(${n(objects)} objects / ${n(HOURS)} / ${n(PASS_OBJECTS_MAX)}, ${n(bytes)} bytes / ${n(HOURS)} / ${n(PASS_BYTES_MAX)}))`,
    ),
    figure(
      "upkeep_r2_reads",
      r2ReadsPerDay,
      "reads/day",
      `${n(objects)} audited + ${n(objects)} compacted × ${n(READS_PER_OBJECT)} + ${n(passes)} passes × ${n(READS_PER_PASS)}`,
    ),
    figure(
      "upkeep_r2_writes",
      r2WritesPerDay,
      "writes/day",
      `${n(HOURS)} × ceil(${n(objects)} / ${n(HOURS)} / ${n(LISTED_MAX)}) listings + ${n(passes)} passes × ${n(WRITES_PER_PASS)} + ${n(HOURS)}`,
    ),
    figure(
      "roll_up_rows",
      rows,
      "rows/day at most",
      `min(${n(windows)} windows, ${n(o.merchants)} × ${n(HOURS)}) + min(${n(windows)}, ${n(o.merchants)}) × 2`,
    ),
    figure("clickhouse_audit", auditS, "core seconds/day", `${n(events)} × ${n(o["audit-us"])} / 1e6`),
    figure("clickhouse_compaction", compactS, "core seconds/day", `${n(events)} × ${n(o["compact-us"])} / 1e6`),
    figure("clickhouse_roll_up", rollUpS, "core seconds/day", `${n(windows)} × ${n(o["roll-up-us"])} / 1e6`),
    within(
      figure(
        "replayer_busy",
        busyS,
        "seconds/day",
        `(${n(auditS)} + ${n(compactS)}) / ${n(o.replayers)} / ${n(o["replay-cores"])}`,
      ),
      LIMITS.replayer.value,
      LIMITS.replayer,
      "more Replayers, each for a part of the hours or merchants (--replayers; to be built: today there is one), or more cores of ClickHouse for a pass (--replay-cores)",
    ),
    figure("replay_of_a_day", auditS / cores, "seconds", `${n(auditS)} / ${n(o.replayers)} / ${n(o["replay-cores"])}`),
  ];
  return { items, objectsPerDay: objects, r2ReadsPerDay, r2WritesPerDay, replayerSecondsPerDay: busyS * o.replayers };
}
