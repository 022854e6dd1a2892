import { DIMENSIONS } from "../breakdown.ts";
import type { PaymentEvent } from "../event.ts";
import { fingerprint, userHash } from "../identity.ts";
import type { CountedEvent } from "../report.ts";
import { err, ok, type Result } from "../result.ts";
import type { SipKey } from "../siphash.ts";

/**
 * Events on their way to one shard, as columns; the same bytes are the shard's journal row (docs/storage.md).
 *
 * Little-endian: a header of four uint32 (magic, version, events, bytes of text), columns of 8, 4, 2 and 1 bytes an event,
 * then the strings: every distinct one once, separated by line feeds, which no field can contain.
 */
export const SHARD_BATCH_EVENTS_MAX = 5_000;
/** A row of the object's SQLite holds 2 MB (Cloudflare Durable Objects, "Limits"). Texts can make so few events so large. */
export const SHARD_BATCH_BYTES_MAX = 1_900_000;
const MAGIC = 0x31424c54; // "TLB1"
const VERSION = 1;
const HEADER_BYTES = 16;
/** occurred_at, amount, points_used, points_earned. */
const WIDE_COLUMNS = 4;
/** Fingerprint and user hash, low and high halves. */
const WORD_COLUMNS = 4;
/** merchant, currency, then the dimensions: indexes into the strings, 0 for none. */
const TEXT_COLUMNS = 2 + DIMENSIONS.length;
const EVENT_BYTES = 8 * WIDE_COLUMNS + 4 * WORD_COLUMNS + 2 * TEXT_COLUMNS + 1;
const IS_REFUND = 1;
const HAS_USER = 2;

/** What became of an event: a shard answers a batch with one byte an event. */
export const STATUS = {
  /** Counted now, for the first time. */
  accepted: 0,
  /** Seen before, nothing changed. */
  duplicate: 1,
  /** Seen before with another amount or time; the first one counts. */
  conflict: 2,
  /** Past the lateness horizon: not the shard's to count, its window is rebuilt from the archive. */
  late: 3,
} as const;

/** Packs up to 5,000 events, whose `user.id` is already hashed. Throws a `RangeError` on more. */
export function encodeShardBatch(events: readonly PaymentEvent[], identityKey: SipKey): Uint8Array<ArrayBuffer> {
  const n = events.length;
  if (n > SHARD_BATCH_EVENTS_MAX) throw new RangeError(`${n} events in one shard batch`);
  const strings = new Map<string, number>([["", 0]]);
  const columns = allocate(new ArrayBuffer(HEADER_BYTES + Math.ceil((n * EVENT_BYTES) / 8) * 8), n);
  const id = { lo: 0, hi: 0 };
  events.forEach((event, i) => {
    columns.wide[i] = event.occurred_at;
    columns.wide[n + i] = event.amount;
    columns.wide[2 * n + i] = event.points_used;
    columns.wide[3 * n + i] = event.points_earned;
    fingerprint(identityKey, event.merchant_id, event.event_id, id);
    columns.words[i] = id.lo;
    columns.words[n + i] = id.hi;
    let flags = event.type === "refund" ? IS_REFUND : 0;
    const { user } = event;
    if (user?.id !== undefined) {
      const { lo, hi } = userHash(user.id);
      columns.words[2 * n + i] = lo;
      columns.words[3 * n + i] = hi;
      flags |= HAS_USER;
    }
    columns.flags[i] = flags;
    const texts = [
      event.merchant_id,
      event.currency,
      event.payment_method,
      user?.gender,
      user?.age_band,
      user?.grade,
      user?.country,
      user?.device,
      event.merchant?.location,
    ];
    for (let column = 0; column < TEXT_COLUMNS; column++) {
      columns.texts[column * n + i] = indexOf(strings, texts[column] ?? "");
    }
  });
  const text = new TextEncoder().encode([...strings.keys()].join("\n"));
  const bytes = new Uint8Array(columns.buffer.byteLength + text.byteLength);
  bytes.set(new Uint8Array(columns.buffer));
  bytes.set(text, columns.buffer.byteLength);
  new Uint32Array(bytes.buffer, 0, 4).set([MAGIC, VERSION, n, text.byteLength]);
  return bytes;
}

/** A decoded batch; reading an event costs no more than what is read of it. */
export interface ShardBatch {
  readonly size: number;
  occurredAt(i: number): number;
  amount(i: number): number;
  fingerprintLo(i: number): number;
  fingerprintHi(i: number): number;
  merchantId(i: number): string;
  currency(i: number): string;
  event(i: number): CountedEvent;
}

