import { OBJECT_GB, PRICES } from "./prices.ts";
import type { Counters } from "./workers/counters.ts";

export const BILLION = 1e9;
const DAY_S = 86_400;

/**
 * How long a call keeps its object active, if it is billed only while it is: the time to answer and to make a row durable in several
 * places. Locally it cannot be measured; a write confirmed within 10 ms is what the platform's makers report.
 */
export const ACTIVE_MS_PER_CALL = 10;

/** A line of the bill, for a billion events. */
export interface Item {
  readonly item: string;
  readonly quantity: number;
  readonly unit_usd: number;
  readonly usd: number;
}

export interface Bill {
  readonly items: readonly Item[];
  /** With every object in memory, and billed, all day. */
  readonly usd: number;
  /** With objects billed while they answer: idle and able to hibernate they cost nothing, says the page of prices. */
  readonly usd_active: number;
  /** Without object memory: what grows with the events. */
  readonly usd_variable: number;
}

export interface Usage {
  readonly counters: Counters;
  readonly cpuUs: number;
  readonly events: number;
  readonly shards: number;
}

/** Prices what `events` have used, scaled to a billion; memory is that of a day, in which a billion come. */
export function billOf({ counters, cpuUs, events, shards }: Usage): Bill {
  const line = (item: string, quantity: number, unit_usd: number): Item => ({
    item,
    quantity: (quantity / events) * BILLION,
    unit_usd,
    usd: (quantity / events) * BILLION * unit_usd,
  });
  const calls = counters.shard_calls + counters.shard_alarms;
  const { raw_writes, raw_reads, raw_deletes, windows_writes, windows_reads, windows_deletes } = counters;
  const variable = [
    line("Worker requests", counters.worker_requests, PRICES.worker_request),
    line("Worker requests: consumer batches", counters.consumer_batches, PRICES.worker_request),
    line("Worker CPU ms (all of workerd)", cpuUs / 1_000, PRICES.worker_cpu_ms),
    line("object requests: calls", counters.shard_calls, PRICES.object_request),
    line("object requests: alarms", counters.shard_alarms, PRICES.object_request),
    line("object rows written", counters.rows_written, PRICES.object_row_written),
    line("object rows written: setAlarm", counters.alarms_set, PRICES.object_row_written),
    line("object rows read", counters.rows_read, PRICES.object_row_read),
    line("queue operations: RAW", raw_writes + raw_reads + raw_deletes, PRICES.queue_operation),
    line("queue operations: WINDOWS", windows_writes + windows_reads + windows_deletes, PRICES.queue_operation),
    line("R2 class A", counters.archive_class_a, PRICES.bucket_class_a),
    line("R2 class B", counters.archive_class_b, PRICES.bucket_class_b),
    line("D1 rows written", counters.directory_rows_written, PRICES.database_row_written),
    line("D1 rows read", counters.directory_rows_read, PRICES.database_row_read),
  ];
  const memory = memoryItem("object memory GB-s, always on", shards * DAY_S);
  const active = memoryItem("(or only while active)", (calls / events) * BILLION * (ACTIVE_MS_PER_CALL / 1_000));
  const usd_variable = variable.reduce((sum, { usd }) => sum + usd, 0);
  return {
    items: [...variable, memory, active],
    usd: usd_variable + memory.usd,
    usd_active: usd_variable + active.usd,
    usd_variable,
  };
}

function memoryItem(item: string, objectSeconds: number): Item {
  const quantity = objectSeconds * OBJECT_GB;
  return { item, quantity, unit_usd: PRICES.object_gb_s, usd: quantity * PRICES.object_gb_s };
}
