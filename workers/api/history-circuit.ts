import type { ClickHouseClient } from "@clickhouse/client-web";
import { CircuitBreaker, PATIENCE } from "../circuit-breaker.ts";

/** Longer than any client of ours waits by itself: how long a statement may take is its own matter, as long as ClickHouse answers at all. */
const ANSWER_MS_MAX = 30_000;

/** This isolate's. */
const circuit = new CircuitBreaker("ClickHouse", { ...PATIENCE, answerMs: ANSWER_MS_MAX });

/** What a statement answers, read to its end. While ClickHouse hangs this throws `Unanswered`: at first within two seconds, then at once. */
export async function askPatiently<T>(client: ClickHouseClient, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return await circuit.call(ask, async (abort_signal) => {
    await (await client.query({ query: "SELECT 1", format: "TabSeparated", abort_signal })).text();
  });
}
