import type { Context } from "hono";
import type { Guarded } from "../../access/guarded.ts";
import { problemResponse } from "../../http/problem.ts";
import { log } from "../../log.ts";
import { csvFileName, csvResponse } from "../csv.ts";
import type { Env } from "../env.ts";
import { parseFormat } from "../format.ts";
import { loadHome } from "../merchant.ts";
import { readQuery } from "../parameters.ts";
import { presentTime } from "../present.ts";
import { ArchiveMoved, HourTooLarge } from "./archive-reader.ts";
import {
  ArchiveUnreadable,
  allEvents,
  archiveUnreadable,
  type EventsReading,
  hourTooLarge,
  presentEvents,
  readEvents,
} from "./events.ts";
import { EVENTS_PARAMETERS, parseEvents } from "./parameters.ts";
import { eventColumns } from "./present-event.ts";

/** `GET /v1/merchants/:merchant/events`, for a caller who may read the merchant: the payments behind a number. */
export async function answerEvents(c: Context<Guarded<Env>>): Promise<Response> {
  const { merchant } = c.var;
  const nowMs = Date.now();
  const given = readQuery(c.req.queries(), EVENTS_PARAMETERS);
  if (!given.ok) return problemResponse(given.error);
  const format = parseFormat(c, given.value);
  if (!format.ok) return problemResponse(format.error);
  const home = await loadHome(c.env.DIRECTORY, merchant, nowMs);
  const parameters = parseEvents(merchant, given.value, home.timezone, nowMs);
  if (!parameters.ok) return problemResponse(parameters.error);
  try {
    const reading = await readEvents(c.env, merchant, parameters.value, nowMs);
    if (format.value.csv) return eventsCsv(c.env, reading, format.value.byteOrderMark, nowMs);
    const headers = { "Cache-Control": "private, no-store", Vary: "Accept" };
    return Response.json(presentEvents(reading), { headers });
  } catch (error) {
    if (error instanceof HourTooLarge) return problemResponse(hourTooLarge(error, parameters.value.zone));
    if (!(error instanceof ArchiveMoved || error instanceof ArchiveUnreadable)) throw error;
    log("warn", "archive unreadable", { request: c.var.requestId, error, cause: String(error.cause) });
    return problemResponse(archiveUnreadable);
  }
}

/** All pages from the first on: `limit` is of JSON. */
function eventsCsv(env: Env, reading: EventsReading, byteOrderMark: boolean, nowMs: number): Response {
  const { zone, query } = reading.parameters;
  const name = csvFileName(
    "events",
    reading.merchantId,
    presentTime(query.fromMs, zone),
    presentTime(query.toMs, zone),
  );
  return csvResponse(name, eventColumns(zone), allEvents(env, reading, nowMs), {
    byteOrderMark,
    notices: presentEvents(reading).notices.map(({ code }) => code),
  });
}
