import { z } from "zod";
import { ageBand } from "./age-band.ts";
import { isCountry, isCurrency } from "./iso-codes.ts";
import { PATH_ID_PATTERN, PATH_ID_RULE } from "./path-id.ts";
import { parseRfc3339 } from "./rfc3339.ts";

export const EVENT_ID_PATTERN = /^[A-Za-z0-9._:-]{1,64}$/;
export const MERCHANT_ID_PATTERN = PATH_ID_PATTERN;
export const ATTRIBUTES_MAX = 16;
export const ATTRIBUTES_BYTES_MAX = 1024;

/**
 * Free text of up to `max` characters (code points), without control characters and lone surrogates. Labels are limited in bytes,
 * too: a window names up to 128 values in each of seven dimensions, and its row must fit a queue message.
 */
const textPattern = (max: number) => new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${max}}$`, "u");
const PAYMENT_METHOD = textPattern(32);
const LABEL = textPattern(32);
const LOCATION = textPattern(64);
const USER_ID = textPattern(128);
export const LABEL_BYTES_MAX = 64;
export const LOCATION_BYTES_MAX = 128;

export type EventType = "payment" | "refund";

/** What of a payer is kept. `id` is whatever the source sent until ingest replaces it with its keyed hash. */
export interface EventUser {
  readonly id?: string | undefined;
  readonly grade?: string | undefined;
  readonly gender?: string | undefined;
  readonly country?: string | undefined;
  readonly device?: string | undefined;
  readonly age_band?: string | undefined;
}

export interface EventMerchant {
  readonly grade?: string | undefined;
  readonly location?: string | undefined;
  readonly business_type?: string | undefined;
}

/** One payment or refund, normalised: times in epoch milliseconds, money in integer minor units, nothing personal. */
export interface PaymentEvent {
  readonly event_id: string;
  readonly type: EventType;
  readonly merchant_id: string;
  readonly occurred_at: number;
  readonly amount: number;
  readonly currency: string;
  readonly payment_method: string;
  readonly points_used: number;
  readonly points_earned: number;
  readonly refund_of?: string | undefined;
  readonly user?: EventUser | undefined;
  readonly merchant?: EventMerchant | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

const eventId = z.string().regex(EVENT_ID_PATTERN, "1 to 64 of A-Z a-z 0-9 . _ : -");
/** Turns the -0 that JSON can spell into 0. */
const withoutMinusZero = (n: number) => n + 0;
const minorUnits = z.int("an integer in minor units, 0 to 9007199254740991").min(0).transform(withoutMinusZero);
const label = z
  .string()
  .regex(LABEL, "1 to 32 characters, none of them a control character")
  .refine((text) => utf8Bytes(text) <= LABEL_BYTES_MAX, `at most ${LABEL_BYTES_MAX} bytes of UTF-8`);
const location = z
  .string()
  .regex(LOCATION, "1 to 64 characters, none of them a control character")
  .refine((text) => utf8Bytes(text) <= LOCATION_BYTES_MAX, `at most ${LOCATION_BYTES_MAX} bytes of UTF-8`);
/** Absent and `null` are the same: many encoders write the one for the other. */
const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

const occurredAt = z.union(
  [
    z.int().min(0).max(8_640_000_000_000_000).transform(withoutMinusZero),
    z.string().transform((text, context) => {
      const ms = parseRfc3339(text);
      if (ms !== undefined && ms >= 0) return ms;
      context.addIssue({ code: "custom", message: "not RFC 3339 with offset" });
      return z.NEVER;
    }),
  ],
  "epoch milliseconds (an integer), or RFC 3339 with offset such as 2026-03-29T10:00:00+02:00",
);

const attributes = z.record(z.string(), z.string("each value is a string")).superRefine((pairs, context) => {
  if (!attributesFit(pairs)) {
    context.addIssue({
      code: "custom",
      message: `up to ${ATTRIBUTES_MAX} pairs of strings, ${ATTRIBUTES_BYTES_MAX} bytes of UTF-8 in all`,
    });
  }
});

/**
 * The definition of an event as a source may send it; unknown fields, `user.email`, `user.name`, `user.phone` among them,
 * are dropped, `user.date_of_birth` becomes `user.age_band`. Whether its time is acceptable is `checkTime`'s to say.
 */
export const paymentEventSchema = z
  .object({
    event_id: eventId,
    type: z.enum(["payment", "refund"]),
    merchant_id: z.string().regex(MERCHANT_ID_PATTERN, PATH_ID_RULE),
    occurred_at: occurredAt,
    amount: minorUnits,
    currency: z.string().refine(isCurrency, "an ISO 4217 code such as JPY"),
    payment_method: z.string().regex(PAYMENT_METHOD, "1 to 32 characters, none of them a control character"),
    points_used: optional(minorUnits).transform((n) => n ?? 0),
    points_earned: optional(minorUnits).transform((n) => n ?? 0),
    refund_of: optional(eventId),
    user: optional(
      z.object({
        id: optional(z.string().regex(USER_ID, "1 to 128 characters, none of them a control character")),
        grade: optional(label),
        gender: optional(label),
        country: optional(z.string().refine(isCountry, "an ISO 3166-1 alpha-2 code such as JP")),
        device: optional(label),
        age_band: optional(label),
        date_of_birth: optional(z.string()),
      }),
    ),
    merchant: optional(
      z.object({ grade: optional(label), location: optional(location), business_type: optional(label) }),
    ),
    attributes: optional(attributes),
  })
  .transform((event, context): PaymentEvent => {
    const { user, ...rest } = event;
    if (user === undefined) return rest;
    const { date_of_birth, ...kept } = user;
    if (date_of_birth === undefined) return { ...rest, user: kept };
    const band = ageBand(date_of_birth, event.occurred_at);
    if (band === undefined) {
      context.addIssue({ code: "custom", path: ["user", "date_of_birth"], message: "YYYY-MM-DD, not after the event" });
      return z.NEVER;
    }
    return { ...rest, user: { ...kept, age_band: kept.age_band ?? band } };
  });

function attributesFit(pairs: Readonly<Record<string, string>>): boolean {
  let count = 0;
  let bytes = 0;
  for (const [key, value] of Object.entries(pairs)) {
    if (!key.isWellFormed() || !value.isWellFormed()) return false;
    count += 1;
    bytes += utf8Bytes(key) + utf8Bytes(value);
  }
  return count <= ATTRIBUTES_MAX && bytes <= ATTRIBUTES_BYTES_MAX;
}

function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // A surrogate pair is two units and four bytes, so each half adds one.
    if (unit >= 0xd800 && unit <= 0xdfff) bytes += 1;
    else if (unit > 0x7f) bytes += unit > 0x7ff ? 2 : 1;
  }
  return bytes;
}
