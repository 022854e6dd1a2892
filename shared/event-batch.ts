import { DIMENSIONS } from "./breakdown.ts";
import type { PaymentEvent } from "./event.ts";
import { roomFor } from "./growing.ts";
import { fingerprint, userHash } from "./identity.ts";
import { keepCompiled } from "./keep-compiled.ts";
import { LabelDictionary } from "./label-dictionary.ts";
import type { CountedEvent } from "./report.ts";
import type { SipKey } from "./siphash.ts";
import { TEXT_BYTES_TYPICAL, TextList, TextTable } from "./text-table.ts";

/** Numbers of an event that may take 53 bits: `occurred_at`, `amount`, `points_used`, `points_earned`. */
export const WIDE = 4;
export const TIME = 0;
export const AMOUNT = 1;
export const POINTS_USED = 2;
export const POINTS_EARNED = 3;
/** Labels: the currency, then the dimensions in their order. */
export const LABELS = 1 + DIMENSIONS.length;
/** Words of 32 bits of an event: both halves of its fingerprint and of its user's hash, its merchant, its labels. */
export const WORDS = 5 + LABELS;
export const ID_LO = 0;
export const ID_HI = 1;
export const USER_LO = 2;
export const USER_HI = 3;
export const MERCHANT = 4;
export const LABEL = 5;
export const IS_REFUND = 1;
export const HAS_USER = 2;

const CAPACITY_MIN = 8;

/**
 * What is counted of events, packed row by row, each distinct text once: 85 bytes an event and no object. A batch is made by adding
 * events, or comes from `messages/shard-batch.ts`; columns are read in place, by the offsets above.
 */
export class EventBatch {
  size = 0;
  /** Of the request whose events these are, when it counts them directly; what a shard remembers it by. Empty for none. */
  token = "";
  wide: Float64Array;
  words: Uint32Array;
  flags: Uint8Array;
  readonly merchants: TextList;
  /** Number 0 is none: the label of number n stands at n − 1. */
  readonly labels: TextList;
  /** What readers of the batch noted about its texts, by reader: it goes when the batch goes. */
  readonly notes = new Map<object, object>();
  #dictionary: LabelDictionary | undefined;
  /** Number in the dictionary plus one, by label; 0 of those not asked for yet. */
  #numbers = new Uint32Array(0);

  constructor(
    capacity = CAPACITY_MIN,
    merchants: TextList = new TextTable(capacity),
    labels: TextList = new TextTable(),
  ) {
    const room = Math.max(CAPACITY_MIN, capacity);
    this.wide = new Float64Array(WIDE * room);
    this.words = new Uint32Array(WORDS * room);
    this.flags = new Uint8Array(room);
    this.merchants = merchants;
    this.labels = labels;
  }

  occurredAt(i: number): number {
    return this.wide[WIDE * i] ?? 0;
  }

  amount(i: number): number {
    return this.wide[WIDE * i + AMOUNT] ?? 0;
  }

  fingerprintLo(i: number): number {
    return this.words[WORDS * i] ?? 0;
  }

  fingerprintHi(i: number): number {
    return this.words[WORDS * i + ID_HI] ?? 0;
  }

  /** Number of the event's merchant in `merchants`. */
  merchant(i: number): number {
    return this.words[WORDS * i + MERCHANT] ?? 0;
  }

  merchantId(i: number): string {
    return this.merchants.get(this.merchant(i));
  }

  currency(i: number): string {
    return this.labelText(this.label(i, 0)) ?? "";
  }

  isRefund(i: number): boolean {
    return ((this.flags[i] ?? 0) & IS_REFUND) !== 0;
  }

  hasUser(i: number): boolean {
    return ((this.flags[i] ?? 0) & HAS_USER) !== 0;
  }

  userLo(i: number): number {
    return this.words[WORDS * i + USER_LO] ?? 0;
  }

  userHi(i: number): number {
    return this.words[WORDS * i + USER_HI] ?? 0;
  }

  pointsUsed(i: number): number {
    return this.wide[WIDE * i + POINTS_USED] ?? 0;
  }

  pointsEarned(i: number): number {
    return this.wide[WIDE * i + POINTS_EARNED] ?? 0;
  }

  /** The event as a report counts it. */
  event(i: number): CountedEvent {
    return {
      type: this.isRefund(i) ? "refund" : "payment",
      amount: this.amount(i),
      points_used: this.pointsUsed(i),
      points_earned: this.pointsEarned(i),
      user: this.hasUser(i) ? { lo: this.userLo(i), hi: this.userHi(i) } : undefined,
      dimensions: DIMENSIONS.map((_, at) => this.labelText(this.label(i, 1 + at))),
    };
  }

  /** Number of a label of the event, 0 for none: column 0 is the currency, then the dimensions. */
  label(i: number, column: number): number {
    return this.words[WORDS * i + LABEL + column] ?? 0;
  }

  /** What `numberOf` speaks. */
  get dictionary(): LabelDictionary {
    this.#dictionary ??= LabelDictionary.current();
    return this.#dictionary;
  }

  /** The number of a label, which is not 0, in the dictionary. */
  numberOf(label: number): number {
    const known = this.#numbers[label] ?? 0;
    if (known > 0) return known - 1;
    const number = this.dictionary.numberOf(this.labels, label - 1);
    this.#numbers = roomFor(this.#numbers, this.labels.size + 1);
    this.#numbers[label] = number + 1;
    return number;
  }

  labelText(label: number): string | undefined {
    return label === 0 ? undefined : this.dictionary.text(this.numberOf(label));
  }

