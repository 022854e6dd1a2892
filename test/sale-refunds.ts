import type { PaymentEventInput } from "../scripts/event-input.ts";
import { HOUR_MS, WINDOW_MS } from "../shared/window.ts";
import { payment } from "./system.ts";

type Span = Readonly<Record<"fromMs" | "toMs", number>>;

export interface Total {
  readonly count: number;
  readonly amount: number;
}

export const RETURNS = "returns";

/**
 * Requests of a shop that gives back: sales of days ago (`pastMs`) and of today (`recentMs`), refunded at `madeMs` and before, several times, before the sale was received, twice
 * with another amount or time, in another currency, of no sale, of one that nobody knows, of a neighbour's, and of a refund.
 */
export function returnsBy(moments: Readonly<Record<"pastMs" | "recentMs" | "madeMs", number>>): PaymentEventInput[][] {
  const { pastMs, recentMs, madeMs } = moments;
  const shop = { merchant_id: RETURNS, currency: "JPY" };
  const sale = (event_id: string, occurred_at: number, currency = "JPY") =>
    payment({ ...shop, event_id, amount: 1_000, occurred_at, currency });
  const refund = (amount: number, refund_of: string | undefined, over: Partial<PaymentEventInput> = {}) =>
    payment({
      ...{ ...shop, type: "refund", amount, occurred_at: madeMs },
      ...(refund_of === undefined ? {} : { refund_of }),
      ...over,
    });
  const first = refund(30, "today", { event_id: "twice" });
  return [
    [refund(10, "today"), refund(20, "days-ago")],
    [
      ...[sale("days-ago", pastMs + 7), sale("before", pastMs - 2 * HOUR_MS), sale("today", recentMs)],
      ...[sale("dollars", recentMs, "USD"), sale("later", recentMs + WINDOW_MS)],
      payment({ merchant_id: "neighbour", event_id: "of-a-neighbour", occurred_at: recentMs }),
    ],
    [
      ...[first, { ...first, amount: 31 }, refund(40, "days-ago"), refund(50, "before")],
      ...[refund(60, "days-ago", { occurred_at: pastMs + HOUR_MS }), refund(70, "later", { occurred_at: recentMs })],
      ...[refund(80, "dollars", { currency: "USD" }), refund(90, "dollars")],
      ...[refund(100, undefined), refund(110, "nowhere"), refund(120, "of-a-neighbour"), refund(130, "twice")],
    ],
    [{ ...first, amount: 32, occurred_at: madeMs - 2 * WINDOW_MS }],
  ];
}

/** Of one merchant's events, in the order of sending, those that count: the first of each id. */
export function firstOfEach(events: readonly PaymentEventInput[]): PaymentEventInput[] {
  const byId = new Map<string, PaymentEventInput>();
  for (const event of events) if (!byId.has(event.event_id)) byId.set(event.event_id, event);
  return [...byId.values()];
}

/** Refunds of the sales of a span, in the plainest words: what `refunds_by=sale` must come to. */
export function refundsOfSales(events: readonly PaymentEventInput[], currency: string, span: Span): Total {
  return totalOf(
    refundsIn(events, currency).filter(({ refund_of }) => {
      const sale = saleOf(events, refund_of);
      return sale !== undefined && isIn(sale, span);
    }),
  );
}

/** Refunds made since an hour before the span that are not of its sales: of others, and of none that they say. */
export function leftOut(events: readonly PaymentEventInput[], currency: string, span: Span) {
  const since = refundsIn(events, currency).filter(({ occurred_at }) => occurred_at >= span.fromMs - HOUR_MS);
  return {
    of_other_sales: totalOf(
      since.filter(({ refund_of }) => {
        const sale = saleOf(events, refund_of);
        return refund_of !== undefined && (sale === undefined || !isIn(sale, span));
      }),
    ),
    without_sale: totalOf(since.filter(({ refund_of }) => refund_of === undefined)),
    unread: { count: 0, amount: 0 },
  };
}

const refundsIn = (events: readonly PaymentEventInput[], currency: string) =>
  events.filter((event) => event.type === "refund" && event.currency === currency);

const saleOf = (events: readonly PaymentEventInput[], id: string | undefined) =>
  events.find((event) => event.type === "payment" && event.event_id === id);

const isIn = ({ occurred_at }: PaymentEventInput, { fromMs, toMs }: Span) =>
  occurred_at >= fromMs && occurred_at < toMs;

function totalOf(refunds: readonly PaymentEventInput[]): Total {
  return { count: refunds.length, amount: refunds.reduce((sum, { amount }) => sum + amount, 0) };
}
