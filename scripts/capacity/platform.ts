/** What a thing costs: list prices in US dollars, without a plan's included amounts and without discounts. */
export interface Price {
  readonly usd: number;
  /** What that much is paid for. */
  readonly per: number;
  readonly unit: string;
  readonly source: string;
}

/** What must not be passed. */
export interface Limit {
  readonly value: number;
  readonly unit: string;
  readonly of: string;
  readonly source: string;
}

const WORKERS_PRICING = "developers.cloudflare.com/workers/platform/pricing";
const OBJECTS_PRICING = "developers.cloudflare.com/durable-objects/platform/pricing";
const QUEUES_PRICING = "developers.cloudflare.com/queues/platform/pricing";
const R2_PRICING = "developers.cloudflare.com/r2/pricing";
const D1_PRICING = "developers.cloudflare.com/d1/platform/pricing";

export const PRICES = {
  workerRequests: { usd: 0.3, per: 1e6, unit: "requests", source: WORKERS_PRICING },
  workerCpu: { usd: 0.02, per: 1e6, unit: "CPU-ms", source: WORKERS_PRICING },
  /** Each RPC call, each alarm. */
  objectRequests: { usd: 0.15, per: 1e6, unit: "requests", source: OBJECTS_PRICING },
  /** Deletes and `setAlarm` are rows written, too. */
  objectRowsWritten: { usd: 1, per: 1e6, unit: "rows", source: OBJECTS_PRICING },
  objectDuration: { usd: 12.5, per: 1e6, unit: "GB-s", source: OBJECTS_PRICING },
  objectStorage: { usd: 0.2, per: 1, unit: "GB-month", source: OBJECTS_PRICING },
  queueOperations: { usd: 0.4, per: 1e6, unit: "operations", source: QUEUES_PRICING },
  /** Class A. */
  r2Writes: { usd: 4.5, per: 1e6, unit: "writes", source: R2_PRICING },
  /** Class B. What is deleted costs nothing. */
  r2Reads: { usd: 0.36, per: 1e6, unit: "reads", source: R2_PRICING },
  r2Storage: { usd: 0.015, per: 1, unit: "GB-month", source: R2_PRICING },
  d1RowsRead: { usd: 0.001, per: 1e6, unit: "rows", source: D1_PRICING },
  d1RowsWritten: { usd: 1, per: 1e6, unit: "rows", source: D1_PRICING },
} as const satisfies Record<string, Price>;

const QUEUES_LIMITS = "developers.cloudflare.com/queues/platform/limits";
const OBJECTS_LIMITS = "developers.cloudflare.com/durable-objects/platform/limits";
const WORKERS_LIMITS = "developers.cloudflare.com/workers/platform/limits";
const D1_LIMITS = "developers.cloudflare.com/d1/platform/limits";

export const LIMITS = {
  objectRequests: { value: 1_000, unit: "calls/s", of: "a Durable Object (soft limit)", source: OBJECTS_LIMITS },
  objectMemory: { value: 128e6, unit: "bytes", of: "a Durable Object's isolate", source: WORKERS_LIMITS },
  objectStorage: { value: 10e9, unit: "bytes", of: "a Durable Object's storage", source: OBJECTS_LIMITS },
  queueMessage: { value: 128_000, unit: "bytes", of: "a queue message", source: QUEUES_LIMITS },
  queueMessages: { value: 5_000, unit: "messages/s", of: "a queue", source: QUEUES_LIMITS },
  queueBacklog: { value: 25e9, unit: "bytes", of: "a queue's backlog", source: QUEUES_LIMITS },
  queueConsumers: { value: 250, unit: "invocations", of: "a queue's consumers at a time", source: QUEUES_LIMITS },
  subrequests: { value: 10_000, unit: "subrequests", of: "an invocation", source: WORKERS_LIMITS },
  invocationCpu: { value: 30, unit: "s", of: "an invocation's CPU (default)", source: WORKERS_LIMITS },
  d1Queries: { value: 1_000, unit: "queries/s", of: "a D1 database, at 1 ms a query", source: D1_LIMITS },
  d1Size: { value: 10e9, unit: "bytes", of: "a D1 database", source: D1_LIMITS },
  clickhouseInserts: {
    value: 1,
    unit: "insert/s",
    of: "a ClickHouse table, by its own advice",
    source: "clickhouse.com/docs/optimize/bulk-inserts",
  },
  clickhouseQueries: {
    value: 1_000,
    unit: "queries",
    of: "a ClickHouse replica at a time",
    source: "clickhouse.com/docs/cloud/bestpractices/usage-limits",
  },
  replayer: {
    value: 86_400,
    unit: "seconds/day",
    of: "a Replayer, which does one thing after another",
    source: "workers/aggregate/replayer.ts",
  },
} as const satisfies Record<string, Limit>;

/** Billed by started pieces of this size. */
export const QUEUE_CHUNK_BYTES = 64_000;
/** Write, read, delete. */
export const QUEUE_OPERATIONS_PER_CHUNK = 3;
/** An object is billed for this much, whatever it uses. */
export const OBJECT_BILLED_GB = 0.128;
export const DAYS_PER_MONTH = 30.4;
