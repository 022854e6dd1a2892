import { HistoryUnavailable } from "../history.ts";
import { ArchiveMoved, HourTooSlow } from "./archive-reader.ts";
import { type EventsPage, foundNothingInTime, type Place } from "./page.ts";
import { SEARCH_END_MS_MAX } from "./search-time.ts";
import { SEARCH_PAUSE_S } from "./searches.ts";

/** Pages of one table: each takes some of the thousand calls that a request may make. */
export const TABLE_PAGES_MAX = 100;
/** How often a page is asked for before the table is broken off. */
export const PAGE_TRIES_MAX = 2;
/** Between two tries: what other searches keep busy has done with some of them, and a circuit that opened tries again. */
export const PAGE_PAUSE_MS = 1_000;
/** What a table's pages take at the most, each asked for once: beyond it no page is asked for again. */
export const TABLE_MS_MAX = TABLE_PAGES_MAX * SEARCH_END_MS_MAX;

export interface TableReader {
  /** The next page of the list. Throws as `readPage` does. */
  readonly read: (after: Place) => Promise<EventsPage>;
  readonly clockMs: () => number;
  readonly wait: (ms: number) => Promise<void>;
  /** A page is going to be asked for again, because of this. */
  readonly onAgain: (error: unknown) => void;
}

/**
 * The pages of a table after its first, which has been answered, so that nothing but breaking off can tell that there are no more: a page that was too slow, or could
 * not be read right now, is asked for once more, and after one that found nothing in time, the first among them, there is a pause. Throws what the last try threw, and
 * when there are more pages than one table takes.
 */
export async function* pagesAfter(first: EventsPage, reader: TableReader): AsyncGenerator<EventsPage["events"]> {
  const sinceMs = reader.clockMs();
  let page = first;
  for (let pages = 1; page.next !== undefined; pages++) {
    if (pages === TABLE_PAGES_MAX) throw new Error(`more than ${TABLE_PAGES_MAX} pages of events in one table`);
    if (foundNothingInTime(page)) await reader.wait(SEARCH_PAUSE_S * 1_000);
    page = await readAgain(page.next, reader, sinceMs + TABLE_MS_MAX);
    yield page.events;
  }
}

async function readAgain(after: Place, reader: TableReader, endMs: number): Promise<EventsPage> {
  for (let tries = 1; ; tries++) {
    try {
      return await reader.read(after);
    } catch (error) {
      const isTime = reader.clockMs() + PAGE_PAUSE_MS + SEARCH_END_MS_MAX <= endMs;
      if (tries === PAGE_TRIES_MAX || !isTime || !isPassing(error)) throw error;
      reader.onAgain(error);
      await reader.wait(PAGE_PAUSE_MS);
    }
  }
}

/** Whether it may be otherwise a second later. What an hour has too much of, it has until it is compacted. */
export function isPassing(error: unknown): boolean {
  return error instanceof HourTooSlow || error instanceof HistoryUnavailable || error instanceof ArchiveMoved;
}
