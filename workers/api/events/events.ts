import { archiveS3Of } from "../../aggregate/archive-s3.ts";
import { errorText } from "../../error-text.ts";
import { log } from "../../log.ts";
import type { Env } from "../env.ts";
import type { Notice } from "../notices.ts";
import { presentTime } from "../present.ts";
import { historyFrom } from "../retention.ts";
import { type ArchivedCopy, ArchiveMoved, ArchiveReader, HOUR_LINES_BYTES_MAX } from "./archive-reader.ts";
import { type EventsPage, foundNothingInTime, type Place, readPage } from "./page.ts";
import { cursorAt, type EventsParameters } from "./parameters.ts";
import { presentEvent } from "./present-event.ts";
import { SEARCH_MS_MAX, SearchAbandoned, SearchTime } from "./search-time.ts";
import { inTurn, SEARCH_PAUSE_S, SearchesFull } from "./searches.ts";
import { isPassing, pagesAfter } from "./table-pages.ts";

/** An event is in the archive so long after it was received, as long as the log's consumer keeps up: five seconds it waits, five more for company. */
export const ARCHIVED_AFTER_MS = 60_000;
/** Events of a statement when all of them are wanted. */
const TABLE_PAGE = 1_000;

/** The archive is not set up to be read: it has no S3 API. */
export class ArchiveUnreadable extends Error {}

export interface EventsReading extends EventsPage {
  readonly merchantId: string;
  readonly parameters: EventsParameters;
  readonly asOfMs: number;
  readonly damaged: number;
}

/** A page of a merchant's events; `signal` fires when whoever asked has left. Throws what `readPage` does, `SearchesFull`, `SearchAbandoned` and `ArchiveUnreadable`. */
export async function readEvents(
  env: Env,
  merchantId: string,
  parameters: EventsParameters,
  nowMs: number,
  signal: AbortSignal,
): Promise<EventsReading> {
  const { page, damaged } = await withReader(
    env,
    merchantId,
    parameters,
    (reader) => readPage(reader, parameters.query, nowMs, HOUR_LINES_BYTES_MAX),
    signal,
  );
  return { ...page, merchantId, parameters, asOfMs: nowMs, damaged };
}

export interface TableRequest {
  /** Its id. */
  readonly request: string;
  /** Fires when the reader of the table has left. */
  readonly signal: AbortSignal;
}

/**
 * All events from a page on, page by page; `first` has been read. Throws as `pagesAfter` does, and logs it: nobody else is told why a table was broken off. For a page
 * that finds no room to wait there is a pause, as for one that found nothing: the table has begun, and cannot be refused any more.
 */
export async function* allEvents(
  env: Env,
  first: EventsReading,
  nowMs: number,
  { request, signal }: TableRequest,
): AsyncGenerator<readonly ArchivedCopy[]> {
  yield first.events;
  const { parameters, merchantId } = first;
  const read = async (after: Place): Promise<EventsPage> => {
    const query = { ...parameters.query, limit: TABLE_PAGE, after };
    try {
      const { page } = await withReader(
        env,
        merchantId,
        parameters,
        (reader) => readPage(reader, query, nowMs, HOUR_LINES_BYTES_MAX),
        signal,
      );
      return page;
    } catch (error) {
      if (!(error instanceof SearchesFull)) throw error;
      return { events: [], next: after, isOutOfTime: true };
    }
  };
  const tell = (what: string, error: unknown) =>
    log("warn", what, {
      ...{ request, error, cause: errorText(error instanceof Error ? error.cause : undefined) },
      isPassing: isPassing(error),
    });
  try {
    yield* pagesAfter(first, {
      read,
      clockMs: Date.now,
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      onAgain: (error) => tell("page of a table asked for again", error),
    });
  } catch (error) {
    if (!(error instanceof SearchAbandoned)) tell("table broken off", error);
    throw error;
  }
}

/** With a reader of its own, and with another when what it had listed was compacted meanwhile. */
async function withReader(
  env: Env,
  merchantId: string,
  { filter }: EventsParameters,
  read: (reader: ArchiveReader) => Promise<EventsPage>,
  signal: AbortSignal,
): Promise<{ readonly page: EventsPage; readonly damaged: number }> {
  const s3 = archiveS3Of(env);
  if (s3 === undefined) throw new ArchiveUnreadable("ARCHIVE_S3_URL and its key are not set");
  const time = new SearchTime(Date.now, SEARCH_MS_MAX, signal);
  for (let tries = 0; ; tries++) {
    const reader = new ArchiveReader(env, s3, merchantId, filter, time);
    try {
      return { page: await inTurn(merchantId, time, async () => await read(reader)), damaged: reader.damaged.size };
    } catch (error) {
      if (!(error instanceof ArchiveMoved) || tries > 0) throw error;
    } finally {
      await reader.close();
    }
  }
}

export function presentEvents(reading: EventsReading) {
  const { merchantId, parameters, asOfMs, events, next, damaged } = reading;
  const { zone, query } = parameters;
  return {
    merchant_id: merchantId,
    timezone: zone,
    from: presentTime(query.fromMs, zone),
    to: presentTime(query.toMs, zone),
    order: query.order,
    as_of: presentTime(asOfMs, zone),
    complete_through: presentTime(asOfMs - ARCHIVED_AFTER_MS, zone),
    notices: noticesOf(damaged, query.fromMs < historyFrom(asOfMs)),
    events: events.map((event) => presentEvent(event, zone)),
    next_cursor: next === undefined ? null : cursorAt(parameters, next),
    next_after_s: foundNothingInTime(reading) ? SEARCH_PAUSE_S : 0,
  };
}

function noticesOf(damaged: number, startsBefore: boolean): Notice[] {
  const notices: Notice[] = [];
  if (startsBefore) {
    notices.push({
      code: "before_history",
      message: "The span begins before history does: what is older is not kept, and not listed.",
    });
  }
  if (damaged > 0) {
    notices.push({
      code: "archive_damaged",
      message: `${damaged} objects of the archive cannot be read: events in them are counted, and not listed.`,
    });
  }
  return notices;
}
