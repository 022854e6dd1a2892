import { type ClickHouseClient, ClickHouseError } from "@clickhouse/client-web";
import { z } from "zod";
import type { Report } from "../../shared/report.ts";
import { rolledUpDaysThrough } from "../../shared/window.ts";
import { historyClient } from "../history-client.ts";
import { askPatiently } from "./history-circuit.ts";
import { reportsSql, revisionsSql, staleSql } from "./history-sql.ts";
import { BeyondNumbers, mergedRow } from "./merged-row.ts";
import { type ReadHistoryEnv, refuseGone, windowsKeptFrom } from "./retention.ts";
import {
  type CheckedRollUp,
  cutIntoTiers,
  type HistorySpan,
  rolledUpSpans,
  type Stale,
  TIERS,
  type TierSpans,
  withoutStale,
} from "./tiers.ts";

const REQUEST_TIMEOUT_MS = 10_000;
/** One merchant's five years are some 260,000 windows; a query that needs more memory than this is not one of ours. */
const QUERY_MEMORY_BYTES_MAX = 2_000_000_000;

/** ClickHouse did not answer; whatever needs history cannot be told right now. */
export class HistoryUnavailable extends Error {}

/** A bucket of history: the merge of one currency's windows that start in it. */
export interface HistoryBucket {
  readonly currency: string;
  /** Start of the bucket, one of the bounds asked for. */
  readonly startMs: number;
  /** Highest revision of its windows. */
  readonly revision: number;
  /** Sum of the versions of the roll-ups in it. */
  readonly version: bigint;
  readonly report: Report;
}

export interface HistoryRange {
  readonly merchantId: string;
  /** What is asked for: not empty, ascending, disjoint, aligned to windows. One query answers all of them. */
  readonly spans: readonly HistorySpan[];
  /** Where buckets start, ascending; the first is at or before the first span. */
  readonly boundsMs: readonly number[];
  /** Empty for all. */
  readonly currencies: readonly string[];
}

/** TIMEOUT_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, NETWORK_ERROR, MEMORY_LIMIT_EXCEEDED, QUERY_WAS_CANCELLED. */
const OUTAGES: ReadonlySet<number> = new Set([159, 202, 210, 241, 394]);

/** Rows are lists, of what their statements select. */
const revisionsSchema = z.tuple([z.tuple([z.string().transform(BigInt)])]);
const staleSchema = z.array(z.tuple([z.enum(["days", "hours"]), z.int()]));

/** Of statements that answer sums of 2^53 or more. */
const AS_TEXT = { output_format_json_quote_64bit_integers: 1 } as const;
/** A row is a list on a line. */
export const HISTORY_FORMAT = "JSONCompactEachRow";

export const HISTORY_SETTINGS = {
  // Read in half the time that text takes. Casting only sums to text would take the query longer to plan than it saves.
  output_format_json_quote_64bit_integers: 0,
  // An error after the first rows has to be told from an answer.
  wait_end_of_query: 1,
  max_execution_time: REQUEST_TIMEOUT_MS / 1000,
  max_memory_usage: String(QUERY_MEMORY_BYTES_MAX),
  // Some of the many small reads of a query each wait for another thread otherwise, longer than they take.
  local_filesystem_read_method: "pread",
} as const;

/**
 * What history holds of some spans, in buckets; those without windows are absent. Made of roll-ups where they are exact and up to date, of windows
 * elsewhere: the answer is the windows' in any case. Throws `HistoryUnavailable`, and `WindowsGone` where only windows would do and they are
 * not kept any more.
 *
 * What the roll-ups say is asked at the same time as what the revisions of their windows come to. A roll-up's version is the sum of the revisions it has
 * seen, each of which only grows: if all versions together come to as much as the windows do, each is up to date. If not, the roll-ups are
 * looked at one by one, and the windows read in the place of those that are behind. A correction that comes meanwhile shows in the next
 * answer.
 */
export async function queryHistory(env: ReadHistoryEnv, range: HistoryRange, nowMs: number): Promise<HistoryBucket[]> {
  const cut = cutOf(env, range, nowMs);
  const asked = cutIntoTiers(range.spans, cut);
  refuseGone(asked.windows, cut.keptFromMs, nowMs);
  const client = historyClient(env, REQUEST_TIMEOUT_MS, HISTORY_SETTINGS);
  try {
    const check = revisionsStatement(range, asked, cut.keptFromMs);
    const [buckets, revisions] = await Promise.all([
      askReports(client, reportsStatement(range, asked, cut.keptFromMs)),
      check === undefined ? 0n : ask(client, check).then((rows) => revisionsSchema.parse(rows)[0][0]),
    ]);
    if (buckets.reduce((sum, { version }) => sum + version, 0n) === revisions) return buckets;
    const one = cutIntoTiers(range.spans, { ...cut, withMonths: false });
    const look = staleStatement(range, one, cut.keptFromMs);
    const stale = look === undefined ? NOTHING_STALE : staleOf(await ask(client, look));
    return await askReports(client, reportsStatement(range, withoutStale(one, stale), cut.keptFromMs));
  } finally {
    await client.close();
  }
}

