import type { Readable } from "node:stream";
import type { ClickHouseClient } from "@clickhouse/client";
import { DAY_MS } from "../shared/window.ts";

/** What plain SQL over the events themselves says of a merchant's window, nothing of Tally's own code involved. */
export interface TruthRow {
  readonly merchant_id: string;
  readonly currency: string;
  /** Epoch seconds. */
  readonly start: number;
  readonly payments: number;
  /** Sums as decimal strings: they may pass 2^53. */
  readonly payments_amount: string;
  readonly refunds: number;
  readonly refunds_amount: string;
}

const TRUTH_DATABASE = "tally_truth";
const TABLE = `${TRUTH_DATABASE}.events`;

/** Loads NDJSON events, `occurred_at` in epoch milliseconds, beside Tally's tables; answers how many lines that were. */
export async function loadTruth(sql: ClickHouseClient, ndjson: Readable): Promise<number> {
  await sql.command({ query: `CREATE DATABASE IF NOT EXISTS ${TRUTH_DATABASE}` });
  await sql.command({ query: `DROP TABLE IF EXISTS ${TABLE} SYNC` });
  await sql.command({
    query: `CREATE TABLE ${TABLE} (event_id String, type String, merchant_id String, occurred_at UInt64, amount UInt64, currency String)
            ENGINE = MergeTree ORDER BY (merchant_id, occurred_at)`,
  });
  // Not `insert`, which would have every line parsed here first.
  const { stream } = await sql.exec({
    query: `INSERT INTO ${TABLE} FORMAT JSONEachRow`,
    values: ndjson,
    clickhouse_settings: { input_format_skip_unknown_fields: 1, async_insert: 0 },
  });
  await stream.toArray();
  const answer = await sql.query({ query: `SELECT count() AS lines FROM ${TABLE}`, format: "JSONEachRow" });
  return Number((await answer.json<{ lines: string }>())[0]?.lines ?? 0);
}

/** One row a merchant, currency and ten-minute window, in order; of equal ids the first counts. */
export async function truth(sql: ClickHouseClient): Promise<TruthRow[]> {
  return await rows(
    sql,
    `SELECT merchant_id, currency, toUInt32(intDiv(occurred_at, 600000) * 600) AS start,
       countIf(type = 'payment') AS payments, toString(sumIf(amount, type = 'payment')) AS payments_amount,
       countIf(type = 'refund') AS refunds, toString(sumIf(amount, type = 'refund')) AS refunds_amount
     FROM (SELECT * FROM ${TABLE} LIMIT 1 BY merchant_id, event_id)
     GROUP BY merchant_id, currency, start ORDER BY merchant_id, currency, start`,
  );
}

/** What stands in Tally's history, in the same shape. */
export async function storedHistory(sql: ClickHouseClient): Promise<TruthRow[]> {
  return await rows(
    sql,
    `SELECT merchant_id, currency, toUInt32(window_start) AS start,
       payments_count AS payments, toString(payments_amount) AS payments_amount,
       refunds_count AS refunds, toString(refunds_amount) AS refunds_amount
     FROM tally.windows FINAL ORDER BY merchant_id, currency, start`,
  );
}

async function rows(sql: ClickHouseClient, query: string): Promise<TruthRow[]> {
  const answer = await sql.query({
    query,
    format: "JSONEachRow",
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  return await answer.json<TruthRow>();
}

interface MetricsAnswer {
  readonly series: readonly {
    readonly currency: string;
    readonly buckets: readonly {
      readonly start: string;
      readonly payments: { readonly count: number; readonly amount: number };
      readonly refunds: { readonly count: number; readonly amount: number };
    }[];
  }[];
}

/** As many windows as one answer shows. */
const ANSWER_MS = 15 * DAY_MS;

/** What the API answers for the given merchants in `[fromMs, toMs)`, windows without anything left out, in the same shape. `onAnswer` is told of each answer. */
export async function servedMetrics(
  read: (path: string) => Promise<Response>,
  merchants: readonly string[],
  fromMs: number,
  toMs: number,
  onAnswer: (merchants: number, share: number) => void = () => {},
): Promise<TruthRow[]> {
  const all: TruthRow[] = [];
  const answersOfOne = Math.ceil((toMs - fromMs) / ANSWER_MS);
  let answers = 0;
  for (const [at, merchant_id] of [...merchants].sort().entries()) {
    for (let ms = fromMs; ms < toMs; ms += ANSWER_MS) {
      all.push(...(await servedOf(read, merchant_id, ms, Math.min(ms + ANSWER_MS, toMs))));
      answers += 1;
      onAnswer(at + 1, answers / (answersOfOne * merchants.length));
    }
  }
  return all;
}

async function servedOf(
  read: (path: string) => Promise<Response>,
  merchant_id: string,
  fromMs: number,
  toMs: number,
): Promise<TruthRow[]> {
  const response = await read(`/v1/merchants/${merchant_id}/metrics?from=${fromMs}&to=${toMs}&granularity=10m&tz=UTC`);
  if (!response.ok) throw new Error(`${merchant_id}: ${response.status} ${await response.text()}`);
  const { series } = (await response.json()) as MetricsAnswer;
  return series.flatMap(({ currency, buckets }) =>
    buckets
      .filter(({ payments, refunds }) => payments.count + refunds.count > 0)
      .map(({ start, payments, refunds }) => ({
        merchant_id,
        currency,
        start: Date.parse(start) / 1000,
        payments: payments.count,
        payments_amount: String(payments.amount),
        refunds: refunds.count,
        refunds_amount: String(refunds.amount),
      })),
  );
}

/** The rows in which two lists differ, each as it stands in both. */
export function differences(expected: readonly TruthRow[], found: readonly TruthRow[]) {
  const key = ({ merchant_id, currency, start }: TruthRow) => `${merchant_id}/${currency}/${start}`;
  const byKey = new Map(found.map((row) => [key(row), row]));
  const wrong = expected.flatMap((row) => {
    const other = byKey.get(key(row));
    byKey.delete(key(row));
    return JSON.stringify(row) === JSON.stringify(other) ? [] : [{ expected: row, found: other }];
  });
  return [...wrong, ...[...byKey.values()].map((row) => ({ expected: undefined, found: row }))];
}
