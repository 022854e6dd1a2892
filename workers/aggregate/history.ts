import { ClickHouseError } from "@clickhouse/client-web";
import type { WindowRow } from "../../shared/window-row.ts";
import { type HistoryEnv, historyClient } from "../history-client.ts";

const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Writes windows in one block. Delivered twice, or in any order, the highest revision of a window stays: the table's engine sees to
 * that, so no de-duplication by token is needed.
 */
export async function insertWindows(env: HistoryEnv, rows: readonly WindowRow[]): Promise<void> {
  // An asynchronous insert may be acknowledged before it is durable; the block is large enough to go straight in.
  const client = historyClient(env, REQUEST_TIMEOUT_MS, { async_insert: 0 });
  try {
    await client.insert({ table: "windows", values: rows, format: "JSONEachRow" });
  } finally {
    await client.close();
  }
}

/** True when ClickHouse answered and refused the data itself, so that trying the same rows again cannot help. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ClickHouseError && DATA_ERRORS.has(Number(error.code));
}

/** ClickHouse's codes for input it cannot read: CANNOT_PARSE_*, ARGUMENT_OUT_OF_BOUND, INCORRECT_DATA, SIZES_OF_ARRAYS_DONT_MATCH. */
const DATA_ERRORS: ReadonlySet<number> = new Set([6, 26, 27, 38, 41, 53, 69, 70, 72, 117, 130, 131, 190, 321]);
