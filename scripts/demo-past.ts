import type { DemoMerchant } from "./demo-merchants.ts";
import {
  DELIVERIES_PER_PAYMENT,
  type DemoPayment,
  merchantDelays,
  paymentsInMinute,
  refundOf,
} from "./demo-payments.ts";
import { minuteRates } from "./demo-rates.ts";
import type { PaymentEventInput } from "./event-input.ts";

const MINUTE_MS = 60_000;

export type DemoPastOptions = {
  /** All of the demo's merchants, which share the rate among them. */
  merchants: readonly DemoMerchant[];
  /** Those whose past it is. */
  merchantIds: ReadonlySet<string>;
  seed: string;
  /** Of all merchants, as for `demoSchedule`. */
  eventsPerSecond: number;
};

/**
 * Events of the demo by when they happened, for a past that is sent after the fact, where it does not matter when each was sent at the time.
 * They are those of `demoSchedule` to the letter, each once. `fromMs` and `toMs` are whole minutes; spans may be asked for in any order, and
 * are made fastest one after the other.
 */
export function demoPast(options: DemoPastOptions): (fromMs: number, toMs: number) => PaymentEventInput[] {
  const { merchants, merchantIds, seed, eventsPerSecond } = options;
  const rate = minuteRates(merchants, eventsPerSecond / DELIVERIES_PER_PAYMENT);
  const shops = merchants
    .filter(({ merchant_id }) => merchantIds.has(merchant_id))
    .map((merchant) => pastOf(seed, merchant, (minuteMs) => paymentsInMinute(seed, merchant, minuteMs, rate)));
  return (fromMs, toMs) => {
    const events: PaymentEventInput[] = [];
    for (let minuteMs = fromMs; minuteMs < toMs; minuteMs += MINUTE_MS) {
      for (const inMinute of shops) events.push(...inMinute(minuteMs));
    }
    return events;
  };
}

/** What happened at a merchant in a minute: its payments, and refunds of earlier ones, which are kept until they are due. */
function pastOf(
  seed: string,
  merchant: DemoMerchant,
  paidIn: (minuteMs: number) => DemoPayment[],
): (minuteMs: number) => PaymentEventInput[] {
  const { refund: delays } = merchantDelays(seed, merchant);
  const longestMs = Math.max(...Object.values(delays)) * MINUTE_MS;
  const due = new Map<number, DemoPayment[]>();
  let nextMs: number | undefined;
  const pay = (minuteMs: number) => {
    const payments = paidIn(minuteMs);
    for (const payment of payments) {
      if (payment.refunded === undefined) continue;
      const atMs = minuteMs + delays[payment.refunded] * MINUTE_MS;
      due.set(atMs, [...(due.get(atMs) ?? []), payment]);
    }
    return payments;
  };
  return (minuteMs) => {
    if (minuteMs !== nextMs) {
      due.clear();
      for (let beforeMs = minuteMs - longestMs; beforeMs < minuteMs; beforeMs += MINUTE_MS) pay(beforeMs);
    }
    nextMs = minuteMs + MINUTE_MS;
    const payments = pay(minuteMs).map(({ event }) => event());
    const refunds = (due.get(minuteMs) ?? []).map(({ event }) => refundOf(seed, merchant, event(), minuteMs).event());
    due.delete(minuteMs);
    return [...payments, ...refunds];
  };
}