/** Checks the frame (magic, version, length) and every value that could not have been encoded, before anything is counted from it. */
export function decodeShardBatch(bytes: Uint8Array): Result<ShardBatch, { readonly reason: string }> {
  if (bytes.byteLength < HEADER_BYTES) return err({ reason: "shorter than its header" });
  if (bytes.byteLength > SHARD_BATCH_BYTES_MAX) return err({ reason: "larger than a row may be" });
  // The columns are read in place, which wants a buffer that starts where the batch does.
  const buffer = bytes.byteOffset % 8 === 0 && bytes.buffer instanceof ArrayBuffer ? bytes : Uint8Array.from(bytes);
  const [magic, version, n = 0, textBytes = 0] = new Uint32Array(buffer.buffer, buffer.byteOffset, 4);
  if (magic !== MAGIC) return err({ reason: "not a shard batch" });
  if (version !== VERSION) return err({ reason: `version ${version} is not known` });
  const columnBytes = HEADER_BYTES + Math.ceil((n * EVENT_BYTES) / 8) * 8;
  if (n > SHARD_BATCH_EVENTS_MAX || bytes.byteLength !== columnBytes + textBytes)
    return err({ reason: "wrong length" });
  const columns = allocate(buffer.buffer as ArrayBuffer, n, buffer.byteOffset);
  const strings = readStrings(bytes.subarray(columnBytes));
  if (strings === undefined) return err({ reason: "its strings cannot be read" });
  const fault = faultOf(columns, strings, n);
  return fault === undefined ? ok(viewOf(columns, strings, n)) : err({ reason: fault });
}

/** The strings, of which the first and no other is empty. */
function readStrings(bytes: Uint8Array): readonly string[] | undefined {
  try {
    const strings = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes).split("\n");
    return strings.lastIndexOf("") === 0 ? strings : undefined;
  } catch {
    return undefined; // Not UTF-8: the same verdict as strings that no encoder wrote.
  }
}

/** A number that is none would stop the fold in the middle, after the batch is in the journal: such a shard could never recover. */
function faultOf({ wide, texts, flags }: Columns, strings: readonly string[], n: number): string | undefined {
  if (wide.some((value) => !Number.isSafeInteger(value) || value < 0)) return "a time or an amount is none";
  if (texts.some((index) => index >= strings.length)) return "a string is missing";
  if (texts.subarray(0, 2 * n).includes(0)) return "an event without merchant or currency";
  return flags.some((flag) => flag > (IS_REFUND | HAS_USER)) ? "an unknown flag" : undefined;
}

interface Columns {
  readonly buffer: ArrayBuffer;
  readonly wide: Float64Array;
  readonly words: Uint32Array;
  readonly texts: Uint16Array;
  readonly flags: Uint8Array;
}

function allocate(buffer: ArrayBuffer, n: number, offset = 0): Columns {
  const wideAt = offset + HEADER_BYTES;
  const wordsAt = wideAt + 8 * WIDE_COLUMNS * n;
  const textsAt = wordsAt + 4 * WORD_COLUMNS * n;
  return {
    buffer,
    wide: new Float64Array(buffer, wideAt, WIDE_COLUMNS * n),
    words: new Uint32Array(buffer, wordsAt, WORD_COLUMNS * n),
    texts: new Uint16Array(buffer, textsAt, TEXT_COLUMNS * n),
    flags: new Uint8Array(buffer, textsAt + 2 * TEXT_COLUMNS * n, n),
  };
}

function viewOf({ wide, words, texts, flags }: Columns, strings: readonly string[], n: number): ShardBatch {
  const text = (column: number, i: number) => strings[texts[column * n + i] ?? 0] ?? "";
  const dimension = (column: number, i: number) => text(column, i) || undefined;
  return {
    size: n,
    occurredAt: (i) => wide[i] ?? 0,
    amount: (i) => wide[n + i] ?? 0,
    fingerprintLo: (i) => words[i] ?? 0,
    fingerprintHi: (i) => words[n + i] ?? 0,
    merchantId: (i) => text(0, i),
    currency: (i) => text(1, i),
    event: (i) => {
      const flag = flags[i] ?? 0;
      return {
        type: flag & IS_REFUND ? "refund" : "payment",
        amount: wide[n + i] ?? 0,
        points_used: wide[2 * n + i] ?? 0,
        points_earned: wide[3 * n + i] ?? 0,
        user: flag & HAS_USER ? { lo: words[2 * n + i] ?? 0, hi: words[3 * n + i] ?? 0 } : undefined,
        dimensions: DIMENSIONS.map((_, at) => dimension(2 + at, i)),
      };
    },
  };
}

function indexOf(strings: Map<string, number>, text: string): number {
  const known = strings.get(text);
  if (known !== undefined) return known;
  strings.set(text, strings.size);
  return strings.size - 1;
}
