import { RESIDENT_BYTES_MAX } from "../../workers/aggregate/residency.ts";
import { batchCallsText, callsText, shardsPerPartition } from "./calls.ts";
import type { Callers } from "./counting.ts";
import { figuresOf, type Item, n } from "./item.ts";
import { DAY_S, type Load, WINDOWS_PER_DAY } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import { recentBytesOf, sliceBytesOf } from "./shard-size.ts";

/** Rows that the shards write, and what makes them. */
export interface Rows {
  readonly items: readonly Item[];
  readonly rowsPerDay: number;
  readonly emissionsPerShard: number;
}

/** The rows of a day: journal, checkpoints, what is forgotten, alarms. */
export function rowsOf(o: CapacityOptions, { load, flow, reaches, shards, calls }: Callers): Rows {
  const figure = figuresOf("counting");
  const slots = o["journal-slots"] - 1;
  const journalBytes = o["journal-mb"] * 1e6;
  const eventsPerShard = o["events-per-day"] / shards;
  const rowsPerShard = calls.journalRows / shards;
  const full = Math.max(rowsPerShard / slots, (eventsPerShard * o["journal-bytes"]) / journalBytes);
  const forRoom = mustMakeRoom(o, load, shards) ? WINDOWS_PER_DAY : 0;
  const checkpoints = full + WINDOWS_PER_DAY + forRoom;
  const sliceBytes = sliceBytesOf(o, load, shards);
  const pages = Math.ceil(sliceBytes / o["page-bytes"]);
  const latePerCheckpoint = (eventsPerShard * o["late-share"]) / checkpoints / o["late-windows"];
  const slices = 1 + o["late-windows"] * -Math.expm1(-latePerCheckpoint);
  const checkpointRows = shards * checkpoints * (1 + slices * pages);
  const droppedRows = shards * WINDOWS_PER_DAY * pages;
  const latePerSecond = (eventsPerShard * o["late-share"]) / DAY_S;
  // Corrections of all windows go together, a delay after the last emission.
  const corrections = latePerSecond === 0 ? 0 : DAY_S / (o["correction-delay-s"] + 1 / latePerSecond);
  const emissions = WINDOWS_PER_DAY + corrections;
  // The alarm is set once for each, and once more when nothing has come by the time it rings; how far history has confirmed costs no row of its own.
  const inVain = Math.exp(-latePerSecond * o["correction-delay-s"]);
  const emissionRows = shards * emissions * (1 + inVain);
  const rowsPerDay = calls.journalRows + checkpointRows + droppedRows + emissionRows;
  const journalEvents = Math.min((slots * eventsPerShard) / rowsPerShard, journalBytes / o["journal-bytes"]);
  const own = shardsPerPartition(flow, shards);
  const newsText = batchCallsText(flow, reaches.newInFullGroup, reaches.newInRestGroup, (reach) =>
    callsText(reach, own),
  );
  const items = [
    figure(
      "journal_rows",
      calls.journalRows,
      "rows/day",
      `${n(calls.direct)} direct + ${n(flow.batchesPerDay)} batches × (${newsText})`,
    ),
    figure(
      "checkpoints",
      checkpoints,
      "a shard and day",
      `max(${n(rowsPerShard)} rows / ${n(slots)}, ${n(eventsPerShard)} events × ${n(o["journal-bytes"])} / ${n(journalBytes)}) + ${n(WINDOWS_PER_DAY)} windows dropped + ${n(forRoom)} for room`,
    ),
    figure("pages_per_window", pages, "pages", `ceil(${n(sliceBytes)} / ${n(o["page-bytes"])})`),
    figure(
      "checkpoint_rows",
      checkpointRows,
      "rows/day",
      `${n(shards)} × ${n(checkpoints)} × (1 + ${n(slices)} windows changed × ${n(pages)})`,
    ),
    figure(
      "checkpoint_writes",
      (checkpoints * slices * sliceBytes) / DAY_S,
      "bytes/s a shard",
      `${n(checkpoints)} × ${n(slices)} × ${n(sliceBytes)} / ${n(DAY_S)} s`,
    ),
    figure("dropped_rows", droppedRows, "rows/day", `${n(shards)} × ${n(WINDOWS_PER_DAY)} × ${n(pages)} pages`),
    figure(
      "emissions",
      emissions,
      "a shard and day",
      latePerSecond === 0
        ? n(WINDOWS_PER_DAY)
        : `${n(WINDOWS_PER_DAY)} + ${n(DAY_S)} / (${n(o["correction-delay-s"])} s + 1 / ${n(latePerSecond)} late/s)`,
    ),
    figure(
      "emission_rows",
      emissionRows,
      "rows/day",
      `${n(shards)} × ${n(emissions)} × (1 alarm + ${n(Number(inVain.toFixed(3)))} that find nothing to send)`,
    ),
    figure(
      "rows_written",
      rowsPerDay,
      "rows/day",
      `${n(calls.journalRows)} + ${n(checkpointRows)} + ${n(droppedRows)} + ${n(emissionRows)}`,
    ),
    figure(
      "journal_recovery",
      (journalEvents * o["recovery-us"]) / 1e3,
      "ms at most",
      `min(${n(slots)} rows × ${n(eventsPerShard / rowsPerShard)} events, ${n(journalBytes)} / ${n(o["journal-bytes"])}) × ${n(o["recovery-us"])} / 1e3`,
    ),
  ];
  return { items, rowsPerDay, emissionsPerShard: emissions };
}

/**
 * Whether the recent windows and the one that has just ceased to be one are too many for memory: then its changes are written so that it can
 * be paged out, once a window. Otherwise it waits for the next checkpoint.
 */
function mustMakeRoom(o: CapacityOptions, load: Load, shards: number): boolean {
  return recentBytesOf(o, load, 1) / shards > RESIDENT_BYTES_MAX;
}
