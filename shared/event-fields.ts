/** The fields of an event by number: those of the event itself, of its user, of its merchant, each in the order of an archive line. */
export const FIELD = {
  event_id: 0,
  type: 1,
  merchant_id: 2,
  occurred_at: 3,
  amount: 4,
  currency: 5,
  payment_method: 6,
  points_used: 7,
  points_earned: 8,
  refund_of: 9,
  user: 10,
  merchant: 11,
  attributes: 12,
  user_id: 13,
  user_grade: 14,
  user_gender: 15,
  user_country: 16,
  user_device: 17,
  user_age_band: 18,
  user_date_of_birth: 19,
  merchant_grade: 20,
  merchant_location: 21,
  merchant_business_type: 22,
} as const;

export const FIELDS = 23;

/** The fields one object may have, as numbers from `first` up to `last`, found by their keys. */
export interface FieldSet {
  readonly first: number;
  readonly last: number;
  /** Field plus one at a slot by the key's hash, and the fields after it that share the slot. */
  readonly slots: Uint8Array;
  readonly next: Uint8Array;
}

const KEYS = Object.keys(FIELD).map((name, field) =>
  new TextEncoder().encode(field < FIELD.user_id ? name : name.replace(/^(user|merchant)_/, "")),
);
/** Their characters four by four, but for the last ones: words are compared in a quarter of the time. */
const KEY_WORDS = KEYS.map((key) => {
  const view = new DataView(key.buffer, key.byteOffset);
  return Int32Array.from({ length: key.length >> 2 }, (_, word) => view.getInt32(4 * word, true));
});
const SLOTS = 64;
const QUOTE = 34;

export const EVENT_FIELDS = fieldSet(0, FIELD.user_id);
export const USER_FIELDS = fieldSet(FIELD.user_id, FIELD.merchant_grade);
export const MERCHANT_FIELDS = fieldSet(FIELD.merchant_grade, FIELDS);

/** The key of a field, in ASCII. */
export function keyOf(field: number): Uint8Array {
  const key = KEYS[field];
  if (key === undefined) throw new RangeError(`no field ${field}`);
  return key;
}

/** The field whose key stands in `bytes` from `from` up to `to`, -1 for none. */
export function fieldOf({ slots, next }: FieldSet, bytes: Uint8Array, from: number, to: number): number {
  for (let known = slots[slotOf(bytes, from, to)] ?? 0; known > 0; known = next[known] ?? 0) {
    if (isKey(known - 1, bytes, from, to)) return known - 1;
  }
  return -1;
}

/** Where a string that begins at `from` ends, if it is the field's key; -1 otherwise. `view` is of the same bytes. */
export function keyEndOf(field: number, bytes: Uint8Array, view: DataView, from: number): number {
  const key = KEYS[field] as Uint8Array;
  const words = KEY_WORDS[field] as Int32Array;
  const end = from + key.length;
  if (end >= bytes.length || bytes[end] !== QUOTE) return -1;
  let at = from;
  for (let word = 0; word < words.length; word++, at += 4) if (view.getInt32(at, true) !== words[word]) return -1;
  for (; at < end; at++) if (bytes[at] !== key[at - from]) return -1;
  return end;
}

function isKey(field: number, bytes: Uint8Array, from: number, to: number): boolean {
  const key = KEYS[field] as Uint8Array;
  if (key.length !== to - from) return false;
  for (let at = 0; at < key.length; at++) if (bytes[from + at] !== key[at]) return false;
  return true;
}

function fieldSet(first: number, last: number): FieldSet {
  const set = { first, last, slots: new Uint8Array(SLOTS), next: new Uint8Array(FIELDS + 1) };
  for (let field = first; field < last; field++) {
    const key = KEYS[field] as Uint8Array;
    const slot = slotOf(key, 0, key.length);
    set.next[field + 1] = set.slots[slot] ?? 0;
    set.slots[slot] = field + 1;
  }
  return set;
}

/** By length, first and last character: few keys share a slot. */
function slotOf(bytes: Uint8Array, from: number, to: number): number {
  return ((to - from) ^ (4 * (bytes[from] ?? 0)) ^ (bytes[to - 1] ?? 0)) & (SLOTS - 1);
}
