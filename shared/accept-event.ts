import type { z } from "zod";
import { ageBand } from "./age-band.ts";
import {
  ATTRIBUTES_BYTES_MAX,
  ATTRIBUTES_MAX,
  EVENT_ID_PATTERN,
  type EventMerchant,
  type EventUser,
  MERCHANT_ID_PATTERN,
  type PaymentEvent,
  paymentEventSchema,
} from "./event.ts";
import { isCountry, isCurrency } from "./iso-codes.ts";
import { err, ok, type Result } from "./result.ts";
import { parseRfc3339 } from "./rfc3339.ts";

/** A source's clock may be this far ahead of ours. */
export const AHEAD_MAX_MS = 300_000;
/** Five years of 366 days: how long history is kept, unless a deployment says otherwise. */
export const HISTORY_AGE_MAX_MS = 5 * 366 * 86_400_000;

/** Why one event was refused: `path` names the field, `message` says what would be right, never what was sent. */
export interface EventFault {
  readonly code:
    | "missing_field"
    | "invalid_type"
    | "invalid_value"
    | "in_the_future"
    | "too_old"
    | "malformed_json"
    | "line_too_long"
    | "merchant_not_allowed"
    | "no_mapping";
  readonly path?: string | undefined;
  readonly message: string;
}

/**
 * Parses one event as `paymentEventSchema` defines it. The hand-written reading of the common case is tried first, because
 * the schema costs more than the whole rest of the way; whatever it does not recognise is the schema's to judge and to explain.
 */
export function acceptEvent(raw: unknown): Result<PaymentEvent, EventFault> {
  const event = acceptCommon(raw);
  if (event !== undefined) return ok(event);
  const parsed = paymentEventSchema.safeParse(raw);
  return parsed.success ? ok(parsed.data) : err(faultOf(parsed.error, raw));
}

/** An event may lie a little ahead of the clock, and as far back as history is kept. */
export function checkTime(occurredAt: number, nowMs: number, ageMaxMs: number): EventFault | undefined {
  if (occurredAt > nowMs + AHEAD_MAX_MS) {
    const aheadS = Math.ceil((occurredAt - nowMs) / 1000);
    return { code: "in_the_future", path: "occurred_at", message: `${aheadS} s ahead of the clock; 300 s are allowed` };
  }
  if (occurredAt < nowMs - ageMaxMs) {
    const hint = occurredAt < 100_000_000_000 ? " (is it in seconds? milliseconds are expected)" : "";
    const days = Math.floor(ageMaxMs / 86_400_000);
    return { code: "too_old", path: "occurred_at", message: `older than the ${days} days history is kept${hint}` };
  }
  return undefined;
}

type Raw = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Raw => typeof value === "object" && value !== null && !Array.isArray(value);
const isMinorUnits = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
/** Printable ASCII: the texts that need no closer look. */
const PLAIN_32 = /^[ -~]{1,32}$/;
const PLAIN_64 = /^[ -~]{1,64}$/;
const isPlain = (value: unknown, pattern = PLAIN_32): value is string | null | undefined =>
  value == null || (typeof value === "string" && pattern.test(value));

