import { DIRECT_TIMEOUT_MS } from "../../workers/ingest/limits.ts";
import { batchCallsText, type Calls, callsText, shardsPerPartition } from "./calls.ts";
import type { Flow } from "./flow.ts";
import { figuresOf, type Item, n, within } from "./item.ts";
import { DAY_S, type Load, WINDOWS_PER_DAY } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import { LIMITS } from "./platform.ts";
import { type Reaches, reachText } from "./reach.ts";
import { sliceBytesOf } from "./shard-size.ts";

/** `SHARD_CALLS_CONCURRENT_MAX` in workers/apply-to-shards.ts: connections that may wait for their headers. */
const CALLS_AT_A_TIME = 6;
/** `SHARD_TIMEOUT_MS` in workers/aggregate/raw-consumer.ts. */
const GROUP_TIMEOUT_MS = 30_000;
/** An alarm is set for what is due next, and again when something else is due sooner (workers/aggregate/shard.ts). */
const ALARM_ROWS_PER_EMISSION = 2;

export interface Counting {
  readonly items: readonly Item[];
  readonly rowsPerDay: number;
  readonly emissionsPerShard: number;
  /** Wall time of an invocation of the consumer that calls the shards. */
  readonly batchS: number;
}

/** What calls the shards: from where, with what, to how many. */
interface Callers {
  readonly load: Load;
  readonly flow: Flow;
  readonly reaches: Reaches;
  readonly shards: number;
  readonly calls: Calls;
}

/** Calls to the shards, the rows they write, and whether those who call have the time for it. */
export function countingOf(o: CapacityOptions, callers: Callers): Counting {
  const log = logItems(o, callers);
  const rows = rowItems(o, callers);
  return { ...rows, items: [...directItems(o, callers), ...log.items, ...rows.items], batchS: log.batchS };
}

function directItems(o: CapacityOptions, { load, reaches, shards, calls }: Callers): Item[] {
  const figure = figuresOf("counting");
  const mend = "fewer direct calls (--async-share): sources that need no receipt at once send Prefer: respond-async";
  const syncRequests = load.requestsPerDay * (1 - o["async-share"]);
  const waits = Math.ceil(calls.perRequest / CALLS_AT_A_TIME);
  const perRequest = figure("calls_per_request", calls.perRequest, "calls", callsText(reaches.request, shards));
  const items = [
    figure("direct_calls", calls.direct, "calls/day", `${n(syncRequests)} requests × ${n(calls.perRequest)}`),
  ];
  if (syncRequests === 0) return items;
  return [
    figure("merchants_per_request", reaches.request.merchants, "merchants", reachText(load.law, o.batch)),
    within(perRequest, LIMITS.subrequests.value, LIMITS.subrequests, mend),
    within(
      figure(
        "direct_wait",
        waits * o["call-ms"],
        "ms",
        `ceil(${n(calls.perRequest)} / ${n(CALLS_AT_A_TIME)}) × ${n(o["call-ms"])}`,
      ),
      DIRECT_TIMEOUT_MS,
      { of: "the direct call, then it is 202", source: "workers/ingest/limits.ts" },
      mend,
    ),
    ...items,
  ];
}

