import { type Cell, EMPTY_CELL } from "../../../shared/breakdown.ts";
import { EMPTY_REPORT } from "../../../shared/report.ts";
import { windowStart } from "../../../shared/window.ts";
import { type BucketReport, bucketOf, type RangeReading } from "../read-range.ts";
import type { HistorySpan } from "../tiers.ts";

/** A refund that counts; `refund_of` is the event id of its sale, empty where it says none. Moments are epoch milliseconds, the amount is in minor units. */
export interface Refund {
  readonly currency: string;
  readonly amount: number;
  readonly refund_of: string;
  readonly occurred_at: number;
  readonly received_at: number;
}

/** A payment that counts. */
export interface Sale {
  readonly event_id: string;
  readonly occurred_at: number;
  readonly received_at: number;
}

/** A refund at the moment of its sale. */
export interface DatedRefund {
  readonly currency: string;
  readonly amount: number;
  readonly saleMs: number;
  /** When it was received. */
  readonly receivedMs: number;
}

/** Refunds of a currency: together, and with those that are dated, they are all that were read. */
export interface Undated {
  /** They say a sale that is not among these. */
  readonly ofOtherSales: Cell;
  /** They say none. */
  readonly withoutSale: Cell;
}

export interface DatedRefunds {
  readonly dated: readonly DatedRefund[];
  readonly undated: ReadonlyMap<string, Undated>;
  /** All of a currency. */
  readonly read: ReadonlyMap<string, Cell>;
}

/**
 * Each refund at the moment of the sale that it says, whose currency may be another. Of an id that was counted twice, long after one another, the payment received
 * first is the sale.
 */
export function dateRefunds(refunds: Iterable<Refund>, sales: Iterable<Sale>): DatedRefunds {
  const byId = new Map<string, Sale>();
  for (const sale of sales) {
    const before = byId.get(sale.event_id);
    if (before === undefined || sale.received_at < before.received_at) byId.set(sale.event_id, sale);
  }
  const dated: DatedRefund[] = [];
  const undated = new Map<string, Undated>();
  const read = new Map<string, Cell>();
  for (const refund of refunds) {
    const { currency, amount, refund_of } = refund;
    const sale = byId.get(refund_of);
    read.set(currency, plus(read.get(currency), amount));
    const { ofOtherSales, withoutSale } = undated.get(currency) ?? NONE_UNDATED;
    if (refund_of === "") undated.set(currency, { ofOtherSales, withoutSale: plus(withoutSale, amount) });
    else if (sale === undefined) undated.set(currency, { ofOtherSales: plus(ofOtherSales, amount), withoutSale });
    else dated.push({ currency, amount, saleMs: sale.occurred_at, receivedMs: refund.received_at });
  }
  return { dated, undated, read };
}

export const NONE_UNDATED: Undated = { ofOtherSales: EMPTY_CELL, withoutSale: EMPTY_CELL };

function plus({ count, amount }: Cell = EMPTY_CELL, more: number): Cell {
  return { count: count + 1, amount: amount + BigInt(more) };
}

type Reports = RangeReading["currencies"];

/**
 * The same reports with the refunds of their sales in the place of those that were made meanwhile. Of the span, which ends where the last bucket does; a report's
 * revision is not before the last of its refunds was received, since that changed it.
 */
export function withSaleRefunds(
  reports: Reports,
  boundsMs: readonly number[],
  { fromMs, toMs }: HistorySpan,
  dated: Iterable<DatedRefund>,
): Reports {
  const changed = new Map<string, Map<number, BucketReport>>();
  for (const [currency, buckets] of reports) {
    changed.set(currency, new Map([...buckets].map(([startMs, bucket]) => [startMs, withoutRefunds(bucket)])));
  }
  for (const { currency, amount, saleMs, receivedMs } of dated) {
    if (saleMs < fromMs || saleMs >= toMs) continue;
    const buckets = changed.get(currency) ?? new Map<number, BucketReport>();
    changed.set(currency, buckets);
    const startMs = bucketOf(boundsMs, windowStart(saleMs));
    const { report, revision } = buckets.get(startMs) ?? { report: EMPTY_REPORT, revision: 0 };
    buckets.set(startMs, {
      report: {
        ...report,
        refunds_count: report.refunds_count + 1,
        refunds_amount: report.refunds_amount + BigInt(amount),
      },
      revision: Math.max(revision, receivedMs),
    });
  }
  return changed;
}

function withoutRefunds({ report, revision }: BucketReport): BucketReport {
  return { report: { ...report, refunds_count: 0, refunds_amount: 0n }, revision };
}

/**
 * Refunds that are counted and were not read, by currency; those of which there are none are absent. What was read and is not counted yet, because it came a day
 * late, makes none.
 */
export function unreadRefunds(counted: Reports, read: ReadonlyMap<string, Cell>): ReadonlyMap<string, Cell> {
  const unread = new Map<string, Cell>();
  for (const [currency, buckets] of counted) {
    let { count, amount } = negative(read.get(currency));
    for (const { report } of buckets.values()) {
      count += report.refunds_count;
      amount += report.refunds_amount;
    }
    if (count > 0) unread.set(currency, { count, amount });
  }
  return unread;
}

/** The same in disjoint spans, ascending. */
export function disjoint(spans: readonly HistorySpan[]): HistorySpan[] {
  const joined: HistorySpan[] = [];
  for (const span of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = joined.at(-1);
    if (last === undefined || last.toMs < span.fromMs) joined.push(span);
    else joined[joined.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, span.toMs) };
  }
  return joined;
}

function negative({ count, amount }: Cell = EMPTY_CELL): Cell {
  return { count: -count, amount: -amount };
}
