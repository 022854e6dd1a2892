import { checkTime } from "./accept-event.ts";
import {
  AMOUNT,
  type EventBatch,
  HAS_USER,
  ID_HI,
  ID_LO,
  IS_REFUND,
  LABEL,
  MERCHANT,
  POINTS_EARNED,
  POINTS_USED,
  TIME,
  USER_HI,
  USER_LO,
  WIDE,
  WORDS,
} from "./event-batch.ts";
import { FIELD } from "./event-fields.ts";
import type { EventLines } from "./event-lines.ts";
import { ABSENT, type EventScanner, INTEGER, STRING } from "./event-scanner.ts";
import {
  areLabels,
  bandOf,
  CURRENCIES,
  countOf,
  IS_EVENT_ID,
  IS_MERCHANT_ID,
  is,
  isCode,
  isCountOrAbsent,
  isDotSegment,
  isId,
  isObjectOrAbsent,
  isText,
  momentOf,
  PAYMENT,
  REFUND,
  textOf,
} from "./scanned-fields.ts";
import { addLine } from "./scanned-line.ts";
import { type SipKey, sipHashPairRange, sipHashRange } from "./siphash.ts";
import type { TextTable } from "./text-table.ts";

/** What an event is judged by, besides itself. */
export interface AcceptRules {
  readonly nowMs: number;
  readonly historyAgeMaxMs: number;
  readonly userKey: SipKey;
  readonly identityKey: SipKey;
  /** The merchants the source may send for; `null` is all of them. */
  readonly merchants: ReadonlySet<string> | null;
}

/**
 * Accepts the event that `scanner` has found, `length` bytes of JSON: adds it to the batch and to the lines, with its user as a hash and
 * without anything personal. What is accepted, and how, is what `acceptEvent` says; false, with nothing added, for whatever is not
 * plainly acceptable: that is for `acceptEvent` to judge and to explain.
 */
export function acceptScanned(
  scanner: EventScanner,
  length: number,
  rules: AcceptRules,
  { batch, lines }: { readonly batch: EventBatch; readonly lines: EventLines },
): boolean {
  const { kind, value } = scanner;
  if (!isId(scanner, FIELD.event_id, IS_EVENT_ID) || !isId(scanner, FIELD.merchant_id, IS_MERCHANT_ID)) return false;
  if (isDotSegment(scanner, FIELD.merchant_id)) return false;
  const isRefund = is(scanner, FIELD.type, REFUND);
  if (!isRefund && !is(scanner, FIELD.type, PAYMENT)) return false;
  if (kind[FIELD.amount] !== INTEGER || !isCode(scanner, FIELD.currency, CURRENCIES)) return false;
  if (kind[FIELD.payment_method] !== STRING || !isText(scanner, FIELD.payment_method)) return false;
  if (!isCountOrAbsent(kind, FIELD.points_used) || !isCountOrAbsent(kind, FIELD.points_earned)) return false;
  if (kind[FIELD.refund_of] !== ABSENT && !isId(scanner, FIELD.refund_of, IS_EVENT_ID)) return false;
  if (!isObjectOrAbsent(kind, FIELD.user) || !isObjectOrAbsent(kind, FIELD.merchant)) return false;
  if (kind[FIELD.attributes] !== ABSENT || !areLabels(scanner)) return false;
  const occurredAt = momentOf(scanner);
  if (occurredAt === undefined) return false;
  if (checkTime(occurredAt, rules.nowMs, rules.historyAgeMaxMs) !== undefined) return false;
  const band = bandOf(scanner, occurredAt);
  if (band === undefined || !mayHave(scanner, rules.merchants)) return false;

  const at = batch.take();
  const wide = WIDE * at;
  batch.wide[wide + TIME] = occurredAt;
  batch.wide[wide + AMOUNT] = value[FIELD.amount] as number;
  batch.wide[wide + POINTS_USED] = countOf(scanner, FIELD.points_used);
  batch.wide[wide + POINTS_EARNED] = countOf(scanner, FIELD.points_earned);
  addWords(scanner, rules, batch, WORDS * at, band);
  batch.flags[at] = (isRefund ? IS_REFUND : 0) | (kind[FIELD.user_id] === ABSENT ? 0 : HAS_USER);
  addLine(scanner, length, lines, occurredAt, user, band);
  return true;
}

/** The user of the event last added, as its hash. */
const user = { lo: 0, hi: 0 };
const id = { lo: 0, hi: 0 };

function addWords(scanner: EventScanner, rules: AcceptRules, batch: EventBatch, words: number, band: Uint8Array): void {
  const { bytes, from, to, kind } = scanner;
  const merchantAt = from[FIELD.merchant_id] as number;
  const merchantEnd = to[FIELD.merchant_id] as number;
  const eventAt = from[FIELD.event_id] as number;
  const eventEnd = to[FIELD.event_id] as number;
  sipHashPairRange(rules.identityKey, bytes, merchantAt, merchantEnd, eventAt, eventEnd, id);
  batch.words[words + ID_LO] = id.lo;
  batch.words[words + ID_HI] = id.hi;
  if (kind[FIELD.user_id] !== ABSENT) {
    sipHashRange(rules.userKey, bytes, from[FIELD.user_id] as number, to[FIELD.user_id] as number, user);
    batch.words[words + USER_LO] = user.lo;
    batch.words[words + USER_HI] = user.hi;
  }
  const merchants = batch.merchants as TextTable;
  const labels = batch.labels as TextTable;
  batch.words[words + MERCHANT] = merchants.internBytes(bytes, merchantAt, merchantEnd);
  for (let column = 0; column < LABEL_FIELDS.length; column++) {
    const field = LABEL_FIELDS[column] as number;
    if (field === FIELD.user_age_band && band.length > 0) {
      batch.words[words + LABEL + column] = labels.internBytes(band, 0, band.length) + 1;
    } else if (kind[field] !== ABSENT) {
      const number = labels.internBytes(bytes, from[field] as number, to[field] as number) + 1;
      batch.words[words + LABEL + column] = number;
    }
  }
}

/** Currency and dimensions, in the order of a batch's labels. */
const LABEL_FIELDS = [
  FIELD.currency,
  FIELD.payment_method,
  FIELD.user_gender,
  FIELD.user_age_band,
  FIELD.user_grade,
  FIELD.user_country,
  FIELD.user_device,
  FIELD.merchant_location,
];

function mayHave(scanner: EventScanner, merchants: ReadonlySet<string> | null): boolean {
  return merchants === null || merchants.has(textOf(scanner, FIELD.merchant_id));
}
