import type { PaymentEventInput } from "../scripts/event-input.ts";
import {
  integerBetween,
  logNormal,
  pick,
  pickByWeight,
  type Random,
  randomId,
  seededRandom,
} from "../scripts/seeded-random.ts";

/** Made-up payments with everything in them that Tally counts, some 420 bytes each as JSON, of merchants whose sizes follow a Zipf law. */
export interface LoadOptions {
  readonly seed: string;
  readonly merchants: number;
  /** Share of the events that repeat an earlier one exactly. */
  readonly repeats?: number;
}

/** How many events back a repeat may lie: senders repeat what they were not answered, soon after. */
const REPEATED_EVENTS_MAX = 20_000;
const USERS = 500_000;
const CURRENCY_WEIGHTS = { JPY: 80, USD: 10, EUR: 10 };
const MEDIAN_AMOUNT = { JPY: 1_450, USD: 1_290, EUR: 1_150 };
const TYPE_WEIGHTS = { payment: 97, refund: 3 };
const METHOD_WEIGHTS = { card: 45, wallet_balance: 25, points: 10, bank_transfer: 8, carrier_billing: 7, pay_later: 5 };
const GENDERS = ["female", "male", "other", "unknown"];
const AGE_BANDS = ["18-24", "25-34", "35-44", "45-54", "55-64", "65+"];
const GRADES = ["bronze", "silver", "gold", "platinum"];
const COUNTRIES = ["JP", "JP", "JP", "JP", "KR", "TW", "US", "TH"];
const DEVICES = ["ios", "android", "web"];
const LOCATIONS = ["Tokyo", "Osaka", "Nagoya", "Fukuoka", "Sapporo", "Yokohama", "Kyoto", "Sendai"];
const BUSINESS_TYPES = ["convenience_store", "restaurant", "apparel", "drugstore", "electronics"];

/** Answers the next event, which happens at `occurredAt`. Events of one seed are the same in every run, but for their times. */
export function paymentLoad({ seed, merchants, repeats = 0 }: LoadOptions): (occurredAt: number) => PaymentEventInput {
  const random = seededRandom("bench", seed);
  const merchantRank = zipf(random, merchants);
  const sent: PaymentEventInput[] = [];
  let count = 0;
  return (occurredAt) => {
    if (random() < repeats && sent.length > 0) return pick(random, sent);
    const event = payment(random, merchantRank(), occurredAt);
    if (repeats > 0) sent[count++ % REPEATED_EVENTS_MAX] = event;
    return event;
  };
}

function payment(random: Random, merchantRank: number, occurredAt: number): PaymentEventInput {
  const merchant = merchantOf(merchantRank);
  const type = pickByWeight(random, TYPE_WEIGHTS);
  const amount = Math.max(1, Math.round(logNormal(random, MEDIAN_AMOUNT[merchant.currency], 0.9)));
  return {
    event_id: randomId(random, 22),
    type,
    merchant_id: merchant.id,
    occurred_at: occurredAt,
    amount,
    currency: merchant.currency,
    payment_method: pickByWeight(random, METHOD_WEIGHTS),
    points_used: random() < 0.1 ? integerBetween(random, 1, 500) : 0,
    points_earned: Math.floor(amount / 100),
    ...(type === "refund" ? { refund_of: randomId(random, 22) } : {}),
    user: userOf(Math.floor(random() * USERS)),
    merchant: merchant.said,
  };
}

/** What is the same in every event of a merchant. */
function merchantOf(rank: number) {
  const random = seededCheaply(rank);
  return {
    id: `m_${randomId(random, 10)}`,
    currency: pickByWeight(random, CURRENCY_WEIGHTS),
    said: {
      grade: pick(random, GRADES),
      location: pick(random, LOCATIONS),
      business_type: pick(random, BUSINESS_TYPES),
    },
  };
}

/** What is the same in every event of a payer. */
function userOf(index: number) {
  const random = seededCheaply(USERS + index);
  return {
    id: uuidOf(random),
    grade: pick(random, GRADES),
    gender: pick(random, GENDERS),
    country: pick(random, COUNTRIES),
    device: pick(random, DEVICES),
    age_band: pick(random, AGE_BANDS),
  };
}

function uuidOf(random: Random): string {
  const hex = (digits: number) =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(6)}${hex(6)}`;
}

/** Ranks 0 to `size - 1`, of which the k-th comes 1/k as often as the first. */
function zipf(random: Random, size: number): () => number {
  const cumulative = new Float64Array(size);
  let total = 0;
  for (let rank = 0; rank < size; rank++) {
    total += 1 / (rank + 1);
    cumulative[rank] = total;
  }
  return () => {
    const wanted = random() * total;
    let from = 0;
    let to = size - 1;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((cumulative[middle] ?? 0) < wanted) from = middle + 1;
      else to = middle;
    }
    return from;
  };
}

/** Chance from one number, without the price of `seededRandom` at every event (splitmix32). */
function seededCheaply(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
