import type { ClickHouseClient } from "@clickhouse/client";
import type { R2Bucket } from "@cloudflare/workers-types";
import { archivedLines } from "../scripts/archived-lines.ts";
import { identityOf, type WindowTotals } from "../scripts/ledger.ts";
import { answered, type TestSystem } from "./system.ts";

/** A window as one of the places shows it, with the revision it has there. */
export interface ShownTotals extends WindowTotals {
  readonly revision: number;
}

interface Bucket {
  readonly start: string;
  readonly revision: number;
  readonly payments: { readonly count: number; readonly amount: number };
  readonly refunds: { readonly count: number; readonly amount: number };
}

interface Metrics {
  readonly series: readonly { readonly currency: string; readonly buckets: readonly Bucket[] }[];
}

/** What merchants are shown, window by window, those with nothing in them left out. Throws when a read fails. */
export async function totalsOfApi(
  tally: Pick<TestSystem, "read">,
  merchants: readonly string[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<ShownTotals[]> {
  const all: ShownTotals[] = [];
  for (const merchant of merchants) {
    const path = `/v1/merchants/${merchant}/metrics?from=${fromMs}&to=${toMs}&granularity=10m&tz=UTC`;
    const response = await answered(() => tally.read(path));
    if (!response.ok) throw new Error(`metrics of ${merchant}: ${response.status} ${await response.text()}`);
    const { series } = (await response.json()) as Metrics;
    for (const { currency, buckets } of series) {
      for (const { start, revision, payments, refunds } of buckets) {
        if (payments.count === 0 && refunds.count === 0) continue;
        const numbers = { payments: payments.count, paid: payments.amount, refunds: refunds.count };
        all.push({ merchant, currency, startMs: Date.parse(start), ...numbers, refunded: refunds.amount, revision });
      }
    }
  }
  return all;
}

/** What ClickHouse holds, each window as of its highest revision. */
export async function totalsOfHistory(sql: ClickHouseClient): Promise<ShownTotals[]> {
  const answer = await sql.query({
    query: `SELECT merchant_id, currency, toString(toUnixTimestamp(window_start)) AS start_s, toString(revision) AS revision,
              toString(payments_count) AS payments, toString(payments_amount) AS paid,
              toString(refunds_count) AS refunds, toString(refunds_amount) AS refunded
            FROM windows FINAL`,
    format: "JSONEachRow",
  });
  const rows = await answer.json<Record<string, string>>();
  return rows.map((row) => ({
    merchant: row.merchant_id ?? "",
    currency: row.currency ?? "",
    startMs: Number(row.start_s) * 1000,
    payments: Number(row.payments),
    paid: Number(row.paid),
    refunds: Number(row.refunds),
    refunded: Number(row.refunded),
    revision: Number(row.revision),
  }));
}

/** The identities of all events in the archive, however often they stand there. */
export async function archivedIdentities(archive: R2Bucket): Promise<Set<string>> {
  const identities = new Set<string>();
  for await (const line of archivedLines(archive)) {
    identities.add(identityOf(JSON.parse(line) as { merchant_id: string; event_id: string }));
  }
  return identities;
}
