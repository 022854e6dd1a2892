import { type Cell, EMPTY_CELL } from "../../../shared/breakdown.ts";
import { err, ok, type Result } from "../../../shared/result.ts";
import type { Problem } from "../../http/problem.ts";
import type { BaseSpans } from "../base-spans.ts";
import type { Env } from "../env.ts";
import type { MetricsParameters } from "../parameters.ts";
import { type Completeness, type RangeReading, readRange } from "../read-range.ts";
import { boundsOf, SpanReports } from "../span-reports.ts";
import type { HistorySpan } from "../tiers.ts";
import { type DatedRefund, disjoint, NONE_UNDATED, type Undated, unreadRefunds } from "./date-refunds.ts";
import { isLongAgo, type RefundReading, readRefunds, salesLongAgo } from "./read-refunds.ts";

/** Of a currency, refunds that were made since the span began and are in none of its numbers. */
export interface LeftOut extends Undated {
  /** They are counted, and the archive does not have them yet, or cannot be read. */
  readonly unread: Cell;
}

/** What metrics by sale say of refunds beside the numbers: with it all refunds that were made since the span began, or its base, are accounted for. */
export interface MetricsRefunds extends Pick<RefundReading, "made" | "archivedThroughMs" | "stoppedMs" | "tooLargeMs"> {
  /** Of what is counted in `made`: where it is not all there, more may be unread. */
  readonly completeness: Completeness;
  readonly dated: readonly DatedRefund[];
  /** Currencies without any are absent. */
  readonly leftOut: ReadonlyMap<string, LeftOut>;
  /** Refunds that are counted in `made`, of all currencies asked for. */
  readonly counted: number;
  /** Payments that are counted, of all currencies asked for. */
  readonly salesCounted: number;
  /** Payments that are counted, and may be the sales of `ofOtherSales`: the archive does not have them yet, or cannot be read. */
  readonly salesUnread: number;
}

interface Asked {
  readonly merchantId: string;
  readonly parameters: MetricsParameters;
  /** What the span is compared with. */
  readonly spans: BaseSpans | undefined;
  /** Fires when whoever asked has left. */
  readonly signal: AbortSignal;
}

/**
 * Refunds of the sales of a span, and of its bases; `undefined` where refunds are dated by themselves. The archive is read first: what is counted afterwards has all
 * that was read, and more if the archive is behind. Throws as `readRange` does, and `SearchAbandoned`.
 */
export async function readMetricsRefunds(
  env: Env,
  { merchantId, parameters: { currencies, series, refundsBy }, spans, signal }: Asked,
  nowMs: number,
): Promise<Result<MetricsRefunds | undefined, Problem>> {
  if (refundsBy === "refund") return ok(undefined);
  const { fromMs, toMs } = series;
  if (isLongAgo(fromMs, nowMs)) return err(salesLongAgo("from"));
  const all = [{ fromMs, toMs }, ...(spans?.bases ?? []).filter((base) => base.fromMs < base.toMs)];
  if (all.some((one) => isLongAgo(one.fromMs, nowMs))) return err(salesLongAgo("compare"));
  const sales = { merchantId, currencies, spans: disjoint(all) };
  const archived = await readRefunds(env, sales, { nowMs, signal });
  if (!archived.ok) return archived;
  const { made } = archived.value;
  const boundsMs = boundsOf([made, ...sales.spans].flatMap(({ fromMs, toMs }) => [fromMs, toMs])).filter(
    (ms) => ms < made.toMs,
  );
  const query = { merchantId, ...made, boundsMs, currencies, takesPartial: true };
  const { currencies: counted, ...completeness } = await readRange(env, query, nowMs);
  return ok({ ...compared(archived.value, { counted, boundsMs, sales: sales.spans }), completeness });
}

interface Counted {
  readonly counted: RangeReading["currencies"];
  readonly boundsMs: readonly number[];
  readonly sales: readonly HistorySpan[];
}

function compared(
  archived: RefundReading,
  { counted, boundsMs, sales }: Counted,
): Omit<MetricsRefunds, "completeness"> {
  const { made, archivedThroughMs, stoppedMs, tooLargeMs, dated, undated, read, salesRead } = archived;
  const unread = unreadRefunds(counted, read);
  const leftOut = new Map<string, LeftOut>();
  for (const currency of new Set([...undated.keys(), ...unread.keys()])) {
    leftOut.set(currency, {
      ...(undated.get(currency) ?? NONE_UNDATED),
      unread: unread.get(currency) ?? EMPTY_CELL,
    });
  }
  let payments = 0;
  let refunds = 0;
  for (const reports of counted.values()) {
    for (const { report } of reports.values()) refunds += report.refunds_count;
    const within = new SpanReports(boundsMs, reports);
    for (const span of sales) payments += within.over(span).report.payments_count;
  }
  const salesUnread = salesRead === undefined ? 0 : Math.max(0, payments - salesRead);
  return {
    ...{ made, archivedThroughMs, stoppedMs, tooLargeMs, dated, leftOut, salesUnread },
    ...{ counted: refunds, salesCounted: payments },
  };
}

/** Whether something is counted that the archive may have soon. */
export function isUnread({ leftOut, salesUnread }: MetricsRefunds): boolean {
  return salesUnread > 0 || [...leftOut.values()].some(({ unread }) => unread.count > 0);
}
