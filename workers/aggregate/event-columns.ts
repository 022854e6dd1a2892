import { z } from "zod";
import { DIMENSIONS } from "../../shared/breakdown.ts";
import type { CountedEvent } from "../../shared/report.ts";
import { roomFor } from "./growing.ts";
import { jsonSection, type SectionReader } from "./sections.ts";
import { TextTable } from "./text-table.ts";

/** No event: the end of a list. */
export const NONE = 0xffffffff;

const IS_REFUND = 0x8000_0000;
const HAS_USER = 0x4000_0000;
const IS_WIDE = 0x2000_0000;
const PROFILE_MASK = 0x1fff_ffff;

/** What does not fit the columns: an amount of 2^32 and more, points of 2^16 and more. */
interface Wide {
  readonly amount: number;
  readonly points_used: number;
  readonly points_earned: number;
}

const headerSchema = z.object({
  free: z.int(),
  wide: z.array(z.tuple([z.int(), z.object({ amount: z.int(), points_used: z.int(), points_earned: z.int() })])),
  profiles: z.int(),
  locations: z.int(),
});

/** Position of the location among the dimensions: it varies by merchant, the others by customer. */
const LOCATION = DIMENSIONS.indexOf("location");

/**
 * Events of small windows, 28 bytes each, in lists linked by number. All dimensions but the location are one number, since the same
 * combination of method, gender, age, grade, country and device comes again and again. A freed list's events are used again.
 */
export class EventColumns {
  #next = new Uint32Array(0);
  #amount = new Uint32Array(0);
  /** Points used in the low half, earned in the high. */
  #points = new Uint32Array(0);
  #userLo = new Uint32Array(0);
  #userHi = new Uint32Array(0);
  /** Number of the combination in `#profiles`, and flags. */
  #profile = new Uint32Array(0);
  /** Number of the location in `#locations` plus one. */
  #location = new Uint32Array(0);
  #size = 0;
  #free = NONE;
  readonly #wide = new Map<number, Wide>();
  #profiles = new TextTable();
  #locations = new TextTable();

  get byteLength(): number {
    const columns = 7 * this.#next.byteLength;
    return columns + this.#profiles.byteLength + this.#locations.byteLength + 64 * this.#wide.size;
  }

  /** Puts an event before `next` in a list; answers its number, the new head. */
  add(event: CountedEvent, next: number): number {
    const at = this.#take();
    const { amount, points_used, points_earned, user } = event;
    const isWide = amount > 0xffffffff || points_used > 0xffff || points_earned > 0xffff;
    if (isWide) this.#wide.set(at, { amount, points_used, points_earned });
    this.#next[at] = next;
    this.#amount[at] = isWide ? 0 : amount;
    this.#points[at] = isWide ? 0 : points_used | (points_earned << 16);
    this.#userLo[at] = user?.lo ?? 0;
    this.#userHi[at] = user?.hi ?? 0;
    const location = event.dimensions[LOCATION];
    this.#location[at] = location === undefined ? 0 : this.#locations.intern(location) + 1;
    this.#profile[at] =
      (this.#profiles.intern(profileOf(event.dimensions)) |
        (event.type === "refund" ? IS_REFUND : 0) |
        (user === undefined ? 0 : HAS_USER) |
        (isWide ? IS_WIDE : 0)) >>>
      0;
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
    const columns = [this.#next, this.#amount, this.#points, this.#userLo, this.#userHi, this.#profile, this.#location];
    return [
      jsonSection({
        free: this.#free,
        wide: [...this.#wide],
        profiles: this.#profiles.size,
        locations: this.#locations.size,
      } satisfies z.input<typeof headerSchema>),
      this.#profiles.toBytes(),
      this.#locations.toBytes(),
      ...columns.map((column) => column.subarray(0, this.#size)),
    ];
  }

  static fromSections(reader: SectionReader): EventColumns {
    const events = new EventColumns();
    const header = headerSchema.parse(reader.json());
    events.#profiles = TextTable.fromBytes(reader.bytes(), header.profiles);
    events.#locations = TextTable.fromBytes(reader.bytes(), header.locations);
    events.#next = reader.uint32();
    events.#amount = reader.uint32();
    events.#points = reader.uint32();
    events.#userLo = reader.uint32();
    events.#userHi = reader.uint32();
    events.#profile = reader.uint32();
    events.#location = reader.uint32();
    events.#size = events.#next.length;
    events.#free = header.free;
    for (const [at, wide] of header.wide) events.#wide.set(at, wide);
    return events;
  }

  #get(at: number): CountedEvent {
    const profile = this.#profile[at] ?? 0;
    const points = this.#points[at] ?? 0;
    const wide = profile & IS_WIDE ? this.#wide.get(at) : undefined;
    const location = this.#location[at] ?? 0;
    return {
      type: profile & IS_REFUND ? "refund" : "payment",
      amount: wide?.amount ?? this.#amount[at] ?? 0,
      points_used: wide?.points_used ?? points & 0xffff,
      points_earned: wide?.points_earned ?? points >>> 16,
      user: profile & HAS_USER ? { lo: this.#userLo[at] ?? 0, hi: this.#userHi[at] ?? 0 } : undefined,
      dimensions: dimensionsOf(
        this.#profiles.get(profile & PROFILE_MASK),
        location === 0 ? undefined : this.#locations.get(location - 1),
      ),
    };
  }

  #take(): number {
    const at = this.#free;
    if (at !== NONE) {
      this.#free = this.#next[at] ?? NONE;
      return at;
    }
    const size = this.#size + 1;
    this.#next = roomFor(this.#next, size);
    this.#amount = roomFor(this.#amount, size);
    this.#points = roomFor(this.#points, size);
    this.#userLo = roomFor(this.#userLo, size);
    this.#userHi = roomFor(this.#userHi, size);
    this.#profile = roomFor(this.#profile, size);
    this.#location = roomFor(this.#location, size);
    this.#size = size;
    return size - 1;
  }
}

/** Separates the values of a profile; no value contains control characters. */
const SEPARATOR = "\t";

function profileOf(dimensions: CountedEvent["dimensions"]): string {
  let profile = "";
  for (let i = 0; i < DIMENSIONS.length; i++) {
    if (i === LOCATION) continue;
    profile += dimensions[i] ?? "";
    profile += SEPARATOR;
  }
  return profile;
}

function dimensionsOf(profile: string, location: string | undefined): (string | undefined)[] {
  const values: (string | undefined)[] = profile
    .split(SEPARATOR, DIMENSIONS.length - 1)
    .map((value) => value || undefined);
  values.splice(LOCATION, 0, location);
  return values;
}
