import {
  AMOUNT,
  EventBatch,
  HAS_USER,
  IS_REFUND,
  LABEL,
  LABELS,
  MERCHANT,
  POINTS_EARNED,
  POINTS_USED,
  TIME,
  WIDE,
  WORDS,
} from "../event-batch.ts";
import { err, ok, type Result } from "../result.ts";
import { TextList } from "../text-table.ts";

/**
 * Events on their way to one shard, as columns; the same bytes are the shard's journal row, and go with a raw message (docs/storage.md).
 *
 * Little-endian: a header of 56 bytes, columns, each from a multiple of its width on, then the texts, each followed by a line feed. Columns
 * are narrow (times by 32 bits from the earliest, amounts of 32, points of 16, labels of 8) unless a value of the batch does not fit.
 */
export const SHARD_BATCH_EVENTS_MAX = 5_000;
/** A row of the object's SQLite holds 2 MB (Cloudflare Durable Objects, "Limits"). Texts can make so few events so large. */
export const SHARD_BATCH_BYTES_MAX = 1_900_000;
const MAGIC = 0x31424c54; // "TLB1"
const VERSION = 2;
/** Magic, version, events, flags, merchants, labels, bytes of text, 0; the earliest time; the token. */
const HEADER_BYTES = 56;
const HEADER_WORDS = 8;
const BASE_AT = 32;
const TOKEN_AT = 40;
const TOKEN_WORDS = 4;
/** Flags: which columns are wide. */
const WIDE_TIMES = 1;
const WIDE_AMOUNTS = 2;
const WIDE_POINTS = 4;
const WIDE_LABELS = 8;
const FLAGS = WIDE_TIMES | WIDE_AMOUNTS | WIDE_POINTS | WIDE_LABELS;
/** Fingerprint and user hash, low and high halves. */
const HASH_COLUMNS = 4;
const U32_MAX = 0xffffffff;
const U16_MAX = 0xffff;
const U8_MAX = 0xff;

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

/** A token is a UUID's 32 hex digits, or empty. */
export const TOKEN_PATTERN = /^(?:[0-9a-f]{32})?$/;

/** Packs a batch of up to 5,000 events. Throws a `RangeError` on more. */
export function encodeShardBatch(batch: EventBatch): Uint8Array<ArrayBuffer> {
  const n = batch.size;
  if (n > SHARD_BATCH_EVENTS_MAX) throw new RangeError(`${n} events in one shard batch`);
  const { base, flags } = widthsOf(batch);
  const merchants = batch.merchants.toBytes();
  const labels = batch.labels.toBytes();
  const layout = layoutOf(n, flags);
  const bytes = new Uint8Array(layout.end + merchants.length + labels.length);
  const { buffer } = bytes;
  new Uint32Array(buffer, 0, HEADER_WORDS).set([
    MAGIC,
    VERSION,
    n,
    flags,
    batch.merchants.size,
    batch.labels.size,
    merchants.length + labels.length,
  ]);
  new DataView(buffer).setFloat64(BASE_AT, base, true);
  writeToken(new Uint32Array(buffer, TOKEN_AT, TOKEN_WORDS), batch.token);
  const columns = columnsIn(buffer, 0, n, flags);
  const { wide, words } = batch;
  for (let i = 0; i < n; i++) {
    columns.times[i] = (wide[WIDE * i + TIME] ?? 0) - base;
    columns.amounts[i] = wide[WIDE * i + AMOUNT] ?? 0;
    columns.points[i] = wide[WIDE * i + POINTS_USED] ?? 0;
    columns.points[n + i] = wide[WIDE * i + POINTS_EARNED] ?? 0;
    for (let k = 0; k < HASH_COLUMNS; k++) columns.hashes[k * n + i] = words[WORDS * i + k] ?? 0;
    columns.merchants[i] = words[WORDS * i + MERCHANT] ?? 0;
    for (let k = 0; k < LABELS; k++) columns.labels[k * n + i] = words[WORDS * i + LABEL + k] ?? 0;
    columns.flags[i] = batch.flags[i] ?? 0;
  }
  bytes.set(merchants, layout.end);
  bytes.set(labels, layout.end + merchants.length);
  return bytes;
}

