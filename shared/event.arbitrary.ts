import fc from "fast-check";
import type { PaymentEvent } from "./event.ts";
import { HOUR_MS } from "./window.ts";

/** Generated events, for property tests. */

const charsOf = (chars: string) => fc.constantFrom(...chars);
const idOf = (chars: string) => fc.string({ unit: charsOf(chars), minLength: 1, maxLength: 64 });

/** Ids, and among them the names of what every object has. */
export const merchantId = fc
  .oneof(idOf("ABCabc019._-"), fc.constantFrom("shop-1", "constructor", "__proto__", "..."))
  .filter((id) => id !== "." && id !== "..");
export const eventId = idOf("ABCabc019._:-");
export const amount = fc.oneof(fc.nat(10_000), fc.maxSafeNat(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER));

/** Up to `max` code points of any script, none of them a control character. */
export const text = (max: number) => {
  const any = fc.string({ unit: "binary", minLength: 1, maxLength: 1 }).filter((char) => !/\p{Cc}/u.test(char));
  const unit = fc.oneof(
    charsOf("aZ09 -~'\"\\<&é漢😀"),
    fc.constantFrom("\u{10ffff}", "\u200d", "\ufeff", "\u2028"),
    any,
  );
  return fc.string({ unit, minLength: 1, maxLength: max });
};
/** Mostly as in real life, in ASCII. */
const mostly = (usual: readonly string[], max: number) =>
  fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: text(max) });
const label = mostly(["gold", "female", "ios", "25-34", " ~"], 32);
const location = mostly(["Shibuya", "12 O'Connell St", "x".repeat(33)], 64);

/** Any moment of a hundred years, often the first or last of an hour or a window. */
export const momentMs = fc
  .tuple(fc.nat(876_000), fc.oneof(fc.constantFrom(0, 1, 599_999, 600_000, 3_599_999), fc.nat(3_599_999)))
  .map(([hour, ms]) => hour * HOUR_MS + ms);

const required = {
  event_id: eventId,
  type: fc.constantFrom("payment" as const, "refund" as const),
  merchant_id: merchantId,
  amount,
  currency: fc.constantFrom("JPY", "EUR", "USD", "KWD"),
  payment_method: label,
};
const REQUIRED = ["event_id", "type", "merchant_id", "amount", "currency", "payment_method"] as const;
const userLabels = {
  grade: label,
  gender: label,
  country: fc.constantFrom("JP", "GB", "XK"),
  device: label,
  age_band: label,
};
const merchantLabels = { grade: label, location, business_type: label };
/** 896 bytes at most. */
const attributes = fc.dictionary(mostly(["till", "toString", "7"], 4), mostly(["3", ""], 10), {
  maxKeys: 16,
  noNullPrototype: true,
});

/** Events as they leave ingest: normalised, payers as hashes. */
export const paymentEvent: fc.Arbitrary<PaymentEvent> = fc.record(
  {
    ...required,
    occurred_at: momentMs,
    points_used: amount,
    points_earned: amount,
    refund_of: eventId,
    user: fc.record(
      { id: fc.string({ unit: charsOf("0123456789abcdef"), minLength: 16, maxLength: 16 }), ...userLabels },
      { requiredKeys: [] },
    ),
    merchant: fc.record(merchantLabels, { requiredKeys: [] }),
    attributes,
  },
  { requiredKeys: [...REQUIRED, "occurred_at", "points_used", "points_earned"] },
);

const digits = (max: number, min = 0) => fc.integer({ min, max }).map((n) => String(n).padStart(2, "0"));
const rfc3339 = fc
  .tuple(fc.integer({ min: 1971, max: 2035 }), digits(12, 1), digits(28, 1), digits(23), digits(59), digits(60))
  .chain(([year, month, day, hour, minute, second]) =>
    fc
      .constantFrom("Z", ".5Z", "+09:00", "-03:30")
      .map((rest) => `${year}-${month}-${day}T${hour}:${minute}:${second}${rest}`),
  );

/** What a source marks as personal, or invents; nothing of it may ever be kept. */
export const MARK = "Miyazaki";
const marked = fc.constantFrom(MARK, `${MARK}@example.com`, { deep: [MARK] });
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 4 });
const nullable = <T extends Record<string, fc.Arbitrary<unknown>>>(shape: T) =>
  Object.fromEntries(Object.entries(shape).map(([key, arbitrary]) => [key, orNull(arbitrary)]));

/** Acceptable events as sources send them: times in either form, null for what is absent, personal and unknown fields in all places. */
export const sentEvent: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    ...required,
    occurred_at: fc.oneof(momentMs, rfc3339),
    ...nullable({ points_used: amount, points_earned: amount, refund_of: eventId, attributes }),
    user: orNull(
      fc.record(
        {
          ...nullable({
            id: mostly(["42", "u-1"], 128),
            ...userLabels,
            date_of_birth: fc.constantFrom("1940-02-29", "1969-12-31"),
          }),
          ...{ email: marked, name: marked, phone: marked, [MARK]: marked },
        },
        { requiredKeys: [] },
      ),
    ),
    merchant: orNull(fc.record({ ...nullable(merchantLabels), owner: marked }, { requiredKeys: [] })),
    card_number: marked,
    [MARK]: marked,
  },
  { requiredKeys: [...REQUIRED, "occurred_at"] },
);
