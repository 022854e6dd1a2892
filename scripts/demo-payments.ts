import { demoAmount, demoPartOf, inPoints } from "./demo-amounts.ts";
import type { DemoMerchant } from "./demo-merchants.ts";
import type { MinuteRate } from "./demo-rates.ts";
import { demoUser } from "./demo-users.ts";
import type { PaymentEventInput, UserInput } from "./event-input.ts";
import { integerBetween, pickByWeight, poisson, type Random, randomId, seededRandom } from "./seeded-random.ts";

const MINUTE_MS = 60_000;
const REFUND_SHARE = 0.03;
const REPEAT_SHARE = 0.01;
const LATE_SHARE = 0.006;
const POINTS_USED_SHARE = 0.08;

/** Deliveries for each payment on average: what divides a rate of events into a rate of payments. */
export const DELIVERIES_PER_PAYMENT = 1 + REFUND_SHARE + REPEAT_SHARE;

/** A payment, and what was decided about it when it was made. */
export type DemoPayment = {
  /** Made when asked for: most of the payments looked at are not sent in the minute in question. */
  event: () => PaymentEventInput;
  /** Sent after one of the merchant's `delays` instead of at once. */
  late?: LateDelay;
  refunded?: RefundDelay;
  /** Sent once more, the same event, later in the same minute. */
  isRepeated: boolean;
};

type LateDelay = "breath" | "tunnel" | "outage";
type RefundDelay = "at_once" | "next_day";

/**
 * Minutes from a payment's minute to that in which it arrives late, or is refunded. They are fixed for a merchant so that one
 * can tell from a minute alone which earlier minutes reach into it: no state, and yet no payment is refunded twice.
 */
export type MerchantDelays = { late: Record<LateDelay, number>; refund: Record<RefundDelay, number> };

export function merchantDelays(seed: string, { merchant_id }: DemoMerchant): MerchantDelays {
  const random = seededRandom(seed, merchant_id, "delays");
  return {
    late: {
      breath: integerBetween(random, 2, 4),
      tunnel: integerBetween(random, 5, 10),
      outage: integerBetween(random, 11, 19),
    },
    refund: { at_once: integerBetween(random, 3, 20), next_day: 24 * 60 + integerBetween(random, -90, 90) },
  };
}

/** The payments a merchant takes in the minute that starts at `minuteMs`, in no order. The same arguments give the same payments. */
export function paymentsInMinute(
  seed: string,
  merchant: DemoMerchant,
  minuteMs: number,
  rate: MinuteRate,
): DemoPayment[] {
  const mean = rate(merchant, minuteMs);
  if (mean === 0) return [];
  const random = seededRandom(seed, merchant.merchant_id, minuteMs);
  const count = poisson(random, mean);
  return Array.from({ length: count }, (_, ordinal) => ({
    event: () => paymentEvent(seed, merchant, minuteMs, ordinal),
    ...(random() < LATE_SHARE ? { late: pickByWeight(random, { breath: 5, tunnel: 3, outage: 2 }) } : {}),
    ...(random() < REFUND_SHARE ? { refunded: pickByWeight(random, { at_once: 7, next_day: 3 }) } : {}),
    isRepeated: random() < REPEAT_SHARE,
  }));
}

function paymentEvent(seed: string, merchant: DemoMerchant, minuteMs: number, ordinal: number): PaymentEventInput {
  const random = seededRandom(seed, merchant.merchant_id, minuteMs, ordinal);
  const occurredAtMs = minuteMs + Math.floor(random() * MINUTE_MS);
  const amount = demoAmount(random, merchant);
  const user = demoUser(random, seed, merchant, occurredAtMs);
  return {
    event_id: randomId(random, 22),
    type: "payment",
    merchant_id: merchant.merchant_id,
    occurred_at: occurredAtMs,
    amount,
    currency: merchant.currency,
    payment_method: pickByWeight(random, METHODS[merchant.country] ?? OTHER_METHODS),
    ...points(random, merchant, user, amount),
    user,
    merchant: { grade: merchant.grade, location: merchant.location, business_type: merchant.kind },
    ...(user.device === "pos" ? { attributes: { till: String(integerBetween(random, 1, 3)) } } : {}),
  };
}

/** The refund of a payment, at some moment of the minute that starts at `minuteMs`: of all of it mostly, of a part sometimes. */
export function refundOf(seed: string, merchant: DemoMerchant, paid: PaymentEventInput, minuteMs: number): DemoPayment {
  const random = seededRandom(seed, paid.event_id, "refund");
  const { points_used: _used, points_earned: _earned, attributes: _till, ...same } = paid;
  const event: PaymentEventInput = {
    ...same,
    event_id: randomId(random, 22),
    type: "refund",
    occurred_at: minuteMs + Math.floor(random() * MINUTE_MS),
    amount: random() < 0.8 ? paid.amount : demoPartOf(random, paid.amount, merchant),
    refund_of: paid.event_id,
  };
  return { event: () => event, isRepeated: random() < REPEAT_SHARE };
}

type Method = "card" | "qr" | "wallet" | "bank_transfer" | "cash_voucher";

const OTHER_METHODS: Record<Method, number> = { card: 60, wallet: 28, bank_transfer: 6, qr: 3, cash_voucher: 3 };
const METHODS: Readonly<Record<string, Record<Method, number>>> = {
  JP: { qr: 44, card: 24, wallet: 20, cash_voucher: 8, bank_transfer: 4 },
  DE: { card: 55, wallet: 24, bank_transfer: 12, cash_voucher: 6, qr: 3 },
  IN: { qr: 67, card: 14, wallet: 12, bank_transfer: 5, cash_voucher: 2 },
};

/** Only who is known has points: what grade one has decides how many are earned on what was not paid with points. */
function points(
  random: Random,
  merchant: DemoMerchant,
  { grade }: UserInput,
  amount: number,
): Pick<PaymentEventInput, "points_used" | "points_earned"> {
  const usedShare = random() < POINTS_USED_SHARE ? 0.3 * random() : 0;
  if (grade === undefined) return {};
  const worth = inPoints(amount, merchant);
  const used = Math.floor(worth * usedShare);
  const perHundred = grade === "gold" ? 2 : grade === "silver" ? 1.5 : 1;
  return { points_used: used, points_earned: Math.floor(((worth - used) * perHundred) / 100) };
}
