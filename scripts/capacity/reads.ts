import { figuresOf, type Item, n, within } from "./item.ts";
import { DAY_S } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import { LIMITS } from "./platform.ts";

export interface Reads {
  readonly items: readonly Item[];
  readonly perDay: number;
  /** Reads that ask a shard, all that no cache answers. */
  readonly shardCallsPerDay: number;
  readonly directoryQueriesPerDay: number;
}

/** Reads of a key and of a merchant's zone and currency, when the isolate does not know them. */
const QUERIES_PER_UNKNOWN_KEY = 2;
/** Windows that wait to be rebuilt, asked for by each answer that is made anew. */
const QUERIES_PER_ANSWER = 1;

export function readsOf(o: CapacityOptions, shards: number): Reads {
  const figure = figuresOf("reads");
  const reads = o["reads-per-second"];
  const asked = reads * (1 - o["cache-hit"]);
  const history = asked * o["history-share"];
  const queries = reads * (1 - o["key-hit"]) * QUERIES_PER_UNKNOWN_KEY + asked * QUERIES_PER_ANSWER;
  const items = [
    figure("shard_reads", asked, "calls/s", `${n(reads)} × (1 − ${n(o["cache-hit"])})`),
    figure("reads_per_shard_peak", (asked * o.peak) / shards, "calls/s", `${n(asked)} × ${n(o.peak)} / ${n(shards)}`),
    figure("history_queries", history, "queries/s", `${n(asked)} × ${n(o["history-share"])}`),
    within(
      figure(
        "history_queries_at_a_time_peak",
        (history * o.peak * o["history-ms"]) / 1e3,
        "queries",
        `${n(history)} × ${n(o.peak)} × ${n(o["history-ms"])} / 1e3`,
      ),
      LIMITS.clickhouseQueries.value,
      LIMITS.clickhouseQueries,
      "more replicas, more answers from caches (--cache-hit), or faster queries (--history-ms)",
    ),
    within(
      figure(
        "directory_queries_peak",
        queries * o.peak,
        "queries/s",
        `(${n(reads)} × (1 − ${n(o["key-hit"])}) × ${n(QUERIES_PER_UNKNOWN_KEY)} + ${n(asked)} × ${n(QUERIES_PER_ANSWER)}) × ${n(o.peak)}`,
      ),
      LIMITS.d1Queries.value,
      LIMITS.d1Queries,
      "keys and merchants cached beyond the isolate, or keys that prove themselves by a signature (--key-hit); late windows asked for less " +
        "often; D1 read replicas",
    ),
    within(
      figure(
        "directory_size",
        o.merchants * o["directory-bytes"],
        "bytes",
        `${n(o.merchants)} merchants × ${n(o["directory-bytes"])}`,
      ),
      LIMITS.d1Size.value,
      LIMITS.d1Size,
      "several directories by hash of the merchant (to be built), or rows only for merchants that read (--merchants)",
    ),
  ];
  return {
    items,
    perDay: reads * DAY_S,
    shardCallsPerDay: asked * DAY_S,
    directoryQueriesPerDay: queries * DAY_S,
  };
}