/** How a range is cut into what is asked for first, in the hope that all of it is up to date. */
export function cutOf(env: ReadHistoryEnv, { boundsMs }: HistoryRange, nowMs: number) {
  const keptFromMs = windowsKeptFrom(env, nowMs);
  return { boundsMs, keptFromMs, rolledUpToMs: Math.max(rolledUpDaysThrough(nowMs), keptFromMs), withMonths: true };
}

export interface HistoryStatement {
  readonly query: string;
  readonly query_params: Record<string, unknown>;
}

/** Asks what the revisions of the windows come to that roll-ups are asked for; `undefined` when none are. */
export function revisionsStatement(
  { merchantId, currencies }: HistoryRange,
  tiers: TierSpans,
  keptFromMs: number,
): HistoryStatement | undefined {
  const spans = rolledUpSpans(tiers);
  if (spans.length === 0) return undefined;
  const query_params = {
    merchant: merchantId,
    currencies,
    kept_from: keptFromMs / 1000,
    checked_from: spans.map(({ fromMs }) => fromMs / 1000),
    checked_to: spans.map(({ toMs }) => toMs / 1000),
  };
  return { query: revisionsSql(whose(currencies), spans.length), query_params };
}

/** Asks for the roll-ups that may not be used; `undefined` when none would be. */
export function staleStatement(
  range: HistoryRange,
  tiers: TierSpans,
  keptFromMs: number,
): HistoryStatement | undefined {
  const query = staleSql(whose(range.currencies), tiers);
  if (query === undefined) return undefined;
  return { query, query_params: { ...parametersOf(range, tiers), kept_from: keptFromMs / 1000 } };
}

/** Asks for the reports, a row a currency and bucket. */
export function reportsStatement(range: HistoryRange, tiers: TierSpans, keptFromMs: number): HistoryStatement {
  const bounds = boundsWithin(range, range.boundsMs);
  return {
    query: reportsSql(whose(range.currencies), tiers),
    query_params: { ...parametersOf(range, tiers), bounds, kept_from: keptFromMs / 1000 },
  };
}

/** In seconds, those that a row of the range may be at: what is beyond, in another century perhaps, may be no time of ClickHouse's. */
export function boundsWithin({ spans }: HistoryRange, boundsMs: readonly number[]): number[] {
  const endMs = spans.at(-1)?.toMs ?? 0;
  return boundsMs.filter((ms) => ms < endMs).map((ms) => ms / 1000);
}

const whose = (currencies: readonly string[]) => ({ ofCurrencies: currencies.length > 0 });

export function parametersOf({ merchantId, currencies }: HistoryRange, tiers: TierSpans): Record<string, unknown> {
  const spans = TIERS.flatMap((tier) => [
    [`${tier}_from`, tiers[tier].map(({ fromMs }) => fromMs / 1000)],
    [`${tier}_to`, tiers[tier].map(({ toMs }) => toMs / 1000)],
  ]);
  return { merchant: merchantId, currencies, ...Object.fromEntries(spans) };
}

/** Asks twice where sums are beyond the numbers of JSON, which takes nine quadrillion yen. */
async function askReports(client: ClickHouseClient, statement: HistoryStatement): Promise<HistoryBucket[]> {
  const rows = await ask(client, statement);
  try {
    return rows.map(bucketOf);
  } catch (error) {
    if (!(error instanceof BeyondNumbers)) throw error;
    return (await ask(client, statement, AS_TEXT)).map(bucketOf);
  }
}

async function ask(
  client: ClickHouseClient,
  statement: HistoryStatement,
  clickhouse_settings: Partial<typeof AS_TEXT> = {},
): Promise<unknown[]> {
  try {
    return await askPatiently(client, async (abort_signal) => {
      const answer = await client.query({ ...statement, clickhouse_settings, format: HISTORY_FORMAT, abort_signal });
      return rowsIn(await answer.text());
    });
  } catch (cause) {
    throw outageOf(cause);
  }
}

/** The rows of an answer, from one text: taken apart by the client as it comes, some hundred rows took three times as long. */
export function rowsIn(answer: string): unknown[] {
  return answer
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** What to throw when a statement fails: what ClickHouse refuses is a bug of ours; only what it cannot do right now is an outage. */
export function outageOf(cause: unknown): unknown {
  if (cause instanceof ClickHouseError && !OUTAGES.has(Number(cause.code))) return cause;
  return new HistoryUnavailable("ClickHouse does not answer", { cause });
}

const NOTHING_STALE: Stale = { days: new Set(), hours: new Set() };

export function staleOf(rows: readonly unknown[]): Stale {
  const stale = staleSchema.parse(rows);
  const starts = (of: CheckedRollUp) => new Set(stale.filter(([tier]) => tier === of).map(([, start]) => start * 1000));
  return { days: starts("days"), hours: starts("hours") };
}

function bucketOf(raw: unknown): HistoryBucket {
  const { bucket, ...row } = mergedRow(raw);
  return { ...row, startMs: bucket * 1000 };
}
