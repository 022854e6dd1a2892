/**
 * List prices in US dollars beyond what a plan includes, paid plans, as Cloudflare's pages of prices say (read November 2026):
 * https://developers.cloudflare.com/workers/platform/pricing/, …/durable-objects/platform/pricing/, …/queues/platform/pricing/,
 * …/r2/pricing/, …/d1/platform/pricing/.
 */
export const PRICES = {
  /** Inbound requests; batches given to a queue's consumer are taken for such. */
  worker_request: 0.3e-6,
  worker_cpu_ms: 0.02e-6,
  /** Each RPC call on a stub, and each alarm. */
  object_request: 0.15e-6,
  object_gb_s: 12.5e-6,
  /** Index rows, deletes and `setAlarm` count. */
  object_row_written: 1e-6,
  object_row_read: 0.001e-6,
  /** For each 64 KB of a message written, read or deleted. */
  queue_operation: 0.4e-6,
  bucket_class_a: 4.5e-6,
  bucket_class_b: 0.36e-6,
  database_row_written: 1e-6,
  database_row_read: 0.001e-6,
} as const;

/** What an object is billed for whatever it uses (Durable Objects, "Pricing", note 5). */
export const OBJECT_GB = 0.128;
