import { z } from "zod";
import type { EventBatch } from "../../shared/event-batch.ts";
import { grownCapacity, roomFor } from "../../shared/growing.ts";
import { ReportCounter } from "../../shared/report.ts";
import { slotOf, TextTable } from "../../shared/text-table.ts";
import type { MerchantWindow } from "../../shared/window-row.ts";
import { counterSections, readCounters } from "./counter-sections.ts";
import { EventColumns, NONE } from "./event-columns.ts";
import { jsonSection, type SectionReader } from "./sections.ts";

/** A window of so many events is smaller as counters: some 400 bytes and more, where an event takes 31. */
const SMALL_EVENTS_MAX = 16;
/** Stands for the number of events of a window that has counters. */
const GROWN = 0xff;
const LOAD_MAX = 0.75;

/** Numbers here plus one of a batch's merchants and currencies, by their numbers there. */
interface Numbers {
  readonly merchants: Uint32Array;
  readonly currencies: Uint8Array;
}

const headerSchema = z.object({ merchants: z.int(), currencies: z.int() });

/**
 * The merchants' windows of one slice, packed: most windows of most merchants stay small and are kept as their few events, about
 * 50 bytes and 31 for each event; one that grows gets counters.
 */
export class WindowTable {
  #merchants = new TextTable();
  #currencies = new TextTable();
  #events = new EventColumns();
  #counters: ReportCounter[] = [];
  #counterBytes = 0;
  /** By window, in order of their first event: who, when it last changed, and its events or counters. */
  #merchant = new Uint32Array(0);
  #currency = new Uint8Array(0);
  #revision = new Float64Array(0);
  #count = new Uint8Array(0);
  /** The first of its events, or, of a window that has grown, the number of its counters. */
  #head = new Uint32Array(0);
  #size = 0;
  /** Number of a window plus one, at a slot by merchant and currency; 0 is free. */
  #slots = new Uint32Array(grownCapacity(0));

  get size(): number {
    return this.#size;
  }

  get byteLength(): number {
    const columns =
      this.#merchant.byteLength +
      this.#currency.byteLength +
      this.#revision.byteLength +
      this.#count.byteLength +
      this.#head.byteLength +
      this.#slots.byteLength;
    const texts = this.#merchants.byteLength + this.#currencies.byteLength;
    return columns + texts + this.#events.byteLength + this.#counterBytes;
  }

  /** Counts an event of a batch in the window of its merchant and currency. */
  add(batch: EventBatch, i: number, revision: number): void {
    const at = this.#numberOf(batch, i);
    this.#revision[at] = revision;
    const count = this.#count[at] ?? 0;
    const head = this.#head[at] ?? NONE;
    if (count === GROWN) {
      const counter = this.#counters[head] as ReportCounter;
      const before = counter.byteLength;
      counter.addFrom(batch, i);
      this.#counterBytes += counter.byteLength - before;
    } else if (count < SMALL_EVENTS_MAX) {
      this.#head[at] = this.#events.add(batch, i, head);
      this.#count[at] = count + 1;
    } else {
      const counter = this.#counted(head);
      counter.addFrom(batch, i);
      this.#events.free(head);
      this.#grow(at, counter);
    }
  }

