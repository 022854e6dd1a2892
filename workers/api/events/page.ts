import { AHEAD_MAX_MS } from "../../../shared/accept-event.ts";
import { DAY_MS, HOUR_MS } from "../../../shared/window.ts";
import type { ArchivedObject } from "../../aggregate/archived-hours.ts";
import {
  type ArchivedCopy,
  type ArchiveReader,
  type EventKey,
  GROUP_OBJECTS_MAX,
  HOUR_OBJECTS_MAX,
  HourTooLarge,
  HourTooSlow,
  LINES_BYTES_MAX,
  OBJECTS_MAX,
  ORDERED_AT_ONCE,
  ORDERED_OBJECTS_MAX,
} from "./archive-reader.ts";
import type { EventOrder } from "./event-sql.ts";
import { countedCopies, hourOf, hoursBefore } from "./first-received.ts";
import { SearchTooSlow } from "./search-time.ts";

/** Hours that are read by one statement: each Parquet costs some requests, however little of it is read. */
export const HOURS_PER_READ_MAX = 24;
/** After so many statements a page ends where it is, full or not. */
export const READS_PER_PAGE_MAX = 8;
/** Younger hours are looked into whether history knows of events there or not: their windows may still be on their way. */
const IN_HISTORY_MS = 2 * DAY_MS;

/** A place between events: after the one at a moment with an id, in the order of the list; without an id between all of the moment and what is beside it. */
export interface Place {
  readonly atMs: number;
  readonly eventId: string;
}

export interface PageQuery {
  readonly fromMs: number;
  readonly toMs: number;
  readonly order: EventOrder;
  readonly limit: number;
  readonly after: Place;
}

export interface EventsPage {
  readonly events: readonly ArchivedCopy[];
  /** Where the list goes on; `undefined` at its end. */
  readonly next: Place | undefined;
  /** Whether the page ends where it does because there was no time for more. */
  readonly isOutOfTime: boolean;
}

/** What was read together. */
type Read = Omit<EventsPage, "isOutOfTime">;

/** What of a reader a page is made by. */
export type PageReader = Pick<ArchiveReader, "hours" | "objects" | "keys" | "copies" | "isLate">;

/** Before the first event of a span. */
export function firstPlace({ fromMs, toMs, order }: Pick<PageQuery, "fromMs" | "toMs" | "order">): Place {
  return { atMs: order === "oldest" ? fromMs : toMs, eventId: "" };
}

/**
 * Events that count, in the order of the list, after a place: up to `limit`, and fewer where many repeats or hours without any were passed over, or when the time is
 * up. Throws `HourTooLarge` when the page would begin with an hour that has more lines than `hourBytesMax`, and `HourTooSlow` when its beginning is not found in
 * time; `ArchiveMoved`, `HistoryUnavailable`.
 */
export async function readPage(
  reader: PageReader,
  query: PageQuery,
  nowMs: number,
  hourBytesMax: number = LINES_BYTES_MAX,
): Promise<EventsPage> {
  const events: ArchivedCopy[] = [];
  let place = query.after;
  for (let reads = 0; reads < READS_PER_PAGE_MAX && events.length < query.limit; reads++) {
    if (reader.isLate) return { events, next: place, isOutOfTime: true };
    const wanted = { ...query, after: place, limit: query.limit - events.length };
    try {
      const page = await readGroup(reader, wanted, nowMs, hourBytesMax);
      events.push(...page.events);
      if (page.next === undefined) return { events, next: undefined, isOutOfTime: false };
      place = page.next;
    } catch (error) {
      const isOutOfTime = error instanceof HourTooSlow;
      if (reads === 0 || !(isOutOfTime || error instanceof HourTooLarge)) throw error;
      return { events, next: place, isOutOfTime };
    }
  }
  return { events, next: place, isOutOfTime: false };
}

/** Whether there was no time to find anything: what the page says of the list is where it goes on, the same place perhaps. */
export function foundNothingInTime({ events, isOutOfTime }: Pick<EventsPage, "events" | "isOutOfTime">): boolean {
  return isOutOfTime && events.length === 0;
}

