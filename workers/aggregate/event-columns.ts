import { z } from "zod";
import { DIMENSIONS } from "../../shared/breakdown.ts";
import { type EventBatch, HAS_USER, IS_REFUND } from "../../shared/event-batch.ts";
import { roomFor } from "../../shared/growing.ts";
import type { CountedEvent } from "../../shared/report.ts";
import { TextTable } from "../../shared/text-table.ts";
import { jsonSection, type SectionReader } from "./sections.ts";

/** No event: the end of a list. */
export const NONE = 0xffffffff;

/** Beside the flags of a batch. */
const IS_WIDE = 4;

/** The location varies by merchant, of the other dimensions a slice sees a few dozen values in all. */
const LOCATION = DIMENSIONS.indexOf("location");
const LABELLED = DIMENSIONS.map((_, dimension) => dimension).filter((dimension) => dimension !== LOCATION);
/** Values of one dimension that have a number; 0 is for none. An event with another one is kept aside. */
const LABELS_MAX = 255;

/** Numbers here of a batch's labels, by their numbers there; 0 for those not asked for yet. */
interface Numbers {
  readonly labels: Uint16Array;
  readonly locations: Uint32Array;
}

const wideSchema = z.object({
  type: z.enum(["payment", "refund"]),
  amount: z.int(),
  points_used: z.int(),
  points_earned: z.int(),
  user: z.object({ lo: z.int(), hi: z.int() }).optional(),
  dimensions: z.array(
    z
      .string()
      .nullable()
      .transform((value) => value ?? undefined),
  ),
});

const headerSchema = z.object({
  free: z.int(),
  wide: z.array(z.tuple([z.int(), wideSchema])),
  labels: z.array(z.array(z.string())),
  locations: z.int(),
});

/**
 * Events of small windows, 31 bytes each, in lists linked by number. The rare event that does not fit the columns (an amount of 2^32 and
 * more, points of 2^16 and more, a 256th payment method) is kept as it is. A freed list's events are used again.
 */
export class EventColumns {
  #next = new Uint32Array(0);
  #flags = new Uint8Array(0);
  #amount = new Uint32Array(0);
  /** Points used in the low half, earned in the high. */
  #points = new Uint32Array(0);
  #userLo = new Uint32Array(0);
  #userHi = new Uint32Array(0);
  /** Number of the location in `#locations` plus one. */
  #location = new Uint32Array(0);
  /** By labelled dimension, the number of each event's value in `#labels` plus one. */
  readonly #label: Uint8Array[] = LABELLED.map(() => new Uint8Array(0));
  readonly #labels: Labels[] = LABELLED.map(() => new Labels());
  #locations = new TextTable();
  readonly #wide = new Map<number, CountedEvent>();
  #size = 0;
  #free = NONE;

  get byteLength(): number {
    const columns = (6 * 4 + 1 + LABELLED.length) * this.#flags.length;
    return columns + this.#locations.byteLength + WIDE_BYTES * this.#wide.size;
  }

  /** Puts an event of a batch before `next` in a list; answers its number, the new head. */
  add(batch: EventBatch, i: number, next: number): number {
    const at = this.#take();
    const amount = batch.amount(i);
    const used = batch.pointsUsed(i);
    const earned = batch.pointsEarned(i);
    this.#next[at] = next;
    const isNarrow = amount <= 0xffffffff && used <= 0xffff && earned <= 0xffff;
    if (!isNarrow || !this.#setDimensions(at, batch, i)) {
      this.#flags[at] = IS_WIDE;
      this.#wide.set(at, batch.event(i));
      return at;
    }
    this.#amount[at] = amount;
    this.#points[at] = used | (earned << 16);
    this.#flags[at] = batch.flags[i] ?? 0;
    this.#userLo[at] = batch.userLo(i);
    this.#userHi[at] = batch.userHi(i);
    return at;
  }