  /** The windows changed after `revision`. A report is only made of those asked for. */
  *windows(startMs: number, afterRevision: number): Generator<MerchantWindow> {
    for (let at = 0; at < this.#size; at++) {
      if ((this.#revision[at] ?? 0) > afterRevision) yield this.#window(startMs, at);
    }
  }

  /** How many `windows` gives, without making them. */
  changes(afterRevision: number): number {
    let changes = 0;
    for (let at = 0; at < this.#size; at++) if ((this.#revision[at] ?? 0) > afterRevision) changes += 1;
    return changes;
  }

  /** One merchant's windows, a currency each. */
  *windowsOf(startMs: number, merchantId: string): Generator<MerchantWindow> {
    const merchant = this.#merchants.find(merchantId);
    if (merchant < 0) return;
    for (let currency = 0; currency < this.#currencies.size; currency++) {
      const known = this.#slots[this.#find(merchant, currency)] ?? 0;
      if (known > 0) yield this.#window(startMs, known - 1);
    }
  }

  /** When the last change to a merchant's windows was made; 0 for none. No report is made for it. */
  revisionOf(merchantId: string): number {
    const merchant = this.#merchants.find(merchantId);
    let revision = 0;
    for (let currency = 0; merchant >= 0 && currency < this.#currencies.size; currency++) {
      const known = this.#slots[this.#find(merchant, currency)] ?? 0;
      if (known > 0) revision = Math.max(revision, this.#revision[known - 1] ?? 0);
    }
    return revision;
  }

  /** Everything, for a page. */
  sections(): ArrayBufferView[] {
    const columns = [this.#merchant, this.#currency, this.#revision, this.#count, this.#head];
    return [
      jsonSection({
        merchants: this.#merchants.size,
        currencies: this.#currencies.size,
      } satisfies z.input<typeof headerSchema>),
      this.#merchants.toBytes(),
      this.#currencies.toBytes(),
      ...columns.map((column) => column.subarray(0, this.#size)),
      ...this.#events.sections(),
      ...counterSections(this.#counters),
    ];
  }

  /** Reads back what `sections` gave; the index is made anew. */
  static fromSections(reader: SectionReader): WindowTable {
    const table = new WindowTable();
    const header = headerSchema.parse(reader.json());
    table.#merchants = TextTable.fromBytes(reader.bytes(), header.merchants);
    table.#currencies = TextTable.fromBytes(reader.bytes(), header.currencies);
    table.#merchant = reader.uint32();
    table.#currency = reader.uint8();
    table.#revision = reader.float64();
    table.#count = reader.uint8();
    table.#head = reader.uint32();
    table.#size = table.#merchant.length;
    table.#events = EventColumns.fromSections(reader);
    table.#counters = readCounters(reader);
    table.#counterBytes = table.#counters.reduce((bytes, { byteLength }) => bytes + byteLength, 0);
    table.#rehash(grownCapacity(table.#size / LOAD_MAX));
    return table;
  }

  #window(startMs: number, at: number): MerchantWindow {
    return {
      merchantId: this.#merchants.get(this.#merchant[at] ?? 0),
      currency: this.#currencies.get(this.#currency[at] ?? 0),
      startMs,
      revision: this.#revision[at] ?? 0,
      report: this.#counterAt(at).report(),
    };
  }

  #counterAt(at: number): ReportCounter {
    const head = this.#head[at] ?? NONE;
    return (this.#count[at] === GROWN ? this.#counters[head] : undefined) ?? this.#counted(head);
  }

  /** Counters of a list of events, made for the moment. */
  #counted(head: number): ReportCounter {
    const counter = new ReportCounter();
    for (const event of this.#events.list(head)) counter.add(event);
    return counter;
  }

  #grow(at: number, counter: ReportCounter): void {
    this.#head[at] = this.#counters.push(counter) - 1;
    this.#counterBytes += counter.byteLength;
    this.#count[at] = GROWN;
  }

  /** The number of the window an event belongs to, which it gets now if it has none. Merchant and currency are looked up once a batch. */
  #numberOf(batch: EventBatch, i: number): number {
    let numbers = batch.notes.get(this) as Numbers | undefined;
    if (numbers === undefined) {
      numbers = { merchants: new Uint32Array(batch.merchants.size), currencies: new Uint8Array(batch.labels.size + 1) };
      batch.notes.set(this, numbers);
    }
    const merchant = batch.merchant(i);
    let own = numbers.merchants[merchant] ?? 0;
    if (own === 0) {
      const { merchants } = batch;
      own = this.#merchants.internBytes(merchants.arena, merchants.begin(merchant), merchants.end(merchant)) + 1;
      numbers.merchants[merchant] = own;
    }
    const currency = batch.label(i, 0);
    let ownCurrency = numbers.currencies[currency] ?? 0;
    if (ownCurrency === 0) {
      ownCurrency = this.#currencies.intern(batch.currency(i)) + 1;
      numbers.currencies[currency] = ownCurrency;
    }
    return this.#intern(own - 1, ownCurrency - 1);
  }

  /** The number of a merchant's window in a currency, which it gets now if it has none. */
  #intern(merchant: number, currency: number): number {
    const slot = this.#find(merchant, currency);
    const known = this.#slots[slot] ?? 0;
    if (known > 0) return known - 1;
    const at = this.#size;
    this.#size = at + 1;
    this.#merchant = roomFor(this.#merchant, this.#size);
    this.#currency = roomFor(this.#currency, this.#size);
    this.#revision = roomFor(this.#revision, this.#size);
    this.#count = roomFor(this.#count, this.#size);
    this.#head = roomFor(this.#head, this.#size);
    this.#merchant[at] = merchant;
    this.#currency[at] = currency;
    this.#head[at] = NONE;
    this.#slots[slot] = this.#size;
    if (this.#size > LOAD_MAX * this.#slots.length) this.#rehash(grownCapacity(this.#slots.length));
    return at;
  }

  /** The slot of a window, or the free one where it would go. */
  #find(merchant: number, currency: number): number {
    const capacity = this.#slots.length;
    let slot = slotOf(Math.imul(merchant + 1, 0x9e3779b1 + 2 * currency) >>> 0, capacity);
    for (;;) {
      const known = this.#slots[slot] ?? 0;
      if (known === 0) return slot;
      if (this.#merchant[known - 1] === merchant && this.#currency[known - 1] === currency) return slot;
      slot = slot + 1 === capacity ? 0 : slot + 1;
    }
  }

  #rehash(capacity: number): void {
    this.#slots = new Uint32Array(capacity);
    for (let at = 0; at < this.#size; at++) {
      this.#slots[this.#find(this.#merchant[at] ?? 0, this.#currency[at] ?? 0)] = at + 1;
    }
  }
}
