import { AHEAD_MAX_MS } from "../../../shared/accept-event.ts";
import { err, ok, type Result } from "../../../shared/result.ts";
import { DAY_MS, HOUR_MS, WINDOW_MS, windowStart } from "../../../shared/window.ts";
import { type ArchiveS3, archiveS3Of } from "../../aggregate/archive-s3.ts";
import { invalidParameter, type Problem } from "../../http/problem.ts";
import type { Env } from "../env.ts";
import { type ArchivedCopy, ArchiveMoved, ArchiveReader, HourTooLarge, HourTooSlow } from "../events/archive-reader.ts";
import type { EventFilter } from "../events/event-sql.ts";
import { ARCHIVED_AFTER_MS } from "../events/events.ts";
import { hourOf } from "../events/first-received.ts";
import { HourListing, TooManyHours } from "../events/hour-listing.ts";
import { countEvents, firstPlace, readPage } from "../events/page.ts";
import { archiveUnreadable, tooManySearches } from "../events/refusals.ts";
import { SearchTime, SearchTooSlow } from "../events/search-time.ts";
import { inTurn, SearchesFull } from "../events/searches.ts";
import type { Asked } from "../metrics.ts";
import type { HistorySpan } from "../tiers.ts";
import { type DatedRefunds, dateRefunds } from "./date-refunds.ts";

/** How long ago the sales may be whose refunds are looked for: refunds of all the time since are read. */
export const SALE_DAYS_MAX = 92;
/** Hours of the archive that an answer takes: a manifest each, of the thousand calls that a request may make. */
export const ARCHIVE_HOURS_MAX = 500;
/** Hours of a listing: of all days there may be, it takes some 370 calls more, less whatever has no hours to be read. */
const HOURS_A_LISTING = 6;
/** Refunds that an answer reads; each is some hundred bytes of a statement, and a kilobyte in memory. */
export const REFUNDS_MAX = 10_000;
/** For refunds, and as long again for their sales: after it nothing more is begun, and what has not been read is `unread`. There is no other page. */
const SEARCH_MS_MAX = 5_000;
/** A refund may be dated before its sale by so much: they come from two clocks. */
export const BEFORE_SALE_MS = HOUR_MS;
/** Of a page, and of a parameter of a statement. */
const IDS_MAX = 1_000;

class TooManyRefunds extends Error {}

export interface SaleSpans {
  readonly merchantId: string;
  /** Of refunds; empty for all. */
  readonly currencies: readonly string[];
  /** Of sales: disjoint, in windows, one at least. */
  readonly spans: readonly HistorySpan[];
}

/** Refunds of a merchant, as the archive has them. */
export interface RefundReading extends DatedRefunds {
  /** They were made in this span, of windows. */
  readonly made: HistorySpan;
  /** What was received by then was in the archive, as far as its clock goes. */
  readonly archivedThroughMs: number;
  /** From here on there is an hour that waits to be compacted, or for which there was no time; `undefined` when there is none. */
  readonly stoppedMs: number | undefined;
  /** Starts of hours that have more than can be read, compacted as they are. */
  readonly tooLargeMs: readonly number[];
  /** Identities of payments in the spans, of the currencies; `undefined` when no refund says a sale, so that none was looked for. */
  readonly salesRead: number | undefined;
}

/** The end of the last window that an event received now may be of. */
export function madeUntil(nowMs: number): number {
  return windowStart(nowMs + AHEAD_MAX_MS) + WINDOW_MS;
}

/** In what spans a refund of these sales may have been made, up to now. */
export function madeSpan(spans: readonly HistorySpan[], nowMs: number): HistorySpan {
  const fromMs = Math.min(...spans.map((span) => span.fromMs)) - BEFORE_SALE_MS;
  const toMs = Math.max(madeUntil(nowMs), ...spans.map((span) => span.toMs));
  return { fromMs: Math.max(0, fromMs), toMs };
}