/** Of the next hours that are read together. Throws `HourTooSlow` of the first of them. */
async function readGroup(reader: PageReader, query: PageQuery, nowMs: number, hourBytesMax: number): Promise<Read> {
  let beginsMs = hourAt(query.after, query);
  const read: (readonly ArchivedObject[])[] = [];
  try {
    const hours = await nextHours(reader, query, query.after, nowMs);
    if (hours.length === 0) return { events: [], next: undefined };
    const group = await fitting(reader, hours, hourBytesMax);
    beginsMs = group.hoursMs[0] ?? beginsMs;
    read.push(group.objects);
    const { keys, next } = await nextPlaces(reader, query, group);
    if (keys.length === 0) return { events: [], next };
    const objects = await objectsOfCopies(reader, keys);
    read.push(objects);
    return { events: await counted(reader, keys, objects), next };
  } catch (error) {
    if (error instanceof SearchTooSlow) throw new HourTooSlow(beginsMs, uncompactedHour(read), { cause: error });
    throw error;
  }
}

/** Which events of the group come next, repeats among them, and where the list goes on after them. */
async function nextPlaces(
  reader: Pick<ArchiveReader, "keys">,
  { fromMs, toMs, after, limit, order }: PageQuery,
  group: Group,
): Promise<{ readonly keys: readonly EventKey[]; readonly next: Place }> {
  const keys = await nextKeys(reader, group.objects, order, {
    from: Math.max(fromMs, Math.min(...group.hoursMs)),
    to: Math.min(toMs, Math.max(...group.hoursMs) + HOUR_MS),
    at: after.atMs,
    id: after.eventId,
    limit: limit + 1,
  });
  const last = keys[limit - 1];
  const next =
    keys.length > limit && last !== undefined
      ? { atMs: last.occurred_at, eventId: last.event_id }
      : { atMs: beyond(group.hoursMs, order), eventId: "" };
  return { keys: keys.slice(0, limit), next };
}

/** The first hour that waits to be compacted, of lists of objects. Some lines beside Parquet came late, and are read as fast as it is. */
function uncompactedHour(lists: readonly (readonly ArchivedObject[])[]): number | undefined {
  for (const objects of lists) {
    for (const [hourMs, own] of Map.groupBy(objects, (object) => object.hourMs)) {
      const lines = own.filter(({ kind }) => kind === "lines");
      if (lines.length > 0 && (lines.length === own.length || !fits(lines, GROUP_OBJECTS_MAX))) return hourMs;
    }
  }
  return undefined;
}

/** Of a list that goes on after a place, the hour in which it does. */
function hourAt({ atMs, eventId }: Place, { order }: Pick<PageQuery, "order">): number {
  return hourOf(order === "oldest" || eventId !== "" ? atMs : Math.max(0, atMs - 1));
}

/** The next hours that may have events of the list: those history knows of, and all of the last days. */
async function nextHours(
  reader: Pick<ArchiveReader, "hours">,
  query: Pick<PageQuery, "fromMs" | "toMs" | "order">,
  place: Place,
  nowMs: number,
): Promise<number[]> {
  const { order } = query;
  const fromMs = order === "oldest" ? Math.max(query.fromMs, hourOf(place.atMs)) : query.fromMs;
  // Nothing can have been received that is further ahead.
  const endMs = Math.min(query.toMs, nowMs + AHEAD_MAX_MS);
  const toMs = order === "newest" ? Math.min(endMs, place.eventId === "" ? place.atMs : place.atMs + 1) : endMs;
  const recentMs = hourOf(nowMs - IN_HISTORY_MS);
  const recent: number[] = [];
  for (let hourMs = Math.max(hourOf(fromMs), recentMs); hourMs < toMs; hourMs += HOUR_MS) recent.push(hourMs);
  const past = async () =>
    fromMs < Math.min(toMs, recentMs)
      ? await reader.hours(hourOf(fromMs), Math.min(toMs, recentMs), order, HOURS_PER_READ_MAX, nowMs)
      : [];
  if (order === "newest") {
    recent.reverse();
    return recent.length >= HOURS_PER_READ_MAX
      ? recent.slice(0, HOURS_PER_READ_MAX)
      : [...recent, ...(await past())].slice(0, HOURS_PER_READ_MAX);
  }
  return [...(await past()), ...recent].slice(0, HOURS_PER_READ_MAX);
}