  /** The events of a list, from its head. */
  *list(head: number): Generator<CountedEvent> {
    for (let at = head; at !== NONE; at = this.#next[at] ?? NONE) yield this.#get(at);
  }

  /** Gives a list's events back, to be used again. */
  free(head: number): void {
    for (let at = head; at !== NONE; ) {
      const next = this.#next[at] ?? NONE;
      this.#wide.delete(at);
      this.#next[at] = this.#free;
      this.#free = at;
      at = next;
    }
  }

  /** Everything, for a page. */
  sections(): ArrayBufferView[] {
    const words = [this.#next, this.#amount, this.#points, this.#userLo, this.#userHi, this.#location];
    return [
      jsonSection({
        free: this.#free,
        wide: [...this.#wide].map(([at, event]) => [
          at,
          { ...event, dimensions: event.dimensions.map((v) => v ?? null) },
        ]),
        labels: this.#labels.map(({ texts }) => texts),
        locations: this.#locations.size,
      } satisfies z.input<typeof headerSchema>),
      this.#locations.toBytes(),
      ...[...words, this.#flags, ...this.#label].map((column) => column.subarray(0, this.#size)),
    ];
  }

  static fromSections(reader: SectionReader): EventColumns {
    const events = new EventColumns();
    const header = headerSchema.parse(reader.json());
    events.#locations = TextTable.fromBytes(reader.bytes(), header.locations);
    events.#next = reader.uint32();
    events.#amount = reader.uint32();
    events.#points = reader.uint32();
    events.#userLo = reader.uint32();
    events.#userHi = reader.uint32();
    events.#location = reader.uint32();
    events.#flags = reader.uint8();
    LABELLED.forEach((_, column) => {
      events.#label[column] = reader.uint8();
      for (const text of header.labels[column] ?? []) events.#labels[column]?.intern(text);
    });
    events.#size = events.#next.length;
    events.#free = header.free;
    for (const [at, event] of header.wide) events.#wide.set(at, event);
    return events;
  }

  /** False when a value finds no number any more. */
  #setDimensions(at: number, batch: EventBatch, i: number): boolean {
    const numbers = this.#numbersOf(batch);
    for (let column = 0; column < LABELLED.length; column++) {
      const label = batch.label(i, 1 + (LABELLED[column] ?? 0));
      const number = label === 0 ? 0 : this.#labelNumber(numbers, batch, label, column);
      if (number > LABELS_MAX) return false;
      const own = this.#label[column];
      if (own !== undefined) own[at] = number;
    }
    const location = batch.label(i, 1 + LOCATION);
    this.#location[at] = location === 0 ? 0 : this.#locationNumber(numbers, batch, location);
    return true;
  }

  #labelNumber(numbers: Numbers, batch: EventBatch, label: number, column: number): number {
    const slot = LABELLED.length * label + column;
    const known = numbers.labels[slot] ?? 0;
    if (known > 0) return known;
    const number = this.#labels[column]?.intern(batch.labelText(label) ?? "") ?? 0;
    numbers.labels[slot] = number;
    return number;
  }

  #locationNumber(numbers: Numbers, batch: EventBatch, label: number): number {
    const known = numbers.locations[label] ?? 0;
    if (known > 0) return known;
    const { labels } = batch;
    const number = this.#locations.internBytes(labels.arena, labels.begin(label - 1), labels.end(label - 1)) + 1;
    numbers.locations[label] = number;
    return number;
  }

  /** What is known of the batch's labels here. */
  #numbersOf(batch: EventBatch): Numbers {
    const known = batch.notes.get(this);
    if (known !== undefined) return known as Numbers;
    const size = batch.labels.size + 1;
    const numbers = { labels: new Uint16Array(LABELLED.length * size), locations: new Uint32Array(size) };
    batch.notes.set(this, numbers);
    return numbers;
  }

  #get(at: number): CountedEvent {
    const wide = this.#wide.get(at);
    if (wide !== undefined) return wide;
    const flags = this.#flags[at] ?? 0;
    const points = this.#points[at] ?? 0;
    const location = this.#location[at] ?? 0;
    const dimensions = this.#label.map((numbers, column) => this.#labels[column]?.texts[(numbers[at] ?? 0) - 1]);
    dimensions.splice(LOCATION, 0, location === 0 ? undefined : this.#locations.get(location - 1));
    return {
      type: flags & IS_REFUND ? "refund" : "payment",
      amount: this.#amount[at] ?? 0,
      points_used: points & 0xffff,
      points_earned: points >>> 16,
      user: flags & HAS_USER ? { lo: this.#userLo[at] ?? 0, hi: this.#userHi[at] ?? 0 } : undefined,
      dimensions,
    };
  }

  #take(): number {
    const at = this.#free;
    if (at !== NONE) {
      this.#free = this.#next[at] ?? NONE;
      return at;
    }
    const size = this.#size + 1;
    if (size > this.#next.length) this.#makeRoom(size);
    this.#size = size;
    return size - 1;
  }

  #makeRoom(size: number): void {
    this.#next = roomFor(this.#next, size);
    this.#flags = roomFor(this.#flags, size);
    this.#amount = roomFor(this.#amount, size);
    this.#points = roomFor(this.#points, size);
    this.#userLo = roomFor(this.#userLo, size);
    this.#userHi = roomFor(this.#userHi, size);
    this.#location = roomFor(this.#location, size);
    this.#label.forEach((column, at) => {
      this.#label[at] = roomFor(column, size);
    });
  }
}

/** What an event kept aside takes, more or less. */
const WIDE_BYTES = 400;

/** The values of one dimension by number, from 1 on: few, so that a `Map` costs little and finds them fast. */
class Labels {
  readonly texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  /** The number of a value; beyond the limit the next number every time, and nothing is kept. */
  intern(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    if (this.texts.length === LABELS_MAX) return LABELS_MAX + 1;
    this.texts.push(text);
    this.#numbers.set(text, this.texts.length);
    return this.texts.length;
  }
}