/**
 * Refunds since the sales of some spans began, each dated by its sale (docs/decisions/0071): all refunds that count are read from the archive, then the payments
 * that they say, where the spans have them. What of the archive cannot be read is left out; what is counted tells how much that is. Throws `HistoryUnavailable`
 * and `SearchAbandoned`.
 */
export async function readRefunds(env: Env, sales: SaleSpans, asked: Asked): Promise<Result<RefundReading, Problem>> {
  const s3 = archiveS3Of(env);
  if (s3 === undefined) return err(archiveUnreadable);
  try {
    return ok(await new RefundsOfSales(env, s3, sales, asked).read());
  } catch (error) {
    if (error instanceof TooManyRefunds) return err(tooManyRefunds);
    if (error instanceof TooManyHours) return err(tooManyHours);
    if (error instanceof SearchesFull) return err(tooManySearches(error));
    if (error instanceof ArchiveMoved) return err(archiveUnreadable);
    throw error;
  }
}

class RefundsOfSales {
  readonly #env: Env;
  readonly #s3: ArchiveS3;
  readonly #sales: SaleSpans;
  readonly #nowMs: number;
  readonly #signal: AbortSignal;
  readonly #listing: HourListing;
  /** Sales have a time of their own: refunds alone would be of no use. */
  #time: SearchTime;
  /** Starts of hours that wait to be compacted, or from which on there was no time. */
  readonly #waiting = new Set<number>();
  /** Of those that have more than can be read, compacted as they are. */
  readonly #tooLarge = new Set<number>();

  constructor(env: Env, s3: ArchiveS3, sales: SaleSpans, { nowMs, signal }: Asked) {
    this.#env = env;
    this.#s3 = s3;
    this.#sales = sales;
    this.#nowMs = nowMs;
    this.#signal = signal;
    this.#time = this.#newTime();
    this.#listing = new HourListing(env.ARCHIVE, { hoursMax: ARCHIVE_HOURS_MAX, hoursAListing: HOURS_A_LISTING });
  }

  #newTime(): SearchTime {
    return new SearchTime(Date.now, SEARCH_MS_MAX, this.#signal);
  }

