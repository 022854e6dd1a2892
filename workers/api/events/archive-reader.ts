import { type ClickHouseClient, ClickHouseError } from "@clickhouse/client-web";
import { z } from "zod";
import { HOUR_MS } from "../../../shared/window.ts";
import { type ArchiveS3, s3Parameters } from "../../aggregate/archive-s3.ts";
import type { ArchivedObject } from "../../aggregate/archived-hours.ts";
import { isDamageCode } from "../../aggregate/archived-lines.ts";
import type { CompactSources } from "../../aggregate/compact-sql.ts";
import { LINE_SETTINGS } from "../../aggregate/recount-sql.ts";
import { historyClient } from "../../history-client.ts";
import { log } from "../../log.ts";
import type { Env } from "../env.ts";
import { HISTORY_SETTINGS, outageOf } from "../history.ts";
import { searchPatiently } from "../history-circuit.ts";
import { windowsKeptFrom } from "../retention.ts";
import {
  copiesSql,
  countSql,
  type EventFilter,
  type EventOrder,
  filterParameters,
  hoursSql,
  keysSql,
  probeSql,
} from "./event-sql.ts";
import { HourListing } from "./hour-listing.ts";
import { SEARCH_END_MS_MAX, SearchAbandoned, type SearchTime, SearchTooSlow } from "./search-time.ts";

/** Of lines that are read by one statement, packed: some ten times as many unpacked, of which ClickHouse reads a hundred megabytes a second and more. */
export const LINES_BYTES_MAX = 64_000_000;
/** Of an hour's lines, in as many statements one after the other as that takes: some ten seconds each. */
export const HOUR_LINES_BYTES_MAX = 4 * LINES_BYTES_MAX;
/** How many of its objects a statement reads at a time: of small ones each takes some milliseconds, whatever is in it. */
const THREADS_MAX = 4;
/** Objects of one statement: their keys are one parameter of 128 KB. */
export const OBJECTS_MAX = 1_000;
/** Of one that tells in which order lines stand, for which it reads one after the other. */
export const ORDERED_OBJECTS_MAX = 100;
/** Of a request that waits for six connections at the most, each statement may be two: it, and what asks whether anything answers. */
export const ORDERED_AT_ONCE = 2;
/** Of hours that are read together. */
export const GROUP_OBJECTS_MAX = 100;
/** Of an hour. */
export const HOUR_OBJECTS_MAX = 4_000;
const MEMORY_BYTES_MAX = 1_000_000_000;
/** TIMEOUT_EXCEEDED */
const TIMEOUT = 159;
/** What the client says of an answer that did not come in time: it has no class of its own. */
const CLIENT_TIMEOUT = "Timeout error.";
/** S3_ERROR: not there, not allowed, or no answer. */
const S3_ERROR = 499;

/** Something that was listed has gone: it stands in a Parquet by now. */
export class ArchiveMoved extends Error {}

/** The hour has more than a request may read. */
export class HourTooLarge extends Error {
  readonly hourMs: number;
  /** Of lines. */
  readonly bytes: number;
  readonly objects: number;
  /** Whether it is because of lines, which are not compacted yet. */
  readonly isUncompacted: boolean;

  constructor(
    hourMs: number,
    { bytes, objects, isUncompacted }: Pick<HourTooLarge, "bytes" | "objects" | "isUncompacted">,
  ) {
    super(`${objects} objects, ${bytes} bytes of lines in the hour ${new Date(hourMs).toISOString()}`);
    this.hourMs = hourMs;
    this.bytes = bytes;
    this.objects = objects;
    this.isUncompacted = isUncompacted;
  }
}

/** The hour with which a page begins was not searched in time. */
export class HourTooSlow extends Error {
  readonly hourMs: number;
  /** The first hour that is not compacted, of those that had to be read: the page's own, and those in which copies of its events may stand. */
  readonly uncompactedMs: number | undefined;

  constructor(hourMs: number, uncompactedMs: number | undefined, options: ErrorOptions) {
    super(`the hour ${new Date(hourMs).toISOString()} was not searched in time`, options);
    this.hourMs = hourMs;
    this.uncompactedMs = uncompactedMs;
  }
}

const keySchema = z.object({ occurred_at: z.int(), event_id: z.string(), received: z.array(z.int()) });
export type EventKey = z.output<typeof keySchema>;

