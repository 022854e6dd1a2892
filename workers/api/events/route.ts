import type { Context } from "hono";
import { err, ok, type Result } from "../../../shared/result.ts";
import { inBackground } from "../../access/background.ts";
import type { Guarded } from "../../access/guarded.ts";
import { errorText } from "../../error-text.ts";
import { type Problem, problemResponse } from "../../http/problem.ts";
import { log } from "../../log.ts";
import { cachedRead } from "../cache/cached-read.ts";
import { asJson, inWords } from "../cache/in-format.ts";
import { lifetimeOf } from "../cache/lifetime.ts";
import { type Question, questionKey } from "../cache/question.ts";
import { csvFileName, csvResponse } from "../csv.ts";
import type { Env } from "../env.ts";
import { type AnswerFormat, parseFormat } from "../format.ts";
import { loadHome } from "../merchant.ts";
import { readQuery } from "../parameters.ts";
import { presentTime } from "../present.ts";
import { ArchiveMoved, HourTooLarge, HourTooSlow } from "./archive-reader.ts";
import { ArchiveUnreadable, allEvents, type EventsReading, presentEvents, readEvents } from "./events.ts";
import { foundNothingInTime } from "./page.ts";
import { EVENTS_PARAMETERS, type EventsParameters, parseEvents } from "./parameters.ts";
import { eventColumns } from "./present-event.ts";
import { archiveUnreadable, hourNotSearched, tooManySearches } from "./refusals.ts";
import { SearchesFull } from "./searches.ts";

type ApiContext = Context<Guarded<Env>>;

/**
 * `GET /v1/merchants/:merchant/events`, for a caller who may read the merchant: the payments behind a number. Pages of final windows are kept, since
 * what is archived for them later is noted as a correction; of others nothing tells when the archive has what was counted.
 */
export async function answerEvents(c: ApiContext): Promise<Response> {
  const nowMs = Date.now();
  const asked = await askEvents(c, nowMs);
  if (!asked.ok) return problemResponse(asked.error);
  const { csv, byteOrderMark } = asked.value.format;
  if (!csv && lifetimeOf(asked.value.toMs, nowMs).kind === "final") return await cachedRead(c, askEvents);
  const reading = await asked.value.read();
  if (!reading.ok) return problemResponse(reading.error);
  if (csv) return eventsCsv(c, reading.value, byteOrderMark, nowMs);
  const headers = { "Cache-Control": "private, no-store", Vary: "Accept" };
  return Response.json(presentEvents(reading.value), { headers });
}

interface EventsQuestion extends Question {
  readonly format: AnswerFormat;
  readonly read: () => Promise<Result<EventsReading, Problem>>;
}

async function askEvents(c: ApiContext, nowMs: number): Promise<Result<EventsQuestion, Problem>> {
  const { merchant } = c.var;
  const given = readQuery(c.req.queries(), EVENTS_PARAMETERS);
  if (!given.ok) return given;
  const format = parseFormat(c, given.value);
  if (!format.ok) return format;
  const home = await loadHome(c.env.DIRECTORY, merchant, nowMs);
  const parsed = parseEvents(merchant, given.value, home.timezone, nowMs);
  if (!parsed.ok) return parsed;
  const { zone, query } = parsed.value;
  const { fromMs, toMs, order, limit } = query;
  const read = () => readPageOf(c, parsed.value, nowMs);
  // The words of the span stand beside what they mean: the cursor of the next page is good for the same words only.
  const understood = { span: `${fromMs}/${toMs}`, tz: zone, order, limit, ...inWords(format.value) };
  return ok({
    merchantId: merchant,
    key: questionKey(merchant, "events", given.value, understood),
    fromMs,
    toMs,
    madeFromMs: fromMs,
    answer: async () => {
      const reading = await read();
      if (!reading.ok) return reading;
      const { asOfMs, damaged } = reading.value;
      // Kept for those that come later, it would lead each of them to itself, or have them wait for what might be found at once.
      const isPartial = damaged > 0 || foundNothingInTime(reading.value);
      return asJson(presentEvents(reading.value), { asOfMs, isPartial });
    },
    format: format.value,
    read,
  });
}

async function readPageOf(
  c: ApiContext,
  parameters: EventsParameters,
  nowMs: number,
): Promise<Result<EventsReading, Problem>> {
  const reading = readEvents(c.env, c.var.merchant, parameters, nowMs, c.req.raw.signal);
  // Also when the caller has left: the runtime would just stop, and the search neither end nor give its turn to others until it is too old to go on.
  inBackground(
    c,
    "searching the archive",
    reading.catch(() => {}),
  );
  try {
    return ok(await reading);
  } catch (error) {
    if (error instanceof HourTooLarge || error instanceof HourTooSlow) {
      return err(hourNotSearched(error, parameters.zone));
    }
    if (error instanceof SearchesFull) return err(tooManySearches(error));
    if (!(error instanceof ArchiveMoved || error instanceof ArchiveUnreadable)) throw error;
    log("warn", "archive unreadable", { request: c.var.requestId, error, cause: errorText(error.cause) });
    return err(archiveUnreadable);
  }
}

/** All pages from the first on: `limit` is of JSON. */
function eventsCsv(c: ApiContext, reading: EventsReading, byteOrderMark: boolean, nowMs: number): Response {
  const { zone, query } = reading.parameters;
  const name = csvFileName(
    "events",
    reading.merchantId,
    presentTime(query.fromMs, zone),
    presentTime(query.toMs, zone),
  );
  const left = new AbortController();
  const table = { request: c.var.requestId, signal: left.signal };
  return csvResponse(name, eventColumns(zone), allEvents(c.env, reading, nowMs, table), {
    byteOrderMark,
    notices: presentEvents(reading).notices.map(({ code }) => code),
    onLeave: () => left.abort(),
  });
}
