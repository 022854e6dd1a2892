import { FIELD, keyOf } from "./event-fields.ts";
import type { EventLines } from "./event-lines.ts";
import { ABSENT, type EventScanner, INTEGER, STRING } from "./event-scanner.ts";

/**
 * Writes the line of an event that `scanner` has found in `length` bytes of JSON, and that is acceptable: what `JSON.stringify` would make of
 * the accepted event, its fields perhaps in the order in which they were sent. `hash` stands for the user's id; `band`, unless it is empty, for the date of birth.
 */
export function addLine(
  scanner: EventScanner,
  length: number,
  lines: EventLines,
  occurredAt: number,
  hash: { readonly lo: number; readonly hi: number },
  band: Uint8Array,
): void {
  lines.open(length + LINE_EXTRA_BYTES_MAX);
  if (isKeptAsItIs(scanner)) {
    copyObject(scanner, length, lines, hash);
    lines.close();
    return;
  }
  for (let field = 0; field < FIELD.user; field++) {
    if (field === FIELD.occurred_at && scanner.kind[field] === STRING) {
      lines.put(PREFIXES[field] as Uint8Array);
      lines.put(encoder.encode(String(occurredAt)));
    } else if (field === FIELD.points_used || field === FIELD.points_earned) {
      putField(scanner, lines, field, ZERO);
    } else {
      putField(scanner, lines, field, undefined);
    }
  }
  if (scanner.kind[FIELD.user] !== ABSENT) putUser(scanner, lines, hash, band);
  if (scanner.kind[FIELD.merchant] !== ABSENT) {
    lines.put(PREFIXES[FIELD.merchant] as Uint8Array);
    let isFirst = true;
    for (let field: number = FIELD.merchant_grade; field <= FIELD.merchant_business_type; field++) {
      if (putNested(scanner, lines, field, isFirst)) isFirst = false;
    }
    lines.put(CLOSE);
  }
  lines.close();
}

/** Most events are sent in the very form in which they are kept, but for the user: one copy is a third of the work of fifteen. */
function isKeptAsItIs({ isPlain, kind }: EventScanner): boolean {
  return (
    isPlain &&
    kind[FIELD.occurred_at] === INTEGER &&
    kind[FIELD.points_used] === INTEGER &&
    kind[FIELD.points_earned] === INTEGER &&
    kind[FIELD.user_date_of_birth] === ABSENT
  );
}

/** The object without its closing brace, the hash in the place of the user's id. */
function copyObject(
  { bytes, kind, from, to, start }: EventScanner,
  length: number,
  lines: EventLines,
  hash: { readonly lo: number; readonly hi: number },
): void {
  let at = start;
  if (kind[FIELD.user_id] !== ABSENT) {
    lines.copy(bytes, start, from[FIELD.user_id] as number);
    lines.putHex(hash.hi);
    lines.putHex(hash.lo);
    at = to[FIELD.user_id] as number;
  }
  lines.copy(bytes, at, start + length - 1);
}

function putUser(
  scanner: EventScanner,
  lines: EventLines,
  hash: { readonly lo: number; readonly hi: number },
  band: Uint8Array,
): void {
  lines.put(PREFIXES[FIELD.user] as Uint8Array);
  let isFirst = true;
  if (scanner.kind[FIELD.user_id] !== ABSENT) {
    lines.put(NESTED_FIRST[FIELD.user_id] as Uint8Array);
    lines.putHex(hash.hi);
    lines.putHex(hash.lo);
    lines.put(QUOTE);
    isFirst = false;
  }
  for (let field: number = FIELD.user_grade; field < FIELD.user_age_band; field++) {
    if (putNested(scanner, lines, field, isFirst)) isFirst = false;
  }
  if (band.length > 0) {
    lines.put((isFirst ? NESTED_FIRST : PREFIXES)[FIELD.user_age_band] as Uint8Array);
    lines.put(band);
    lines.put(QUOTE);
  } else {
    putNested(scanner, lines, FIELD.user_age_band, isFirst);
  }
  lines.put(CLOSE);
}

/** A field of the event, or, when it is absent, `otherwise` as its value; without that nothing. */
function putField({ bytes, kind, from, to }: EventScanner, lines: EventLines, field: number, otherwise?: Uint8Array) {
  if (kind[field] === ABSENT && otherwise === undefined) return;
  lines.put(PREFIXES[field] as Uint8Array);
  if (kind[field] === ABSENT) lines.put(otherwise as Uint8Array);
  else lines.copy(bytes, from[field] as number, to[field] as number);
  if (kind[field] === STRING) lines.put(QUOTE);
}

/** Answers whether the field was there. */
function putNested(
  { bytes, kind, from, to }: EventScanner,
  lines: EventLines,
  field: number,
  isFirst: boolean,
): boolean {
  if (kind[field] === ABSENT) return false;
  lines.put((isFirst ? NESTED_FIRST : PREFIXES)[field] as Uint8Array);
  lines.copy(bytes, from[field] as number, to[field] as number);
  lines.put(QUOTE);
  return true;
}

/** What a line takes beyond the object it is made of: the keys' own form, an age band, a hash. */
const LINE_EXTRA_BYTES_MAX = 600;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const QUOTE = encoder.encode('"');
const CLOSE = encoder.encode("}");
const ZERO = encoder.encode("0");
const NUMBERS: ReadonlySet<number> = new Set([FIELD.occurred_at, FIELD.amount, FIELD.points_used, FIELD.points_earned]);

/** What stands before each value: the comma after the field before, the key, the opening quote or brace. */
const PREFIXES = Object.values(FIELD).map((field) => prefixOf(field, field === FIELD.event_id ? "{" : ","));
/** The same for the first field of an object within. */
const NESTED_FIRST = Object.values(FIELD).map((field) => prefixOf(field, ""));

function prefixOf(field: number, before: string): Uint8Array {
  const opening = field === FIELD.user || field === FIELD.merchant ? "{" : NUMBERS.has(field) ? "" : '"';
  return encoder.encode(`${before}"${decoder.decode(keyOf(field))}":${opening}`);
}
