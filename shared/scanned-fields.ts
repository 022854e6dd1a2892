import { ageBand } from "./age-band.ts";
import { LABEL_BYTES_MAX, LOCATION_BYTES_MAX } from "./event.ts";
import { FIELD } from "./event-fields.ts";
import { ABSENT, type EventScanner, INTEGER, OBJECT, STRING } from "./event-scanner.ts";
import { isCountry, isCurrency } from "./iso-codes.ts";
import { parseRfc3339 } from "./rfc3339.ts";

/** The rules of `event.ts` for fields as a scanner finds them. Each says yes only to what the schema accepts; what it denies, the schema judges. */

const ID_LENGTH_MAX = 64;
const LABEL_LENGTH_MAX = 32;
const LOCATION_LENGTH_MAX = 64;
const USER_ID_LENGTH_MAX = 128;
/** Bytes of UTF-8 a character takes at most. */
const CHARACTER_BYTES_MAX = 4;
const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
export const PAYMENT = encoder.encode("payment");
export const REFUND = encoder.encode("refund");

/** Characters of ids: 1 for those of both kinds, 2 for an event's only. */
const ID_CLASS = new Uint8Array(256);
for (const char of encoder.encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"))
  ID_CLASS[char] = 3;
ID_CLASS[58] = 2;
export const IS_MERCHANT_ID = 1;
export const IS_EVENT_ID = 2;

export function isId({ bytes, kind, from, to }: EventScanner, field: number, mask: number): boolean {
  const begin = from[field] as number;
  const end = to[field] as number;
  if (kind[field] !== STRING || begin === end || end - begin > ID_LENGTH_MAX) return false;
  for (let at = begin; at < end; at++) if (((ID_CLASS[bytes[at] as number] as number) & mask) === 0) return false;
  return true;
}

/** Whether an id is `.` or `..`, which no merchant's is (`PATH_ID_PATTERN`). */
export function isDotSegment({ bytes, from, to }: EventScanner, field: number): boolean {
  const begin = from[field] as number;
  const length = (to[field] as number) - begin;
  return length <= 2 && bytes[begin] === DOT && bytes[begin + length - 1] === DOT;
}
const DOT = 46;

export function is({ bytes, kind, from, to }: EventScanner, field: number, text: Uint8Array): boolean {
  const begin = from[field] as number;
  if (kind[field] !== STRING || (to[field] as number) - begin !== text.length) return false;
  for (let at = 0; at < text.length; at++) if (bytes[begin + at] !== text[at]) return false;
  return true;
}

export const isCountOrAbsent = (kind: Uint8Array, field: number) => kind[field] === ABSENT || kind[field] === INTEGER;
export const isObjectOrAbsent = (kind: Uint8Array, field: number) => kind[field] === ABSENT || kind[field] === OBJECT;
export const countOf = ({ kind, value }: EventScanner, field: number) =>
  kind[field] === ABSENT ? 0 : (value[field] as number);

/** Codes of capital letters as numbers of base 26. */
export const CURRENCIES = codes(3, isCurrency);
const COUNTRIES = codes(2, isCountry);
const LETTER_A = 65;
const LETTERS = 26;

function codes(length: number, isOne: (code: string) => boolean): Uint8Array {
  const known = new Uint8Array(26 ** length);
  for (let number = 0; number < known.length; number++) {
    let code = "";
    for (let rest = number, k = 0; k < length; k++, rest = Math.floor(rest / 26)) {
      code = String.fromCharCode(65 + (rest % 26)) + code;
    }
    if (isOne(code)) known[number] = length;
  }
  return known;
}

export function isCode({ bytes, kind, from, to }: EventScanner, field: number, known: Uint8Array): boolean {
  const begin = from[field] as number;
  const end = to[field] as number;
  if (kind[field] !== STRING || begin === end) return false;
  let number = 0;
  for (let at = begin; at < end; at++) {
    const letter = (bytes[at] as number) - LETTER_A;
    if (letter < 0 || letter >= LETTERS) return false;
    number = LETTERS * number + letter;
  }
  return known[number] === end - begin;
}

const PLAIN_LABELS = [
  FIELD.user_grade,
  FIELD.user_gender,
  FIELD.user_device,
  FIELD.user_age_band,
  FIELD.merchant_grade,
  FIELD.merchant_business_type,
];

export function areLabels(scanner: EventScanner): boolean {
  const { kind } = scanner;
  for (let k = 0; k < PLAIN_LABELS.length; k++) {
    const field = PLAIN_LABELS[k] as number;
    if (kind[field] !== ABSENT && !isText(scanner, field, LABEL_LENGTH_MAX, LABEL_BYTES_MAX)) return false;
  }
  if (kind[FIELD.user_country] !== ABSENT && !isCode(scanner, FIELD.user_country, COUNTRIES)) return false;
  if (kind[FIELD.user_id] !== ABSENT && !isText(scanner, FIELD.user_id, USER_ID_LENGTH_MAX)) return false;
  if (kind[FIELD.merchant_location] === ABSENT) return true;
  return isText(scanner, FIELD.merchant_location, LOCATION_LENGTH_MAX, LOCATION_BYTES_MAX);
}

/** Up to so many code points and bytes of well-formed UTF-8, no control characters (`\p{Cc}`): those below 32 the scanner has not let through. */
export function isText(
  { bytes, kind, from, to }: EventScanner,
  field: number,
  lengthMax = LABEL_LENGTH_MAX,
  bytesMax = CHARACTER_BYTES_MAX * lengthMax,
): boolean {
  const begin = from[field] as number;
  const end = to[field] as number;
  if (kind[field] !== STRING || begin === end || end - begin > bytesMax) return false;
  let length = end - begin;
  for (let at = begin; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x7f) continue;
    if (byte >= 0x80 && byte < 0xc0) length--;
    // Delete, and U+0080 to U+009F.
    else if (byte === 0x7f || (byte === 0xc2 && (bytes[at + 1] as number) < 0xa0)) return false;
  }
  return length <= lengthMax;
}

export function textOf({ bytes, from, to }: EventScanner, field: number): string {
  return decoder.decode(bytes.subarray(from[field], to[field]));
}

export function momentOf(scanner: EventScanner): number | undefined {
  switch (scanner.kind[FIELD.occurred_at]) {
    case INTEGER:
      return scanner.value[FIELD.occurred_at];
    case STRING: {
      const ms = parseRfc3339(textOf(scanner, FIELD.occurred_at));
      return ms !== undefined && ms >= 0 ? ms : undefined;
    }
    default:
      return undefined;
  }
}

/** The age band that a date of birth gives, where the event has no other; nothing when there is none to give, `undefined` for a date that is none. */
export function bandOf(scanner: EventScanner, occurredAt: number): Uint8Array | undefined {
  const { kind } = scanner;
  if (kind[FIELD.user_date_of_birth] === ABSENT) return NOTHING;
  if (kind[FIELD.user_date_of_birth] !== STRING) return undefined;
  const band = ageBand(textOf(scanner, FIELD.user_date_of_birth), occurredAt);
  if (band === undefined) return undefined;
  return kind[FIELD.user_age_band] === ABSENT ? encoder.encode(band) : NOTHING;
}
