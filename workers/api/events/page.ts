import { AHEAD_MAX_MS } from "../../../shared/accept-event.ts";
import { DAY_MS, HOUR_MS } from "../../../shared/window.ts";
import type { ArchivedObject } from "../../aggregate/archived-hours.ts";
import {
  type ArchivedCopy,
  type ArchiveReader,
  type EventKey,
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

/** Before the first event of a span. */
export function firstPlace({ fromMs, toMs, order }: Pick<PageQuery, "fromMs" | "toMs" | "order">): Place {
  return { atMs: order === "oldest" ? fromMs : toMs, eventId: "" };
}

/**
 * Events that count, in the order of the list, after a place: up to `limit`, and fewer where many repeats or hours without any were passed over. Throws
 * `HourTooLarge` when the page would begin with an hour that is; `ArchiveMoved`, `HistoryUnavailable`.
 */
export async function readPage(reader: ArchiveReader, query: PageQuery, nowMs: number): Promise<EventsPage> {
  const events: ArchivedCopy[] = [];
  let place = query.after;
  for (let reads = 0; reads < READS_PER_PAGE_MAX && events.length < query.limit; reads++) {
    const hours = await nextHours(reader, query, place, nowMs);
    if (hours.length === 0) return { events, next: undefined };
    let group: Group;
    try {
      group = await fitting(reader, hours);
    } catch (error) {
      if (!(error instanceof HourTooLarge) || reads === 0) throw error;
      return { events, next: place };
    }
    const wanted = query.limit - events.length;
    const keys = await reader.keys(group.objects, query.order, {
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
  reader: ArchiveReader,
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
      const { hoursMs, objects } = await fitting(reader, hours);
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

/** As many of the hours, from the first on, as one statement may read. */
async function fitting(reader: ArchiveReader, hours: readonly number[]): Promise<Group> {
  const listed = await reader.objects(hours);
  const hoursMs: number[] = [];
  const objects: ArchivedObject[] = [];
  for (const hourMs of hours) {
    const more = [...objects, ...(listed.get(hourMs) ?? [])];
    if (!fits(more)) {
      if (hoursMs.length === 0) throw new HourTooLarge(hourMs, linesBytes(more));
      break;
    }
    hoursMs.push(hourMs);
    objects.splice(0, objects.length, ...more);
  }
  return { hoursMs, objects };
}

/** The copies of these events that count and are of the list, in its order. All hours in which one may have been counted before are asked. */
async function counted(reader: ArchiveReader, keys: readonly EventKey[]): Promise<ArchivedCopy[]> {
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
