import type { DemoMerchant } from "./demo-merchants.ts";
import {
  DELIVERIES_PER_PAYMENT,
  type DemoPayment,
  type MerchantDelays,
  merchantDelays,
  paymentsInMinute,
  refundOf,
} from "./demo-payments.ts";
import { minuteRates } from "./demo-rates.ts";
import type { PaymentEventInput } from "./event-input.ts";
import { seededRandom } from "./seeded-random.ts";

const MINUTE_MS = 60_000;

export type DemoOptions = {
  merchants: readonly DemoMerchant[];
  seed: string;
  /** Of all merchants together, on average over a week; refunds and repeats are among them. */
  eventsPerSecond: number;
};

/** An event on its way: when it is sent is later than when it happened if it is late, and there are two of one sent twice. */
export type Delivery = { sentAtMs: number; event: PaymentEventInput };

/**
 * What the demo's shops send in `[fromMs, toMs)`, in the order of sending. A function of its arguments alone, and the sum of
 * its parts: from 9 to 11 is from 9 to 10 and then from 10 to 11, so a demo that restarts neither repeats nor skips anything.
 */
export function demoEvents(options: DemoOptions & { fromMs: number; toMs: number }): PaymentEventInput[] {
  return demoSchedule(options)(options.fromMs, options.toMs).map(({ event }) => event);
}

/** The same for many spans one after the other: keeps the rates, and the minute last asked for. */
export function demoSchedule(options: DemoOptions): (fromMs: number, toMs: number) => Delivery[] {
  const { merchants, seed, eventsPerSecond } = options;
  const rate = minuteRates(merchants, eventsPerSecond / DELIVERIES_PER_PAYMENT);
  const shops = merchants.map((merchant) => ({ merchant, delays: merchantDelays(seed, merchant) }));
  let kept: { minuteMs: number; deliveries: Delivery[] } | undefined;

  const inMinute = (minuteMs: number): Delivery[] => {
    if (kept?.minuteMs !== minuteMs) {
      const deliveries = shops.flatMap(({ merchant, delays }) => {
        const paidIn = (sourceMs: number) => paymentsInMinute(seed, merchant, sourceMs, rate);
        return deliveriesInMinute(seed, merchant, delays, minuteMs, paidIn);
      });
      kept = { minuteMs, deliveries: deliveries.sort(bySending) };
    }
    return kept.deliveries;
  };

  return (fromMs, toMs) => {
    const sent: Delivery[] = [];
    for (let minuteMs = fromMs - (fromMs % MINUTE_MS); minuteMs < toMs; minuteMs += MINUTE_MS) {
      for (const delivery of inMinute(minuteMs)) {
        if (delivery.sentAtMs >= fromMs && delivery.sentAtMs < toMs) sent.push(delivery);
      }
    }
    return sent;
  };
}

/** What a merchant sends in one minute: payments of that minute, late ones of earlier minutes, refunds of yet earlier ones. */
function deliveriesInMinute(
  seed: string,
  merchant: DemoMerchant,
  delays: MerchantDelays,
  minuteMs: number,
  paidIn: (minuteMs: number) => DemoPayment[],
): Delivery[] {
  const before = (minutes: number) => paidIn(minuteMs - minutes * MINUTE_MS);
  const now = paidIn(minuteMs).filter(({ late }) => late === undefined);
  const late = Object.entries(delays.late).flatMap(([delay, minutes]) =>
    before(minutes).filter((payment) => payment.late === delay),
  );
  const refunds = Object.entries(delays.refund).flatMap(([delay, minutes]) =>
    before(minutes)
      .filter(({ refunded }) => refunded === delay)
      .map(({ event }) => refundOf(seed, merchant, event(), minuteMs)),
  );
  return [...now, ...refunds, ...late].flatMap((payment) => sendings(seed, payment, minuteMs));
}

function sendings(seed: string, payment: DemoPayment, minuteMs: number): Delivery[] {
  const event = payment.event();
  const random = seededRandom(seed, event.event_id, "sending");
  const sentAtMs = event.occurred_at >= minuteMs ? event.occurred_at : minuteMs + Math.floor(random() * MINUTE_MS);
  if (!payment.isRepeated) return [{ sentAtMs, event }];
  const restMs = minuteMs + MINUTE_MS - sentAtMs;
  return [
    { sentAtMs, event },
    { sentAtMs: sentAtMs + Math.floor(random() * restMs), event },
  ];
}

function bySending(a: Delivery, b: Delivery): number {
  return a.sentAtMs - b.sentAtMs || (a.event.event_id < b.event.event_id ? -1 : 1);
}
