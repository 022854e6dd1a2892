import type { Calls } from "./calls.ts";
import type { Counting } from "./counting.ts";
import type { Flow } from "./flow.ts";
import type { History } from "./history.ts";
import { figuresOf, type Item, n } from "./item.ts";
import { DAY_S, type Load } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import { DAYS_PER_MONTH, OBJECT_BILLED_GB, PRICES, type Price } from "./platform.ts";
import type { Reads } from "./reads.ts";
import { storedBytes } from "./shard-size.ts";
import type { Upkeep } from "./upkeep.ts";

/** A late window is inserted with its key's index and the one by when it is due, and taken out again. */
const LATE_WINDOW_ROWS = 6;

export interface Bill {
  readonly items: readonly Item[];
  readonly usdPerDay: number;
  readonly usdPerBillionEvents: number;
}

export interface Parts {
  readonly load: Load;
  readonly log: Flow;
  /** The second hop of a repartitioned log. */
  readonly partition: Flow | undefined;
  readonly shards: number;
  readonly calls: Calls;
  readonly counting: Counting;
  readonly history: History;
  readonly upkeep: Upkeep;
  readonly reads: Reads;
}

/** Dollars a day at list prices, but for ClickHouse and what the archive has gathered, which are no matter of this day's events. */
export function billOf(o: CapacityOptions, parts: Parts): Bill {
  const { load, log, partition, shards, calls, counting, history, upkeep, reads } = parts;
  const figure = figuresOf("bill");
  const batches = log.batchesPerDay + (partition?.batchesPerDay ?? 0);
  const events = o["events-per-day"];
  const consumed = events * (partition === undefined ? 1 : 2);
  const cpuMs =
    (events * o["ingest-us"] +
      consumed * o["consumer-us"] +
      (calls.direct + calls.fromLog) * o["call-us"] +
      history.rowsPerDay * o["window-us"]) /
    1e3;
  const emissions = shards * counting.emissionsPerShard;
  const shardCalls = calls.direct + calls.fromLog + emissions + history.confirmsPerDay;
  const callsPerShardSecond = (shardCalls + reads.shardCallsPerDay) / DAY_S / shards;
  const active = -Math.expm1((-callsPerShardSecond * o["call-ms"]) / 1e3);
  const stored = storedBytes(o, load, shards) / 1e9;
  const lateRows = events * o["past-horizon-share"] * LATE_WINDOW_ROWS;
  const archived = (events * o["gzip-bytes"]) / 1e9;
  const kept = archived * o["retention-days"];
  const forReads = [
    paid("usd_read_requests", PRICES.workerRequests, reads.perDay, `${n(reads.perDay)} reads`),
    paid(
      "usd_read_cpu",
      PRICES.workerCpu,
      (reads.perDay * o["read-us"]) / 1e3,
      `${n(reads.perDay)} reads × ${n(o["read-us"])} / 1e3`,
    ),
    paid("usd_read_calls", PRICES.objectRequests, reads.shardCallsPerDay, `${n(reads.shardCallsPerDay)} calls`),
    paid(
      "usd_read_directory",
      PRICES.d1RowsRead,
      reads.directoryQueriesPerDay,
      `${n(reads.directoryQueriesPerDay)} queries of a row`,
    ),
  ];
  const forEvents = [
    paid(
      "usd_worker_requests",
      PRICES.workerRequests,
      load.requestsPerDay + batches + history.batchesPerDay,
      `(${n(load.requestsPerDay)} requests + ${n(batches)} batches + ${n(history.batchesPerDay)} of windows)`,
    ),
    paid(
      "usd_worker_cpu",
      PRICES.workerCpu,
      cpuMs,
      `(${n(events)} × ${n(o["ingest-us"])} + ${n(consumed)} × ${n(o["consumer-us"])} + ${n(calls.direct + calls.fromLog)} calls × ${n(o["call-us"])} + ${n(history.rowsPerDay)} windows × ${n(o["window-us"])}) / 1e3`,
    ),
    paid(
      "usd_queues",
      PRICES.queueOperations,
      log.operationsPerDay + (partition?.operationsPerDay ?? 0) + history.operationsPerDay,
      `(${n(log.operationsPerDay)} + ${n(partition?.operationsPerDay ?? 0)} + ${n(history.operationsPerDay)} of windows)`,
    ),
    paid(
      "usd_archive_writes",
      PRICES.r2Writes,
      upkeep.objectsPerDay,
      `${n(log.batchesPerDay)} batches × ${n(log.groups)} × ${n(o["archive-hours"])} objects`,
    ),
    paid(
      "usd_shard_calls",
      PRICES.objectRequests,
      shardCalls,
      `(${n(calls.direct)} direct + ${n(calls.fromLog)} of the log + ${n(emissions)} alarms + ${n(history.confirmsPerDay)})`,
    ),
    paid("usd_shard_rows", PRICES.objectRowsWritten, counting.rowsPerDay, `${n(counting.rowsPerDay)} rows`),
    paid(
      "usd_shard_duration",
      PRICES.objectDuration,
      shards * active * DAY_S * OBJECT_BILLED_GB,
      `${n(shards)} × (1 − exp(−${n(callsPerShardSecond)} calls/s × ${n(o["call-ms"])} / 1e3)) × ${n(DAY_S)} s × ${n(OBJECT_BILLED_GB)} GB`,
    ),
    paid(
      "usd_shard_storage",
      PRICES.objectStorage,
      stored / DAYS_PER_MONTH,
      `${n(stored)} GB / ${n(DAYS_PER_MONTH)} days`,
    ),
    paid("usd_upkeep_reads", PRICES.r2Reads, upkeep.r2ReadsPerDay, `${n(upkeep.r2ReadsPerDay)} reads`),
    paid("usd_upkeep_writes", PRICES.r2Writes, upkeep.r2WritesPerDay, `${n(upkeep.r2WritesPerDay)} writes`),
    paid(
      "usd_replayer_duration",
      PRICES.objectDuration,
      upkeep.replayerSecondsPerDay * OBJECT_BILLED_GB,
      `${n(upkeep.replayerSecondsPerDay)} s × ${n(OBJECT_BILLED_GB)} GB`,
    ),
    paid(
      "usd_late_windows",
      PRICES.d1RowsWritten,
      lateRows,
      `${n(events)} × ${n(o["past-horizon-share"])} × ${n(LATE_WINDOW_ROWS)}`,
    ),
  ];
  const eventsUsd = sumOf(forEvents);
  const readsUsd = sumOf(forReads);
  const items = [
    ...forEvents,
    figure("usd_of_events", eventsUsd, "$/day", forEvents.map(({ value }) => n(value)).join(" + ")),
    ...forReads,
    figure("usd_of_reads", readsUsd, "$/day", forReads.map(({ value }) => n(value)).join(" + ")),
    figure("usd_per_day", eventsUsd + readsUsd, "$/day", `${n(eventsUsd)} + ${n(readsUsd)}`),
    figure("usd_per_billion_events", eventsUsd / (events / 1e9), "$", `${n(eventsUsd)} / ${n(events / 1e9)}`),
    figure("archive_bytes", archived * 1e9, "bytes/day", `${n(events)} × ${n(o["gzip-bytes"])}`),
    paid(
      "usd_archive_kept",
      PRICES.r2Storage,
      kept / DAYS_PER_MONTH,
      `${n(archived)} GB × ${n(o["retention-days"])} days kept / ${n(DAYS_PER_MONTH)} days`,
      "$/day once full",
    ),
  ];
  return { items, usdPerDay: eventsUsd + readsUsd, usdPerBillionEvents: eventsUsd / (events / 1e9) };
}

function paid(name: string, { usd, per }: Price, amount: number, text: string, unit = "$/day"): Item {
  const price = per === 1 ? `$${n(usd)}` : `$${n(usd)} / ${n(per)}`;
  return figuresOf("bill")(name, (amount * usd) / per, unit, `${text} × ${price}`);
}

const sumOf = (items: readonly Item[]) => items.reduce((sum, { value }) => sum + value, 0);