/** Which columns must be wide, and the time the narrow ones count from. */
function widthsOf({ size, wide, labels, merchants }: EventBatch): { base: number; flags: number } {
  if (merchants.size > U16_MAX || labels.size > U16_MAX) throw new RangeError("more texts than events may have");
  let earliest = Number.POSITIVE_INFINITY;
  let latest = 0;
  let amount = 0;
  let points = 0;
  for (let i = 0; i < size; i++) {
    const time = wide[WIDE * i + TIME] ?? 0;
    earliest = Math.min(earliest, time);
    latest = Math.max(latest, time);
    amount = Math.max(amount, wide[WIDE * i + AMOUNT] ?? 0);
    points = Math.max(points, wide[WIDE * i + POINTS_USED] ?? 0, wide[WIDE * i + POINTS_EARNED] ?? 0);
  }
  const isSpread = latest - earliest > U32_MAX;
  const flags =
    (isSpread ? WIDE_TIMES : 0) |
    (amount > U32_MAX ? WIDE_AMOUNTS : 0) |
    (points > U16_MAX ? WIDE_POINTS : 0) |
    (labels.size > U8_MAX ? WIDE_LABELS : 0);
  return { base: isSpread || size === 0 ? 0 : earliest, flags };
}

interface Layout {
  readonly times: number;
  readonly amounts: number;
  readonly points: number;
  readonly hashes: number;
  readonly merchants: number;
  readonly labels: number;
  readonly flags: number;
  readonly end: number;
}

/** Where each column begins. */
function layoutOf(n: number, flags: number): Layout {
  let at = HEADER_BYTES;
  const column = (width: number, columns: number) => {
    const begin = Math.ceil(at / width) * width;
    at = begin + width * columns * n;
    return begin;
  };
  return {
    times: column(flags & WIDE_TIMES ? 8 : 4, 1),
    amounts: column(flags & WIDE_AMOUNTS ? 8 : 4, 1),
    points: column(flags & WIDE_POINTS ? 8 : 2, 2),
    hashes: column(4, HASH_COLUMNS),
    merchants: column(2, 1),
    labels: column(flags & WIDE_LABELS ? 2 : 1, LABELS),
    flags: column(1, 1),
    end: at,
  };
}

function columnsIn(buffer: ArrayBuffer, offset: number, n: number, flags: number) {
  const at = layoutOf(n, flags);
  const Times = flags & WIDE_TIMES ? Float64Array : Uint32Array;
  const Amounts = flags & WIDE_AMOUNTS ? Float64Array : Uint32Array;
  const Points = flags & WIDE_POINTS ? Float64Array : Uint16Array;
  const Labels = flags & WIDE_LABELS ? Uint16Array : Uint8Array;
  return {
    times: new Times(buffer, offset + at.times, n),
    amounts: new Amounts(buffer, offset + at.amounts, n),
    points: new Points(buffer, offset + at.points, 2 * n),
    hashes: new Uint32Array(buffer, offset + at.hashes, HASH_COLUMNS * n),
    merchants: new Uint16Array(buffer, offset + at.merchants, n),
    labels: new Labels(buffer, offset + at.labels, LABELS * n),
    flags: new Uint8Array(buffer, offset + at.flags, n),
  };
}

/** Checks the frame (magic, version, length) and every value that could not have been encoded, before anything is counted from it. */
export function decodeShardBatch(bytes: Uint8Array): Result<EventBatch, { readonly reason: string }> {
  if (bytes.byteLength < HEADER_BYTES) return err({ reason: "shorter than its header" });
  if (bytes.byteLength > SHARD_BATCH_BYTES_MAX) return err({ reason: "larger than a row may be" });
  // The columns are read in place, which wants a buffer that starts where the batch does.
  const { buffer, byteOffset } = isAligned(bytes) ? bytes : Uint8Array.from(bytes);
  const header = new Uint32Array(buffer, byteOffset, HEADER_WORDS);
  const [magic, version, n = 0, flags = 0, merchants = 0, labels = 0, textBytes = 0] = header;
  if (magic !== MAGIC) return err({ reason: "not a shard batch" });
  if (version !== VERSION) return err({ reason: `version ${version} is not known` });
  if (flags > FLAGS) return err({ reason: "an unknown flag" });
  if (n > SHARD_BATCH_EVENTS_MAX || bytes.byteLength !== layoutOf(n, flags).end + textBytes) {
    return err({ reason: "wrong length" });
  }
  const texts = readTexts(
    new Uint8Array(buffer, byteOffset + bytes.byteLength - textBytes, textBytes),
    merchants,
    labels,
  );
  if (texts === undefined) return err({ reason: "its texts cannot be read" });
  const batch = new EventBatch(n, texts.merchants, texts.labels);
  batch.size = n;
  batch.token = readToken(new Uint32Array(buffer, byteOffset + TOKEN_AT, TOKEN_WORDS));
  const base = new DataView(buffer, byteOffset).getFloat64(BASE_AT, true);
  const fault = fill(batch, columnsIn(buffer, byteOffset, n, flags), base);
  return fault === undefined ? ok(batch) : err({ reason: fault });
}

