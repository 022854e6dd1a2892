import type { ClickHouseClient } from "@clickhouse/client-web";
import { CircuitBreaker, PATIENCE, type Probe } from "../circuit-breaker.ts";

/** Longer than any client of ours waits by itself: how long a statement may take is its own matter, as long as ClickHouse answers at all. */
const ANSWER_MS_MAX = 30_000;

/** This isolate's. */
const circuit = new CircuitBreaker("ClickHouse", { ...PATIENCE, answerMs: ANSWER_MS_MAX });
/**
 * The same of searches of the archive, which keep ClickHouse busy themselves: that it is slow to answer beside one is no reason to ask it nothing else, and a search
 * has more time than a read of history.
 */
const searchCircuit = new CircuitBreaker("ClickHouse, of searches", {
  ...PATIENCE,
  ...{ confirmedMs: 4_000, triedMs: 1_000, answerMs: ANSWER_MS_MAX },
});

/** What a statement answers, read to its end. While ClickHouse hangs this throws `Unanswered`: at first within two seconds, then at once. */
export async function askPatiently<T>(client: ClickHouseClient, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return await circuit.call(ask, probeOf(client));
}

/** The same of a search of the archive: this throws within five seconds at first. */
export async function searchPatiently<T>(
  client: ClickHouseClient,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return await searchCircuit.call(ask, probeOf(client));
}

function probeOf(client: ClickHouseClient): Probe {
  return async (abort_signal) => {
    await (await client.query({ query: "SELECT 1", format: "TabSeparated", abort_signal })).text();
  };
}
