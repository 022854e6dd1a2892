import type { PaymentEventInput } from "../scripts/event-input.ts";
import { integerBetween, pick, pickByWeight, type Random, seededRandom } from "../scripts/seeded-random.ts";

const MINUTE_MS = 60_000;
const WINDOW_MS = 600_000;

/** One merchant has nine tenths of everything, as in the real shop's data; the last ones have hardly anything. */
const MERCHANTS = { "United-Kingdom": 900, Germany: 30, France: 30, EIRE: 20, Japan: 12, "Hong-Kong": 6, Malta: 2 };
const CURRENCIES: Readonly<Record<string, string>> = { Japan: "JPY", Germany: "EUR", France: "EUR" };
/** The share of rows that have it: a dimension is never always there, and never never. */
const TWIN_SHARE = 0.01;
const CUSTOMER_SHARE = 0.75;
const REFUND_SHARE = 0.02;
const ZERO_SHARE = 0.005;
const HUGE_SHARE = 0.0005;
const OTHER_CURRENCY_SHARE = 0.03;
const EDGE_SHARE = 0.02;
const FIELD_SHARE = 0.6;

/**
 * `count` rows of a made-up shop, hostile in the ways of the real one (see the README of the data set), as events in the order of
 * sending: invoices of many lines in the same minute, rows that equal another in everything but the id, missing customers, refunds
 * (few of them of a payment that is named), nothing paid, sums far out of line, one dominant merchant, merchants with two
 * currencies, moments on the very edges of windows, each optional field now there and now not. Ids never repeat.
 * All times are whole epoch milliseconds in `[fromMs, toMs)`, so that plain SQL reads the events as they are. Pure.
 */
export function shopEvents(options: {
  seed: string;
  count: number;
  fromMs: number;
  toMs: number;
}): PaymentEventInput[] {
  const { seed, count, fromMs, toMs } = options;
  const random = seededRandom(seed, "shop");
  const events: PaymentEventInput[] = [];
  // Everybody sells something, even those whose turn would hardly come.
  const merchants = Object.keys(MERCHANTS) as (keyof typeof MERCHANTS)[];
  while (events.length < count) {
    const invoice = newInvoice(random, merchants.shift() ?? pickByWeight(random, MERCHANTS), fromMs, toMs);
    const lines = Math.min(integerBetween(random, 1, 40), count - events.length);
    for (let line = 0; line < lines; line += 1) {
      const event_id = `${seed}:${events.length + 1}`.slice(-64);
      const previous = events.at(-1);
      const isTwin = previous !== undefined && line > 0 && random() < TWIN_SHARE;
      events.push(isTwin ? { ...previous, event_id } : { ...lineItem(random, invoice, events), event_id });
    }
  }
  return events;
}

type Invoice = Pick<PaymentEventInput, "merchant_id" | "currency" | "occurred_at" | "payment_method"> &
  Pick<PaymentEventInput, "user" | "merchant">;

/** What the lines of one invoice share. */
function newInvoice(random: Random, merchant_id: string, fromMs: number, toMs: number): Invoice {
  const own = CURRENCIES[merchant_id] ?? "GBP";
  const user = maybeUser(random);
  const merchant = maybeMerchant(random);
  return {
    merchant_id,
    currency: random() < OTHER_CURRENCY_SHARE ? "USD" : own,
    occurred_at: moment(random, fromMs, toMs),
    payment_method: pickByWeight(random, { card: 60, qr: 20, wallet: 12, bank_transfer: 5, "cash voucher": 3 }),
    ...(user && { user }),
    ...(merchant && { merchant }),
  };
}

/** Whole minutes, as tills write them, and now and then the first or the last millisecond of a ten-minute window. */
function moment(random: Random, fromMs: number, toMs: number): number {
  const anyMs = integerBetween(random, fromMs, toMs - 1);
  const edgeMs = anyMs - (anyMs % WINDOW_MS) + pick(random, [0, WINDOW_MS - 1]);
  const ms = random() < EDGE_SHARE ? edgeMs : anyMs - (anyMs % MINUTE_MS);
  return Math.min(toMs - 1, Math.max(fromMs, ms));
}

function lineItem(random: Random, invoice: Invoice, earlier: readonly PaymentEventInput[]): PaymentEventInput {
  const isRefund = random() < REFUND_SHARE;
  const paid = isRefund && earlier.length > 0 && random() < 0.3 ? pick(random, earlier) : undefined;
  const amount = lineAmount(random);
  return {
    ...invoice,
    event_id: "",
    type: isRefund ? "refund" : "payment",
    amount,
    ...(random() < FIELD_SHARE ? { points_used: random() < 0.1 ? Math.floor(amount / 20) : 0 } : {}),
    ...(random() < FIELD_SHARE ? { points_earned: Math.floor(amount / 100) } : {}),
    ...(paid && { refund_of: paid.event_id }),
    ...(random() < FIELD_SHARE ? { attributes: { stock_code: String(integerBetween(random, 10_000, 90_214)) } } : {}),
  };
}

/** Quantity times price in thousandths, like the real rows: mostly small and often the same. */
function lineAmount(random: Random): number {
  const dice = random();
  if (dice < ZERO_SHARE) return 0;
  if (dice < ZERO_SHARE + HUGE_SHARE) return 168_469_600;
  const quantity = pick(random, [1, 1, 1, 2, 3, 4, 6, 6, 8, 12, 12, 24, 48, 100]);
  return (
    quantity * pick(random, [1, 290, 420, 550, 850, 1_250, 1_450, 1_650, 2_100, 2_550, 2_950, 3_750, 4_950, 12_750])
  );
}

/** Somebody of few hundred, so that many come again, who tells now more and now less of themselves. */
function maybeUser(random: Random): PaymentEventInput["user"] {
  if (random() >= CUSTOMER_SHARE) return random() < 0.2 ? { device: "pos" } : undefined;
  const id = String(integerBetween(random, 12_346, 12_700));
  const device = pickByWeight(random, { ios: 45, android: 40, pos: 15 });
  return {
    id,
    ...(random() < FIELD_SHARE ? { grade: pickByWeight(random, { bronze: 6, silver: 3, gold: 1 }) } : {}),
    ...(random() < FIELD_SHARE ? { gender: pickByWeight(random, { female: 50, male: 45, other: 5 }) } : {}),
    ...(random() < FIELD_SHARE ? { country: pick(random, ["GB", "DE", "FR", "IE", "JP", "HK", "MT", "US"]) } : {}),
    ...(random() < FIELD_SHARE ? { device } : {}),
    ...(random() < FIELD_SHARE
      ? { age_band: pick(random, ["0-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+"]) }
      : {}),
  };
}

function maybeMerchant(random: Random): PaymentEventInput["merchant"] {
  if (random() >= FIELD_SHARE) return undefined;
  return {
    ...(random() < FIELD_SHARE ? { grade: pick(random, ["standard", "plus"]) } : {}),
    ...(random() < FIELD_SHARE
      ? { location: pick(random, ["London", "São Paulo", "Tokyo-Shibuya", "O'Connell St"]) }
      : {}),
    ...(random() < FIELD_SHARE ? { business_type: "gift shop" } : {}),
  };
}
