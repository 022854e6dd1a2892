import { AHEAD_MAX_MS } from "../../../shared/accept-event.ts";
import { DAY_MS, HOUR_MS } from "../../../shared/window.ts";
import type { ArchivedObject } from "../../aggregate/archived-hours.ts";
import {
  type ArchivedCopy,
  type ArchiveReader,
  type EventKey,
  HOUR_OBJECTS_MAX,
  HourTooLarge,
  LINES_BYTES_MAX,
  OBJECTS_MAX,
} from "./archive-reader.ts";
import type { EventOrder } from "./event-sql.ts";
import { countedCopies, hourOf, hoursBefore } from "./first-received.ts";

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
}

/** What of a reader a page is made by. */
export type PageReader = Pick<ArchiveReader, "hours" | "objects" | "keys" | "copies">;

/** Before the first event of a span. */
export function firstPlace({ fromMs, toMs, order }: Pick<PageQuery, "fromMs" | "toMs" | "order">): Place {
  return { atMs: order === "oldest" ? fromMs : toMs, eventId: "" };
}

/**
 * Events that count, in the order of the list, after a place: up to `limit`, and fewer where many repeats or hours without any were passed over. Throws
 * `HourTooLarge` when the page would begin with an hour that has more lines than `hourBytesMax`; `ArchiveMoved`, `HistoryUnavailable`.
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
    const hours = await nextHours(reader, query, place, nowMs);
    if (hours.length === 0) return { events, next: undefined };
    let group: Group;
    try {
      group = await fitting(reader, hours, hourBytesMax);
    } catch (error) {
      if (!(error instanceof HourTooLarge) || reads === 0) throw error;
      return { events, next: place };
    }
    const wanted = query.limit - events.length;
    const keys = await nextKeys(reader, group.objects, query.order, {
      from: Math.max(query.fromMs, Math.min(...group.hoursMs)),
      to: Math.min(query.toMs, Math.max(...group.hoursMs) + HOUR_MS),
      at: place.atMs,
      id: place.eventId,
      limit: wanted + 1,
    });
    const page = keys.slice(0, wanted);
    events.push(...(await counted(reader, page)));
    const last = page.at(-1);
    place =
      keys.length > wanted && last !== undefined
        ? { atMs: last.occurred_at, eventId: last.event_id }
        : { atMs: beyond(group.hoursMs, query.order), eventId: "" };
  }
  return { events, next: place };
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

/**
 * How many identities the reader's list has in a span, repeats passed over; `tooLarge` are the starts of hours that are not in it, since they have more to read
 * than a request may.
 */
export async function countEvents(
  reader: ArchiveReader,
  { fromMs, toMs }: Pick<PageQuery, "fromMs" | "toMs">,
  nowMs: number,
): Promise<{ readonly events: number; readonly tooLarge: readonly number[] }> {
  const query = { fromMs, toMs, order: "oldest" } as const;
  const tooLarge: number[] = [];
  let events = 0;
  for (let atMs = fromMs; ; ) {
    const hours = await nextHours(reader, query, { atMs, eventId: "" }, nowMs);
    if (hours.length === 0) return { events, tooLarge };
    try {
      const { hoursMs, objects } = await fitting(reader, hours, LINES_BYTES_MAX);
      const from = Math.max(fromMs, Math.min(...hoursMs));
      events += await reader.count(objects, { from, to: Math.min(toMs, beyond(hoursMs, query.order)) });
      atMs = beyond(hoursMs, query.order);
    } catch (error) {
      if (!(error instanceof HourTooLarge)) throw error;
      tooLarge.push(error.hourMs);
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
): Promise<Group> {
  const listed = await reader.objects(hours);
  const hoursMs: number[] = [];
  const objects: ArchivedObject[] = [];
  for (const hourMs of hours) {
    const more = [...objects, ...(listed.get(hourMs) ?? [])];
    if (!fits(more)) {
      if (hoursMs.length > 0) break;
      if (linesBytes(more) > hourBytesMax || more.length > HOUR_OBJECTS_MAX)
        throw new HourTooLarge(hourMs, linesBytes(more));
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
  for (const some of statements(objects)) {
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

/** The copies of these events that count and are of the list, in its order. All hours in which one may have been counted before are asked. */
async function counted(
  reader: Pick<ArchiveReader, "objects" | "copies">,
  keys: readonly EventKey[],
): Promise<ArchivedCopy[]> {
  if (keys.length === 0) return [];
  const hours = new Set<number>();
  for (const { occurred_at, received } of keys) {
    hours.add(hourOf(occurred_at));
    for (const slot of received) for (const hourMs of hoursBefore(slot)) hours.add(hourMs);
  }
  const listed = await reader.objects([...hours].sort((a, b) => a - b));
  const ids = [...new Set(keys.map(({ event_id }) => event_id))];
  const copies: ArchivedCopy[] = [];
  for (const objects of statements([...listed.values()].flat())) copies.push(...(await reader.copies(objects, ids)));
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

/** Objects in groups of which each is one statement; one that is too large is one of its own. */
function* statements(objects: readonly ArchivedObject[]): Generator<ArchivedObject[]> {
  let group: ArchivedObject[] = [];
  for (const object of objects) {
    if (group.length > 0 && !fits([...group, object])) {
      yield group;
      group = [];
    }
    group.push(object);
  }
  if (group.length > 0) yield group;
}

function fits(objects: readonly ArchivedObject[]): boolean {
  return objects.length <= OBJECTS_MAX && linesBytes(objects) <= LINES_BYTES_MAX;
}

function linesBytes(objects: readonly ArchivedObject[]): number {
  return objects.reduce((bytes, { kind, size }) => bytes + (kind === "lines" ? size : 0), 0);
}

/** The end of the hours that were read. */
function beyond(hoursMs: readonly number[], order: EventOrder): number {
  return order === "oldest" ? Math.max(...hoursMs) + HOUR_MS : Math.min(...hoursMs);
}