  async read(): Promise<RefundReading> {
    return await inTurn(this.#sales.merchantId, this.#time, async () => await this.#read());
  }

  async #read(): Promise<RefundReading> {
    const { currencies, spans } = this.#sales;
    const made = madeSpan(spans, this.#nowMs);
    const ofRefunds: EventFilter = { type: "refund", currencies, values: {} };
    await this.#refuseTooMany(ofRefunds, [made]);
    const refunds = await this.#all(ofRefunds, made, REFUNDS_MAX);
    const wanted = [...new Set(refunds.map(({ refund_of }) => refund_of).filter((id) => id !== ""))];
    const ids = Array.from({ length: Math.ceil(wanted.length / IDS_MAX) }, (_, at) =>
      wanted.slice(at * IDS_MAX, (at + 1) * IDS_MAX),
    );
    const sales: ArchivedCopy[] = [];
    let salesRead: number | undefined;
    if (ids.length > 0) {
      salesRead = 0;
      this.#time = this.#newTime();
      await this.#refuseTooMany({ type: "payment", currencies: [], values: {} }, spans);
      for (const span of spans) {
        // Its currency may be another than the refund's.
        const [found, counted] = await Promise.all([
          this.#all({ type: "payment", currencies: [], values: {}, ids }, span, 2 * REFUNDS_MAX),
          this.#count({ type: "payment", currencies, values: {} }, span),
        ]);
        sales.push(...found);
        salesRead += counted;
      }
    }
    return {
      ...dateRefunds(refunds, sales),
      made,
      archivedThroughMs: Math.min(this.#nowMs - ARCHIVED_AFTER_MS, ...this.#waiting, ...this.#tooLarge),
      stoppedMs: this.#waiting.size === 0 ? undefined : Math.min(...this.#waiting),
      tooLargeMs: [...this.#tooLarge].sort((a, b) => a - b),
      salesRead,
    };
  }

  /**
   * Throws `TooManyHours` by what history knows of: before any of these is read, and also where there would be no time to read so many, so that a span is refused or not
   * whether its hours are compacted or not.
   */
  async #refuseTooMany(filter: EventFilter, spans: readonly HistorySpan[]): Promise<void> {
    const limit = ARCHIVE_HOURS_MAX + 1;
    const hours = await this.#with(filter, async (reader) => {
      const known = new Set<number>();
      for (const { fromMs, toMs } of spans) {
        for (const hourMs of await reader.hours(fromMs, toMs, "oldest", limit, this.#nowMs)) known.add(hourMs);
      }
      return known.size;
    }).catch((error: unknown) => {
      if (error instanceof SearchTooSlow) return 0;
      throw error;
    });
    if (hours >= limit) throw new TooManyHours(`more than ${ARCHIVE_HOURS_MAX} hours`);
  }

  /** All events of a list that count, in order. Throws `TooManyRefunds` when they are more than that. */
  async #all(filter: EventFilter, span: HistorySpan, eventsMax: number): Promise<ArchivedCopy[]> {
    return await this.#with(filter, async (reader) => {
      const query = { ...span, order: "oldest", limit: IDS_MAX } as const;
      const events: ArchivedCopy[] = [];
      for (let after = firstPlace(query); ; ) {
        try {
          if (reader.isLate) {
            this.#waiting.add(hourOf(after.atMs));
            return events;
          }
          const page = await readPage(reader, { ...query, after }, this.#nowMs);
          events.push(...page.events);
          if (events.length > eventsMax) throw new TooManyRefunds(`more than ${eventsMax} events`);
          if (page.next === undefined) return events;
          after = page.next;
        } catch (error) {
          if (!(error instanceof HourTooLarge || error instanceof HourTooSlow)) throw error;
          const isTooLarge = error instanceof HourTooLarge && !error.isUncompacted;
          (isTooLarge ? this.#tooLarge : this.#waiting).add(error.hourMs);
          after = { atMs: error.hourMs + HOUR_MS, eventId: "" };
        }
      }
    });
  }

  async #count(filter: EventFilter, span: HistorySpan): Promise<number> {
    const counted = await this.#with(filter, (reader) => countEvents(reader, span, this.#nowMs));
    for (const hourMs of counted.waiting) this.#waiting.add(hourMs);
    for (const hourMs of counted.tooLarge) this.#tooLarge.add(hourMs);
    return counted.events;
  }

  async #with<T>(filter: EventFilter, read: (reader: ArchiveReader) => Promise<T>): Promise<T> {
    const reader = new ArchiveReader(this.#env, this.#s3, this.#sales.merchantId, filter, this.#time, this.#listing);
    try {
      return await read(reader);
    } finally {
      await reader.close();
    }
  }
}

/** Whether refunds of sales of that time are not looked for, since all those of the time since would be read. */
export function isLongAgo(fromMs: number, nowMs: number): boolean {
  return nowMs - fromMs > SALE_DAYS_MAX * DAY_MS;
}

/** `parameter` is what reaches so far back. */
export function salesLongAgo(parameter: "from" | "compare"): Problem {
  const what = parameter === "from" ? "a span" : "the base";
  const detail = `Refunds of a sale are looked for from then until now: with refunds_by=sale ${what} begins ${SALE_DAYS_MAX} days ago at the most.`;
  return invalidParameter(parameter, "sales_too_long_ago", detail);
}

const tooManyRefunds = invalidParameter(
  "refunds_by",
  "too_many_refunds",
  `With refunds_by=sale an answer reads ${REFUNDS_MAX} refunds at the most, from the start of the span until now. Ask for a span that begins later, or for one currency.`,
);

const tooManyHours = invalidParameter(
  "refunds_by",
  "too_many_archive_hours",
  `With refunds_by=sale an answer reads ${ARCHIVE_HOURS_MAX} hours of the archive at the most, of those that have payments in the span or refunds since it began. Ask for a shorter span, or one that begins later.`,
);