const isAligned = (bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> =>
  bytes.byteOffset % 8 === 0 && bytes.buffer instanceof ArrayBuffer;

const LINE_FEED = 10;

function readTexts(bytes: Uint8Array, merchants: number, labels: number) {
  try {
    let end = 0;
    for (let found = 0; found < merchants; found++) {
      end = bytes.indexOf(LINE_FEED, end) + 1;
      if (end === 0) return undefined;
    }
    const texts = {
      merchants: TextList.fromBytes(bytes.subarray(0, end), merchants),
      labels: TextList.fromBytes(bytes.subarray(end), labels),
    };
    return hasEmpty(texts.merchants) || hasEmpty(texts.labels) ? undefined : texts;
  } catch {
    return undefined; // Not UTF-8, or not as many as there should be: texts that no encoder wrote.
  }
}

function hasEmpty(texts: TextList): boolean {
  for (let index = 0; index < texts.size; index++) if (texts.begin(index) === texts.end(index)) return true;
  return false;
}

/** Fills in the rows. A number that is none would stop the fold in the middle, after the batch is in the journal: such a shard could never recover. */
function fill(batch: EventBatch, columns: ReturnType<typeof columnsIn>, base: number): string | undefined {
  const { size: n, wide, words } = batch;
  let texts = true;
  let isCounted = Number.isSafeInteger(base) && base >= 0;
  let flags = 0;
  for (let i = 0; i < n; i++) {
    const time = base + (columns.times[i] ?? 0);
    const amount = columns.amounts[i] ?? 0;
    const used = columns.points[i] ?? 0;
    const earned = columns.points[n + i] ?? 0;
    isCounted &&= isCount(time) && isCount(amount) && isCount(used) && isCount(earned);
    wide[WIDE * i + TIME] = time;
    wide[WIDE * i + AMOUNT] = amount;
    wide[WIDE * i + POINTS_USED] = used;
    wide[WIDE * i + POINTS_EARNED] = earned;
    for (let k = 0; k < HASH_COLUMNS; k++) words[WORDS * i + k] = columns.hashes[k * n + i] ?? 0;
    const merchant = columns.merchants[i] ?? 0;
    words[WORDS * i + MERCHANT] = merchant;
    texts &&= merchant < batch.merchants.size && columns.labels[i] !== 0;
    for (let k = 0; k < LABELS; k++) {
      const label = columns.labels[k * n + i] ?? 0;
      texts &&= label <= batch.labels.size;
      words[WORDS * i + LABEL + k] = label;
    }
    const flag = columns.flags[i] ?? 0;
    batch.flags[i] = flag;
    flags |= flag;
  }
  if (!isCounted) return "a time or an amount is none";
  if (!texts) return "an event without merchant or currency, or a text is missing";
  return flags > (IS_REFUND | HAS_USER) ? "an unknown flag" : undefined;
}

const isCount = (value: number) => value >= 0 && Number.isSafeInteger(value);

function writeToken(words: Uint32Array, token: string): void {
  if (!TOKEN_PATTERN.test(token)) throw new RangeError(`not a token: ${token}`);
  for (let k = 0; k < TOKEN_WORDS && token !== ""; k++) words[k] = Number.parseInt(token.slice(8 * k, 8 * k + 8), 16);
}

function readToken(words: Uint32Array): string {
  if (words.every((word) => word === 0)) return "";
  return Array.from(words, (word) => word.toString(16).padStart(8, "0")).join("");
}