  /** So many more events can be added without growing. */
  makeRoom(events: number): void {
    const needed = this.size + events;
    if (needed > this.flags.length) this.#grow(Math.max(needed, this.size === 0 ? 0 : 2 * this.flags.length));
  }

  /** Makes room for one more event, whose words are all zero, and answers its position; the caller fills it in. */
  take(): number {
    const at = this.size;
    if (at === this.flags.length) this.#grow(2 * at);
    this.size = at + 1;
    return at;
  }

  /** Adds an event whose `user.id` is hashed already. */
  add(event: PaymentEvent, identityKey: SipKey): void {
    const at = this.take();
    const { user } = event;
    this.wide.set([event.occurred_at, event.amount, event.points_used, event.points_earned], WIDE * at);
    const words = WORDS * at;
    const id = fingerprint(identityKey, event.merchant_id, event.event_id, scratch);
    this.words[words] = id.lo;
    this.words[words + ID_HI] = id.hi;
    this.flags[at] = (event.type === "refund" ? IS_REFUND : 0) | (user?.id === undefined ? 0 : HAS_USER);
    if (user?.id !== undefined) {
      const { lo, hi } = userHash(user.id);
      this.words[words + USER_LO] = lo;
      this.words[words + USER_HI] = hi;
    }
    this.words[words + MERCHANT] = tableOf(this.merchants).intern(event.merchant_id);
    const labels = [
      event.currency,
      event.payment_method,
      user?.gender,
      user?.age_band,
      user?.grade,
      user?.country,
      user?.device,
      event.merchant?.location,
    ];
    labels.forEach((label, column) => {
      if (label !== undefined) this.words[words + LABEL + column] = tableOf(this.labels).intern(label) + 1;
    });
  }

  /** Adds the `i`-th event of another batch, its texts by where they stand in this one. */
  addFrom(source: EventBatch, i: number, merchants: ListMapping, labels: ListMapping): void {
    const at = this.take();
    const { wide, words } = this;
    const { wide: sourceWide, words: sourceWords } = source;
    const fromWide = WIDE * i;
    const toWide = WIDE * at;
    for (let k = 0; k < WIDE; k++) wide[toWide + k] = sourceWide[fromWide + k] as number;
    const from = WORDS * i;
    const to = WORDS * at;
    for (let k = 0; k < MERCHANT; k++) words[to + k] = sourceWords[from + k] as number;
    words[to + MERCHANT] = merchants.numberOf(sourceWords[from + MERCHANT] as number);
    for (let k = LABEL; k < WORDS; k++) {
      const label = sourceWords[from + k] as number;
      words[to + k] = label === 0 ? 0 : labels.numberOf(label - 1) + 1;
    }
    this.flags[at] = source.flags[i] as number;
  }

  /** The events from `from` up to `to`, as a batch of their own. */
  slice(from: number, to: number): EventBatch {
    const part = new EventBatch(to - from, new TextList(), new TextList());
    const merchants = new ListMapping(this.merchants, part.merchants);
    const labels = new ListMapping(this.labels, part.labels);
    for (let i = from; i < to; i++) part.addFrom(this, i, merchants, labels);
    return part;
  }

  #grow(room: number): void {
    const [wide, words, flags] = [new Float64Array(WIDE * room), new Uint32Array(WORDS * room), new Uint8Array(room)];
    wide.set(this.wide);
    words.set(this.words);
    flags.set(this.flags);
    this.wide = wide;
    this.words = words;
    this.flags = flags;
  }
}

/** Of a shard's part of a request: with room for so many a list is not copied again and again while it grows. */
const TEXTS_TYPICAL = 64;

/** Texts of one list in another that begins empty: each is copied when it is first asked for. */
export class ListMapping {
  readonly #source: TextList;
  readonly #target: TextList;
  /** Numbers in the source, and what they stand for here; the numbers themselves unless given. */
  #by: Uint32Array | undefined;
  /** The number there plus one, by the number here; 0 for those not asked for yet. */
  #numbers: Uint32Array<ArrayBuffer>;

  constructor(source: TextList, target: TextList) {
    this.#source = source;
    this.#target = target;
    target.makeRoom(TEXTS_TYPICAL, TEXT_BYTES_TYPICAL * TEXTS_TYPICAL);
    this.#numbers = new Uint32Array(source.size);
  }

  /** From now on numbers are of another list, of which `numbers` says where each text stands in the source. The source may have grown. */
  readThrough(numbers: Uint32Array): void {
    this.#by = numbers;
    if (this.#numbers.length < this.#source.size) this.#numbers = roomFor(this.#numbers, this.#source.size);
  }

  numberOf(given: number): number {
    const number = this.#by === undefined ? given : (this.#by[given] as number);
    const known = this.#numbers[number] as number;
    return known > 0 ? known - 1 : this.#copy(number);
  }

  #copy(number: number): number {
    const source = this.#source;
    const own = this.#target.append(source.arena, source.begin(number), source.end(number));
    this.#numbers[number] = own + 1;
    return own;
  }
}

/** A batch that was read, or cut out of another, has lists, in which nothing can be looked up: nothing is added to it. */
function tableOf(texts: TextList): TextTable {
  if (texts instanceof TextTable) return texts;
  throw new Error("nothing can be added to a batch that was read");
}

/** The events, whose users are hashed already, as a batch. */
export function batchOf(events: Iterable<PaymentEvent>, identityKey: SipKey): EventBatch {
  const batch = new EventBatch();
  for (const event of events) batch.add(event, identityKey);
  return batch;
}

const scratch = { lo: 0, hi: 0 };

keepCompiled(new EventBatch(), new ListMapping(new TextList(), new TextList()));
