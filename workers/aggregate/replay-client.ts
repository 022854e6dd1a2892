import { historyClient } from "../history-client.ts";
import type { Env } from "./env.ts";

const QUERY_TIMEOUT_MS = 300_000;
const PROGRESS_INTERVAL_MS = 20_000;
/** What a query may take of ClickHouse's memory; beyond a third of it rows are grouped and sorted on disk. */
const QUERY_MEMORY_BYTES_MAX = 2_000_000_000;
/** A pass is few rows that each cost much to count: by default ClickHouse takes a second core for a quarter of a million only. */
const ROWS_FOR_ANOTHER_CORE = 16_384;

export type ReplayClient = ReturnType<typeof historyClient>;

/** Calls ClickHouse with the patience that counting from the archive needs; `settings` are added to its own. */
export async function withReplayClient<T>(
  env: Env,
  work: (client: ReplayClient) => Promise<T>,
  settings: Parameters<typeof historyClient>[2] = {},
): Promise<T> {
  const client = historyClient(env, QUERY_TIMEOUT_MS, {
    // So that nothing in between takes a long silence for the end.
    send_progress_in_http_headers: 1,
    http_headers_progress_interval_ms: String(PROGRESS_INTERVAL_MS),
    // What was just loaded is what is counted, on replicas too.
    select_sequential_consistency: "1",
    // Sums are beyond what a number in JSON can be.
    output_format_json_quote_64bit_integers: 1,
    max_execution_time: QUERY_TIMEOUT_MS / 1000,
    // Otherwise what the bucket has not begun to answer within half a second is broken off and asked for again: it is paid twice, and comes later.
    s3_use_adaptive_timeouts: 0,
    merge_tree_min_rows_for_concurrent_read: String(ROWS_FOR_ANOTHER_CORE),
    merge_tree_min_bytes_for_concurrent_read: "1",
    max_memory_usage: String(QUERY_MEMORY_BYTES_MAX),
    max_bytes_before_external_group_by: String(Math.floor(QUERY_MEMORY_BYTES_MAX / 3)),
    max_bytes_before_external_sort: String(Math.floor(QUERY_MEMORY_BYTES_MAX / 3)),
    ...settings,
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** The rows of an answer. */
export async function rowsOf<Row>(
  client: ReplayClient,
  query: string,
  query_params: Readonly<Record<string, unknown>>,
): Promise<Row[]> {
  return await (await client.query({ query, query_params, format: "JSONEachRow" })).json<Row>();
}

/**
 * Runs an `INSERT … SELECT`. Not as a command of the client: that would put the parameters into the address, of which workerd takes 64 KB, and the
 * windows of a pass are more.
 */
export async function write(
  client: ReplayClient,
  query: string,
  query_params: Readonly<Record<string, unknown>>,
): Promise<void> {
  await (await client.query({ query, query_params, format: "JSONEachRow" })).text();
}