const text = z.string();
const copySchema = z.object({
  merchant_id: text,
  occurred_at: z.int(),
  event_id: text,
  type: z.enum(["payment", "refund"]),
  amount: z.int(),
  currency: text,
  payment_method: text,
  points_used: z.int(),
  points_earned: z.int(),
  refund_of: text,
  attributes: z.record(text, text),
  user_id: text,
  grade: text,
  gender: text,
  country: text,
  device: text,
  age_band: text,
  merchant_grade: text,
  location: text,
  business_type: text,
  received_at: z.int(),
  batch: text,
  n: z.int(),
  matches: z.int(),
});
/** A row of the archive; what an event lacks is empty. */
export type ArchivedCopy = z.output<typeof copySchema>;

const hourSchema = z.object({ hour: z.int() });
const countSchema = z.object({ events: z.int() });

type LineSettings = Omit<typeof LINE_SETTINGS, "max_threads"> & { readonly max_threads: number };
/** To read lines where it does not matter which stands before which. */
const ANY_ORDER: LineSettings = { ...LINE_SETTINGS, max_threads: THREADS_MAX };

/** What the archive has of one merchant, by way of ClickHouse, which reads the bucket's objects whether they are compacted or not. */
export class ArchiveReader {
  readonly #env: Env;
  readonly #s3: ArchiveS3;
  readonly #merchantId: string;
  readonly #filter: EventFilter;
  readonly #client: ClickHouseClient;
  readonly #listing: HourListing;
  readonly #time: SearchTime;
  /** Keys of what could not be read whole: nothing of it is listed, since nothing of it is counted either. */
  readonly damaged = new Set<string>();

