import { HOUR_MS } from "../../../shared/window.ts";
import { archiveS3Of } from "../../aggregate/archive-s3.ts";
import type { Problem } from "../../http/problem.ts";
import type { Env } from "../env.ts";
import type { Notice } from "../notices.ts";
import { presentTime } from "../present.ts";
import {
  type ArchivedCopy,
  ArchiveMoved,
  ArchiveReader,
  HOUR_LINES_BYTES_MAX,
  type HourTooLarge,
} from "./archive-reader.ts";
import { type EventsPage, type Place, readPage } from "./page.ts";
import { cursorAt, type EventsParameters } from "./parameters.ts";
import { presentEvent } from "./present-event.ts";

/** An event is in the archive so long after it was received, as long as the log's consumer keeps up: five seconds it waits, five more for company. */
export const ARCHIVED_AFTER_MS = 60_000;
/** Events of a statement when all of them are wanted. */
const CSV_PAGE = 1_000;
/** Pages of one table: each takes some of the thousand calls that a request may make. */
const CSV_PAGES_MAX = 100;

/** The archive is not set up to be read: it has no S3 API. */
export class ArchiveUnreadable extends Error {}

export interface EventsReading extends EventsPage {
  readonly merchantId: string;
  readonly parameters: EventsParameters;
  readonly asOfMs: number;
  readonly damaged: number;
}

/** A page of a merchant's events. Throws what `readPage` does, and `ArchiveUnreadable`. */
export async function readEvents(
  env: Env,
  merchantId: string,
  parameters: EventsParameters,
  nowMs: number,
): Promise<EventsReading> {
  const { page, damaged } = await withReader(env, merchantId, parameters, (reader) =>
    readPage(reader, parameters.query, nowMs, HOUR_LINES_BYTES_MAX),
  );
  return { ...page, merchantId, parameters, asOfMs: nowMs, damaged };
}

/** All events from a page on, page by page; `first` has been read. Throws when there are more than one table takes. */
export async function* allEvents(env: Env, first: EventsReading, nowMs: number): AsyncGenerator<ArchivedCopy> {
  yield* first.events;
  let next: Place | undefined = first.next;
  const { parameters, merchantId } = first;
  for (let pages = 1; next !== undefined; pages++) {
    if (pages === CSV_PAGES_MAX) throw new Error(`more than ${CSV_PAGES_MAX} pages of events in one table`);
    const query = { ...parameters.query, limit: CSV_PAGE, after: next };
    const { page } = await withReader(env, merchantId, parameters, (reader) =>
      readPage(reader, query, nowMs, HOUR_LINES_BYTES_MAX),
    );
    yield* page.events;
    next = page.next;
  }
}

/** With a reader of its own, and with another when what it had listed was compacted meanwhile. */
async function withReader(
  env: Env,
  merchantId: string,
  { filter }: EventsParameters,
  read: (reader: ArchiveReader) => Promise<EventsPage>,
): Promise<{ readonly page: EventsPage; readonly damaged: number }> {
  const s3 = archiveS3Of(env);
  if (s3 === undefined) throw new ArchiveUnreadable("ARCHIVE_S3_URL and its key are not set");
  for (let tries = 0; ; tries++) {
    const reader = new ArchiveReader(env, s3, merchantId, filter);
    try {
      return { page: await read(reader), damaged: reader.damaged.size };
    } catch (error) {
      if (!(error instanceof ArchiveMoved) || tries > 0) throw error;
    } finally {
      await reader.close();
    }
  }
}

export function presentEvents({ merchantId, parameters, asOfMs, events, next, damaged }: EventsReading) {
  const { zone, query } = parameters;
  return {
    merchant_id: merchantId,
    timezone: zone,
    from: presentTime(query.fromMs, zone),
    to: presentTime(query.toMs, zone),
    order: query.order,
    as_of: presentTime(asOfMs, zone),
    complete_through: presentTime(asOfMs - ARCHIVED_AFTER_MS, zone),
    notices: noticesOf(damaged),
    events: events.map((event) => presentEvent(event, zone)),
    next_cursor: next === undefined ? null : cursorAt(parameters, next),
  };
}

function noticesOf(damaged: number): Notice[] {
  if (damaged === 0) return [];
  return [
    {
      code: "archive_damaged",
      message: `${damaged} objects of the archive cannot be read: events in them are counted, and not listed.`,
    },
  ];
}

export const archiveUnreadable: Problem = {
  status: 503,
  code: "archive_unreadable",
  title: "Single events cannot be read right now",
  detail: "Metrics and reports can.",
  retryAfterS: 60,
};

/** Hours are compacted a day and some hours after they end: until then every merchant's lines stand together. */
export function hourTooLarge({ hourMs, bytes }: HourTooLarge, zone: string): Problem {
  const [hour, end] = [hourMs, hourMs + HOUR_MS].map((ms) => presentTime(ms, zone));
  return {
    status: 503,
    code: "hour_not_compacted",
    title: "An hour of the archive is too large to be searched before it is sorted by merchant",
    detail: `From ${hour} to ${end} there are ${bytes} bytes that are not sorted yet, of which ${HOUR_LINES_BYTES_MAX} can be searched. They are some 31 hours after the hour has ended; until then ask for a span without it. Metrics and reports have its numbers.`,
    retryAfterS: 3_600,
    extensions: { hour, bytes, bytes_max: HOUR_LINES_BYTES_MAX },
  };
}
