/** What the platform would bill, counted since the last reset. */
const counters = {
  /** Requests to ingest, and batches given to a queue's consumer. */
  worker_requests: 0,
  consumer_batches: 0,
  /** Calls of a shard by RPC, and its alarms. */
  shard_calls: 0,
  shard_alarms: 0,
  /** As the SQL cursors report them, index rows included. */
  rows_written: 0,
  rows_read: 0,
  alarms_set: 0,
  /** By 64 KB of each message. */
  raw_writes: 0,
  raw_reads: 0,
  raw_deletes: 0,
  windows_writes: 0,
  windows_reads: 0,
  windows_deletes: 0,
  raw_messages: 0,
  raw_bytes: 0,
  windows_messages: 0,
  windows_bytes: 0,
  archive_class_a: 0,
  archive_class_b: 0,
  archive_bytes: 0,
  directory_queries: 0,
  directory_rows_read: 0,
  directory_rows_written: 0,
  retries: 0,
};

export type Counters = typeof counters;

export function count(name: keyof Counters, by = 1): void {
  counters[name] += by;
}

/** Where they come from: calls of a shard by method, rows written by the beginning of the statement. */
const calls = new Map<string, number>();
const rows = new Map<string, number>();

export function countCall(method: string): void {
  count(method === "alarm" ? "shard_alarms" : "shard_calls");
  calls.set(method, (calls.get(method) ?? 0) + 1);
}

export function countRowsWritten(query: string, written: number): void {
  if (written === 0) return;
  count("rows_written", written);
  const statement = /^\s*(?:\w+ +){0,4}\w+/.exec(query)?.[0].trim() ?? query;
  rows.set(statement, (rows.get(statement) ?? 0) + written);
}

export function resetCounters(): void {
  for (const name of Object.keys(counters) as (keyof Counters)[]) counters[name] = 0;
  calls.clear();
  rows.clear();
}

/** What a Worker answers with. */
export interface CountersReading {
  readonly counters: Counters;
  readonly calls: Readonly<Record<string, number>>;
  readonly rows: Readonly<Record<string, number>>;
}

export function readCounters(): CountersReading {
  return { counters, calls: Object.fromEntries(calls), rows: Object.fromEntries(rows) };
}