function logItems(
  o: CapacityOptions,
  { load, flow, reaches, shards, calls }: Callers,
): { items: Item[]; batchS: number } {
  const figure = figuresOf("counting");
  const objects = o.repartition ? 0 : flow.groups * o["archive-hours"];
  const archiveMs = o.repartition ? 0 : flow.groups * o["archive-ms"];
  const fullest = flow.fullGroups > 0 ? reaches.fullGroup : reaches.restGroup;
  const waitMs = (calls.perBatch / CALLS_AT_A_TIME) * o["call-ms"];
  const cpuS = (flow.eventsPerBatch * o["consumer-us"] + calls.perBatch * o["call-us"]) / 1e6;
  const batchS = (archiveMs + waitMs) / 1_000 + cpuS;
  const batchesPerSecond = (flow.batchesPerDay / DAY_S / flow.queues) * o.peak;
  const mend = "fewer shards for a queue (--partitions, best with --repartition)";
  const items = [
    figure("merchants_per_group", fullest.merchants, "merchants", reachText(load.law, fullest.events, flow.partitions)),
    figure(
      "calls_per_batch",
      calls.perBatch,
      "calls",
      batchCallsText(flow, reaches.fullGroup, reaches.restGroup, shardsPerPartition(flow, shards)),
    ),
    figure("log_calls", calls.fromLog, "calls/day", `${n(flow.batchesPerDay)} batches × ${n(calls.perBatch)}`),
    within(
      figure(
        "subrequests_per_batch",
        calls.perBatch + objects,
        "subrequests",
        `${n(calls.perBatch)} calls + ${n(objects)} objects`,
      ),
      LIMITS.subrequests.value,
      LIMITS.subrequests,
      `${mend}, or a smaller batch (--consumer-batch)`,
    ),
    within(
      figure(
        "group_wait",
        Math.ceil(calls.perFullestGroup / CALLS_AT_A_TIME) * o["call-ms"],
        "ms",
        `ceil(${n(calls.perFullestGroup)} calls / ${n(CALLS_AT_A_TIME)}) × ${n(o["call-ms"])}`,
      ),
      GROUP_TIMEOUT_MS,
      { of: "the calls of a group", source: "workers/aggregate/raw-consumer.ts" },
      mend,
    ),
    within(
      figure(
        "batch_cpu",
        cpuS,
        "s",
        `(${n(flow.eventsPerBatch)} events × ${n(o["consumer-us"])} + ${n(calls.perBatch)} calls × ${n(o["call-us"])}) / 1e6`,
      ),
      LIMITS.invocationCpu.value,
      LIMITS.invocationCpu,
      "a smaller batch (--consumer-batch)",
    ),
    figure(
      "batch_wall",
      batchS,
      "s",
      `(${n(archiveMs)} ms + ${n(calls.perBatch)} / ${n(CALLS_AT_A_TIME)} × ${n(o["call-ms"])}) / 1e3 + ${n(cpuS)}`,
    ),
    within(
      figure(
        "consumers_peak",
        batchesPerSecond * batchS,
        "invocations a queue",
        `${n(flow.batchesPerDay)} / ${n(DAY_S)} s / ${n(flow.queues)} queues × ${n(o.peak)} × ${n(batchS)} s`,
      ),
      LIMITS.queueConsumers.value,
      LIMITS.queueConsumers,
      `${mend}, or more queues (--raw-queues)`,
    ),
    within(
      figure(
        "calls_per_shard_peak",
        calls.perSecondPeak,
        "calls/s",
        `((${n(calls.direct)} + ${n(calls.fromLog)}) / ${n(DAY_S)} + ${n(calls.readsPerSecond)} reads/s) × ${n(o.peak)} / ${n(shards)}`,
      ),
      LIMITS.objectRequests.value,
      LIMITS.objectRequests,
      "more shards (--shards), fewer direct calls (--async-share), or fewer, larger requests (--batch)",
    ),
  ];
  return { items, batchS };
}

interface Rows {
  readonly items: readonly Item[];
  readonly rowsPerDay: number;
  readonly emissionsPerShard: number;
}

function rowItems(o: CapacityOptions, { load, flow, reaches, shards, calls }: Callers): Rows {
  const figure = figuresOf("counting");
  const slots = o["journal-slots"] - 1;
  const journalBytes = o["journal-mb"] * 1e6;
  const eventsPerShard = o["events-per-day"] / shards;
  const rowsPerShard = calls.journalRows / shards;
  const full = Math.max(rowsPerShard / slots, (eventsPerShard * o["journal-bytes"]) / journalBytes);
  const checkpoints = full + WINDOWS_PER_DAY;
  const sliceBytes = sliceBytesOf(o, load, shards);
  const pages = Math.ceil(sliceBytes / o["page-bytes"]);
  const latePerCheckpoint = (eventsPerShard * o["late-share"]) / checkpoints / o["late-windows"];
  const slices = 1 + o["late-windows"] * -Math.expm1(-latePerCheckpoint);
  const checkpointRows = shards * checkpoints * (1 + slices * pages);
  const droppedRows = shards * WINDOWS_PER_DAY * (pages + 1);
  const latePerSecond = (eventsPerShard * o["late-share"]) / DAY_S / o["late-windows"];
  const corrections =
    latePerSecond === 0 ? 0 : (o["late-windows"] * DAY_S) / (o["correction-delay-s"] + 1 / latePerSecond);
  const emissions = WINDOWS_PER_DAY + corrections;
  const emissionRows = shards * emissions * (ALARM_ROWS_PER_EMISSION + 1);
  const rowsPerDay = calls.journalRows + checkpointRows + droppedRows + emissionRows;
  const journalEvents = Math.min((slots * eventsPerShard) / rowsPerShard, journalBytes / o["journal-bytes"]);
  const own = shardsPerPartition(flow, shards);
  const newsText = batchCallsText(flow, reaches.newInFullGroup, reaches.newInRestGroup, own);
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
      `max(${n(rowsPerShard)} rows / ${n(slots)}, ${n(eventsPerShard)} events × ${n(o["journal-bytes"])} / ${n(journalBytes)}) + ${n(WINDOWS_PER_DAY)}`,
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
    figure("dropped_rows", droppedRows, "rows/day", `${n(shards)} × ${n(WINDOWS_PER_DAY)} × (${n(pages)} + 1)`),
    figure(
      "emissions",
      emissions,
      "a shard and day",
      latePerSecond === 0
        ? n(WINDOWS_PER_DAY)
        : `${n(WINDOWS_PER_DAY)} + ${n(o["late-windows"])} × ${n(DAY_S)} / (${n(o["correction-delay-s"])} s + 1 / ${n(latePerSecond)} late/s)`,
    ),
    figure(
      "emission_rows",
      emissionRows,
      "rows/day",
      `${n(shards)} × ${n(emissions)} × (${n(ALARM_ROWS_PER_EMISSION)} alarms + 1)`,
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