/** Hours that were passed over, by their starts. */
export interface PassedOver {
  /** They wait to be compacted, or the time was up: then the last of them stands for all after it. */
  readonly waiting: readonly number[];
  /** They have more objects than may be read, compacted as they are: no waiting changes that. */
  readonly tooLarge: readonly number[];
}

/** How many identities the reader's list has in a span, repeats passed over, without those of hours that were passed over themselves. */
export async function countEvents(
  reader: Pick<ArchiveReader, "hours" | "objects" | "count" | "isLate">,
  { fromMs, toMs }: Pick<PageQuery, "fromMs" | "toMs">,
  nowMs: number,
): Promise<PassedOver & { readonly events: number }> {
  const query = { fromMs, toMs, order: "oldest" } as const;
  const waiting: number[] = [];
  const tooLarge: number[] = [];
  let events = 0;
  for (let atMs = fromMs; ; ) {
    try {
      if (reader.isLate) throw new SearchTooSlow("nothing more is begun");
      const hours = await nextHours(reader, query, { atMs, eventId: "" }, nowMs);
      if (hours.length === 0) return { events, waiting, tooLarge };
      const { hoursMs, objects } = await fitting(reader, hours, LINES_BYTES_MAX, OBJECTS_MAX);
      const from = Math.max(fromMs, Math.min(...hoursMs));
      events += await reader.count(objects, { from, to: Math.min(toMs, beyond(hoursMs, query.order)) });
      atMs = beyond(hoursMs, query.order);
    } catch (error) {
      if (error instanceof SearchTooSlow) return { events, waiting: [...waiting, hourOf(atMs)], tooLarge };
      if (!(error instanceof HourTooLarge)) throw error;
      (error.isUncompacted ? waiting : tooLarge).push(error.hourMs);
      atMs = error.hourMs + HOUR_MS;
    }
  }
}

interface Group {
  readonly hoursMs: readonly number[];
  readonly objects: readonly ArchivedObject[];
}

/** As many of the hours, from the first on, as one statement may read; or the first alone, if several may. */
async function fitting(
  reader: Pick<ArchiveReader, "objects">,
  hours: readonly number[],
  hourBytesMax: number,
  hourObjectsMax = HOUR_OBJECTS_MAX,
): Promise<Group> {
  const listed = await reader.objects(hours);
  const hoursMs: number[] = [];
  const objects: ArchivedObject[] = [];
  for (const hourMs of hours) {
    const more = [...objects, ...(listed.get(hourMs) ?? [])];
    if (!fits(more, GROUP_OBJECTS_MAX)) {
      if (hoursMs.length > 0) break;
      if (linesBytes(more) > hourBytesMax || more.length > hourObjectsMax) {
        const parquet = more.filter(({ kind }) => kind === "parquet");
        // As Parquet, lines are one object more at the least.
        const isUncompacted = parquet.length < more.length && parquet.length < hourObjectsMax;
        throw new HourTooLarge(hourMs, { bytes: linesBytes(more), objects: more.length, isUncompacted });
      }
      return { hoursMs: [hourMs], objects: more };
    }
    hoursMs.push(hourMs);
    objects.splice(0, objects.length, ...more);
  }
  return { hoursMs, objects };
}