/** The event, when every field has a common form; `undefined` is no verdict but "ask the schema". */
export function acceptCommon(raw: unknown): PaymentEvent | undefined {
  if (!isObject(raw)) return undefined;
  const { event_id, type, merchant_id, amount, currency, payment_method, refund_of, attributes } = raw;
  const points_used = raw.points_used ?? 0;
  const points_earned = raw.points_earned ?? 0;
  const occurred_at = typeof raw.occurred_at === "string" ? parseRfc3339(raw.occurred_at) : raw.occurred_at;
  if (typeof event_id !== "string" || !EVENT_ID_PATTERN.test(event_id)) return undefined;
  if (type !== "payment" && type !== "refund") return undefined;
  if (typeof merchant_id !== "string" || !MERCHANT_ID_PATTERN.test(merchant_id)) return undefined;
  if (!isMinorUnits(occurred_at) || occurred_at > 8_640_000_000_000_000) return undefined;
  if (!isMinorUnits(amount) || !isMinorUnits(points_used) || !isMinorUnits(points_earned)) return undefined;
  if (typeof currency !== "string" || !isCurrency(currency)) return undefined;
  if (typeof payment_method !== "string" || !PLAIN_32.test(payment_method)) return undefined;
  if (refund_of != null && (typeof refund_of !== "string" || !EVENT_ID_PATTERN.test(refund_of))) return undefined;
  const user = raw.user == null ? undefined : commonUser(raw.user, occurred_at);
  const merchant = raw.merchant == null ? undefined : commonMerchant(raw.merchant);
  if (user === null || merchant === null) return undefined;
  if (attributes != null && !isCommonAttributes(attributes)) return undefined;
  return {
    event_id,
    type,
    merchant_id,
    // + 0 turns the -0 that JSON can spell into 0.
    occurred_at: occurred_at + 0,
    amount: amount + 0,
    currency,
    payment_method,
    points_used: points_used + 0,
    points_earned: points_earned + 0,
    refund_of: refund_of ?? undefined,
    user,
    merchant,
    attributes: attributes ?? undefined,
  };
}

function commonUser(raw: unknown, occurredAt: number): EventUser | null {
  if (!isObject(raw)) return null;
  const { id, grade, gender, country, device, age_band, date_of_birth } = raw;
  if (!isPlain(id) || !isPlain(grade) || !isPlain(gender) || !isPlain(device) || !isPlain(age_band)) return null;
  if (country != null && (typeof country !== "string" || !isCountry(country))) return null;
  let band = age_band ?? undefined;
  if (date_of_birth != null) {
    const fromBirth = typeof date_of_birth === "string" ? ageBand(date_of_birth, occurredAt) : undefined;
    if (fromBirth === undefined) return null;
    band ??= fromBirth;
  }
  return {
    id: id ?? undefined,
    grade: grade ?? undefined,
    gender: gender ?? undefined,
    country: country ?? undefined,
    device: device ?? undefined,
    age_band: band,
  };
}

function commonMerchant(raw: unknown): EventMerchant | null {
  if (!isObject(raw)) return null;
  const { grade, location, business_type } = raw;
  if (!isPlain(grade) || !isPlain(location, PLAIN_64) || !isPlain(business_type)) return null;
  return { grade: grade ?? undefined, location: location ?? undefined, business_type: business_type ?? undefined };
}

/** Up to 1,024 ASCII characters are as many bytes; anything longer or wider is the schema's to measure. */
function isCommonAttributes(raw: unknown): raw is Readonly<Record<string, string>> {
  if (!isObject(raw)) return false;
  let count = 0;
  let length = 0;
  for (const key of Object.keys(raw)) {
    const value = raw[key];
    if (typeof value !== "string" || key === "__proto__" || !ASCII.test(key) || !ASCII.test(value)) return false;
    count += 1;
    length += key.length + value.length;
  }
  return count <= ATTRIBUTES_MAX && length <= ATTRIBUTES_BYTES_MAX;
}

const ASCII = /^[ -~]*$/;

/** The first issue, in words that say what would be right and never repeat what was sent, which may be personal. */
function faultOf(error: z.ZodError, raw: unknown): EventFault {
  const issue = error.issues[0];
  if (issue === undefined) throw new Error("a failed parse without an issue");
  // The names of attributes are the sender's, not ours: as likely personal as their values, and as long.
  const keys = issue.path[0] === "attributes" ? ["attributes"] : issue.path.map(String);
  const path = keys.join(".");
  const value = keys.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), raw);
  if (path === "") return { code: "invalid_type", message: "an event is a JSON object" };
  if (value === undefined) return { code: "missing_field", path, message: `${path} is required` };
  const code = issue.code === "invalid_type" ? "invalid_type" : "invalid_value";
  return { code, path, message: issue.message };
}