  constructor(
    env: Env,
    s3: ArchiveS3,
    merchantId: string,
    filter: EventFilter,
    time: SearchTime,
    listing = new HourListing(env.ARCHIVE, { hoursMax: Number.POSITIVE_INFINITY, hoursAListing: 1 }),
  ) {
    this.#env = env;
    this.#listing = listing;
    this.#time = time;
    this.#s3 = s3;
    this.#merchantId = merchantId;
    this.#filter = filter;
    this.#client = historyClient(env, SEARCH_END_MS_MAX + 1_000, {
      ...HISTORY_SETTINGS,
      max_memory_usage: String(MEMORY_BYTES_MAX),
      // Else a statement goes on that nobody waits for, beside those of whoever has the turn then.
      cancel_http_readonly_queries_on_client_close: 1,
    });
  }

  /** No other hours should be begun with. */
  get isLate(): boolean {
    return this.#time.isUp;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Starts of hours of `[fromMs, toMs)` that have events, by what history has counted, the first so many in the order. */
  async hours(fromMs: number, toMs: number, order: EventOrder, limit: number, nowMs: number): Promise<number[]> {
    const rows = await this.#ask(hoursSql(this.#filter, order), hourSchema, {
      from_s: Math.floor(fromMs / 1_000),
      to_s: Math.ceil(toMs / 1_000),
      kept_from_s: windowsKeptFrom(this.#env, nowMs) / 1_000,
      limit,
    });
    return rows.map(({ hour }) => hour * HOUR_MS);
  }

  /** What there is to read of each hour. Throws what its listing does. */
  async objects(hoursMs: readonly number[]): Promise<ReadonlyMap<number, readonly ArchivedObject[]>> {
    return await this.#listing.objects(hoursMs);
  }

  /** The next events of the list among these objects. */
  async keys(
    objects: readonly ArchivedObject[],
    order: EventOrder,
    place: Readonly<Record<"from" | "to" | "at" | "limit", number> & { id: string }>,
  ): Promise<EventKey[]> {
    return await this.#read(objects, (sources) => keysSql(sources, this.#filter, order), keySchema, place);
  }

  /** How many identities the list has in `[from, to)` among these objects, whatever of their copies counts. */
  async count(objects: readonly ArchivedObject[], span: Readonly<Record<"from" | "to", number>>): Promise<number> {
    const rows = await this.#read(objects, (sources) => countSql(sources, this.#filter), countSchema, span);
    return rows.reduce((sum, { events }) => sum + events, 0);
  }

  /** All copies of some events among these objects, in the order in which they were received. */
  async copies(objects: readonly ArchivedObject[], ids: readonly string[]): Promise<ArchivedCopy[]> {
    return await this.#read(objects, (sources) => copiesSql(sources, this.#filter), copySchema, { ids }, LINE_SETTINGS);
  }

  async #read<Row>(
    objects: readonly ArchivedObject[],
    sql: (sources: CompactSources) => string,
    schema: z.ZodType<Row>,
    parameters: Readonly<Record<string, unknown>>,
    settings: LineSettings = ANY_ORDER,
  ): Promise<Row[]> {
    for (;;) {
      const sound = this.#sound(objects);
      if (sound.length === 0) return [];
      try {
        return await this.#askObjects(sound, sql, schema, parameters, settings);
      } catch (error) {
        if (!isDamage(error)) throw error;
        const before = this.damaged.size;
        await this.#findDamage(sound);
        if (this.damaged.size === before) throw error;
      }
    }
  }

  #sound(objects: readonly ArchivedObject[]): ArchivedObject[] {
    for (const { kind, key } of objects) if (kind === "unreadable") this.damaged.add(key);
    return objects.filter(({ key }) => !this.damaged.has(key));
  }

  /** One that cannot be read spoils a statement: the list is halved down to those at fault. */
  async #findDamage(objects: readonly ArchivedObject[]): Promise<void> {
    const [object] = objects;
    if (object === undefined) return;
    try {
      await this.#askObjects(objects, probeSql, z.unknown(), {}, ANY_ORDER);
    } catch (error) {
      if (!isDamage(error)) throw error;
      if (objects.length === 1) {
        log("error", "archive object damaged", { key: object.key });
        this.damaged.add(object.key);
        return;
      }
      const middle = Math.ceil(objects.length / 2);
      await this.#findDamage(objects.slice(0, middle));
      await this.#findDamage(objects.slice(middle));
    }
  }

  async #askObjects<Row>(
    objects: readonly ArchivedObject[],
    sql: (sources: CompactSources) => string,
    schema: z.ZodType<Row>,
    parameters: Readonly<Record<string, unknown>>,
    settings: LineSettings,
  ): Promise<Row[]> {
    const keysOf = (kind: ArchivedObject["kind"]) =>
      objects.filter((object) => object.kind === kind).map(({ key }) => key);
    const [lines, parquet] = [keysOf("lines"), keysOf("parquet")];
    const keys = {
      ...(lines.length > 0 ? { lines_url: lines } : {}),
      ...(parquet.length > 0 ? { parquet_url: parquet } : {}),
    };
    const query = sql({ lines: lines.length > 0, parquet: parquet.length > 0 });
    // Of Parquet the rows have numbers of their own, so that it need not be read one after the other.
    const reading = lines.length > 0 ? settings : {};
    return await this.#ask(query, schema, { ...parameters, ...s3Parameters(this.#s3, keys) }, reading);
  }

  async #ask<Row>(
    query: string,
    schema: z.ZodType<Row>,
    parameters: Readonly<Record<string, unknown>>,
    settings: Partial<LineSettings> = {},
  ): Promise<Row[]> {
    const query_params = { merchant: this.#merchantId, ...filterParameters(this.#filter), ...parameters };
    const clickhouse_settings = { ...settings, max_execution_time: Math.ceil(this.#time.leftMs / 1_000) };
    try {
      const statement = { query, query_params, clickhouse_settings, format: "JSONEachRow" } as const;
      const rows = await searchPatiently(this.#client, async (givenUp) =>
        (await this.#client.query({ ...statement, abort_signal: this.#orLeft(givenUp) })).json(),
      );
      return z.array(schema).parse(rows);
    } catch (cause) {
      if (this.#time.signal?.aborted === true)
        throw new SearchAbandoned("a statement is not waited for any more", { cause });
      if (cause instanceof z.ZodError || isDamage(cause)) throw cause;
      if (cause instanceof ClickHouseError && Number(cause.code) === S3_ERROR) {
        throw new ArchiveMoved("ClickHouse does not find an object", { cause });
      }
      if (isTimeout(cause)) {
        throw new SearchTooSlow("a statement took too long", { cause });
      }
      throw outageOf(cause);
    }
  }

  #orLeft(signal: AbortSignal): AbortSignal {
    const left = this.#time.signal;
    return left === undefined ? signal : AbortSignal.any([signal, left]);
  }
}

/** ClickHouse's, or the client's where ClickHouse waits for the bucket and does not look at its clock. */
function isTimeout(error: unknown): boolean {
  if (error instanceof ClickHouseError) return Number(error.code) === TIMEOUT;
  return error instanceof Error && error.message === CLIENT_TIMEOUT;
}

function isDamage(error: unknown): boolean {
  return error instanceof ClickHouseError && isDamageCode(Number(error.code));
}