/** The next events of the list. Each statement answers its own next ones, so that the first of all of them are among those. */
async function nextKeys(
  reader: Pick<ArchiveReader, "keys">,
  objects: readonly ArchivedObject[],
  order: EventOrder,
  place: Parameters<ArchiveReader["keys"]>[2],
): Promise<EventKey[]> {
  const keys = new Map<string, EventKey>();
  for (const some of statements(objects, GROUP_OBJECTS_MAX)) {
    for (const key of await reader.keys(some, order, place)) {
      const before = keys.get(keyOf(key))?.received ?? [];
      keys.set(keyOf(key), { ...key, received: [...new Set([...before, ...key.received])] });
    }
  }
  const sign = order === "oldest" ? 1 : -1;
  const byPlace = (a: EventKey, b: EventKey) =>
    sign * (a.occurred_at - b.occurred_at || (a.event_id < b.event_id ? -1 : Number(a.event_id > b.event_id)));
  return [...keys.values()].sort(byPlace).slice(0, place.limit);
}

/** What there is of all hours in which a copy of these events stands, or may have been counted before. */
async function objectsOfCopies(
  reader: Pick<ArchiveReader, "objects">,
  keys: readonly EventKey[],
): Promise<readonly ArchivedObject[]> {
  const hours = new Set<number>();
  for (const { occurred_at, received } of keys) {
    hours.add(hourOf(occurred_at));
    for (const slot of received) for (const hourMs of hoursBefore(slot)) hours.add(hourMs);
  }
  const listed = await reader.objects([...hours].sort((a, b) => a - b));
  return [...listed.values()].flat();
}

/** The copies of these events, among objects of all of their hours, that count and are of the list, in its order. */
async function counted(
  reader: Pick<ArchiveReader, "copies">,
  keys: readonly EventKey[],
  objects: readonly ArchivedObject[],
): Promise<ArchivedCopy[]> {
  const ids = [...new Set(keys.map(({ event_id }) => event_id))];
  const asked = [...statements(objects, ORDERED_OBJECTS_MAX)];
  const copies: ArchivedCopy[] = [];
  for (let at = 0; at < asked.length; at += ORDERED_AT_ONCE) {
    const some = asked.slice(at, at + ORDERED_AT_ONCE).map(async (objects) => await reader.copies(objects, ids));
    copies.push(...(await Promise.all(some)).flat());
  }
  copies.sort(byReceipt);
  const wanted = new Map<string, ArchivedCopy>();
  for (const copy of countedCopies(copies)) if (copy.matches === 1) wanted.set(keyOf(copy), copy);
  return keys.flatMap((key) => wanted.get(keyOf(key)) ?? []);
}

const keyOf = ({ occurred_at, event_id }: Pick<EventKey, "occurred_at" | "event_id">) => `${occurred_at} ${event_id}`;

/** As each statement has them; where it is the same, they are of one request and of one statement. */
function byReceipt(a: ArchivedCopy, b: ArchivedCopy): number {
  return a.received_at - b.received_at || (a.batch === b.batch ? a.n - b.n : a.batch < b.batch ? -1 : 1);
}

/** Objects in groups of so many at the most, of which each is one statement; one that is too large is one of its own. */
function* statements(objects: readonly ArchivedObject[], objectsMax: number): Generator<ArchivedObject[]> {
  let group: ArchivedObject[] = [];
  for (const object of objects) {
    if (group.length > 0 && !fits([...group, object], objectsMax)) {
      yield group;
      group = [];
    }
    group.push(object);
  }
  if (group.length > 0) yield group;
}

function fits(objects: readonly ArchivedObject[], objectsMax: number): boolean {
  return objects.length <= objectsMax && linesBytes(objects) <= LINES_BYTES_MAX;
}

function linesBytes(objects: readonly ArchivedObject[]): number {
  return objects.reduce((bytes, { kind, size }) => bytes + (kind === "lines" ? size : 0), 0);
}

/** The end of the hours that were read. */
function beyond(hoursMs: readonly number[], order: EventOrder): number {
  return order === "oldest" ? Math.max(...hoursMs) + HOUR_MS : Math.min(...hoursMs);
}
