import { z } from "zod";
import { DIMENSIONS, type Dimension } from "../../../shared/breakdown.ts";
import { EVENT_ID_PATTERN } from "../../../shared/event.ts";
import { err, ok, type Result } from "../../../shared/result.ts";
import { SIP_KEY_ZERO, sipHash } from "../../../shared/siphash.ts";
import type { Problem } from "../../http/problem.ts";
import { FORMAT_PARAMETERS } from "../format.ts";
import { INSTANT_MS_MAX } from "../instant.ts";
import { encodeCursor, PAGE_PARAMETERS, parsePage } from "../page.ts";
import { endOfSpan, parseCurrencies, parseMoment, parseZoneParameter, type Query } from "../parameters.ts";
import type { EventFilter, EventOrder } from "./event-sql.ts";
import { firstPlace, type PageQuery, type Place } from "./page.ts";

export const EVENTS_PARAMETERS = [
  ...["from", "to", "tz", "type", "currency", "order"],
  ...DIMENSIONS,
  ...PAGE_PARAMETERS,
  ...FORMAT_PARAMETERS,
] as const;

const VALUE_LENGTH_MAX = 64;
const TYPES = ["payment", "refund"] as const;
const ORDERS = ["oldest", "newest"] as const satisfies readonly EventOrder[];

export interface EventsParameters {
  readonly zone: string;
  readonly filter: EventFilter;
  readonly query: PageQuery;
  /** What the list is, but for its span: a cursor goes on in the same one only. */
  readonly list: string;
}

/** A span goes with the cursor, so that all pages of a list that ends now are of one list; the place is a moment and an id. */
const positionSchema = z.tuple([
  z.string().max(20),
  ...([0, 0, 0].map(() => z.int().min(0).max(INSTANT_MS_MAX)) as [z.ZodInt, z.ZodInt, z.ZodInt]),
  z.union([z.literal(""), z.string().regex(EVENT_ID_PATTERN)]),
]);

/** `from` and `to` default to today so far; the newest come first. */
export function parseEvents(
  merchantId: string,
  query: Query,
  homeZone: string,
  nowMs: number,
): Result<EventsParameters, Problem> {
  const zone = parseZoneParameter(query.tz, homeZone);
  if (!zone.ok) return zone;
  const from = parseMoment("from", query.from ?? "today", zone.value, nowMs);
  if (!from.ok) return from;
  const to = parseMoment("to", query.to ?? "now", zone.value, nowMs);
  if (!to.ok) return to;
  const ends = endOfSpan(from.value, to.value, query.to);
  if (!ends.ok) return ends;
  const filter = parseFilter(query);
  if (!filter.ok) return filter;
  const order = ORDERS.find((known) => known === (query.order ?? "newest"));
  if (order === undefined) return err(invalid("order", "invalid_order", `One of ${ORDERS.join(", ")}.`));
  const page = parsePage(query, positionSchema);
  if (!page.ok) return page;
  const list = digestOf([merchantId, query.from, query.to, zone.value, filter.value, order]);
  const { limit, after } = page.value;
  const span = { fromMs: from.value, toMs: to.value, order };
  if (after === undefined) {
    return ok({ zone: zone.value, filter: filter.value, list, query: { ...span, limit, after: firstPlace(span) } });
  }
  const [ofList, fromMs, toMs, atMs, eventId] = after;
  if (ofList !== list) {
    return err(invalid("cursor", "cursor_of_another_list", "Send the parameters that the first page was asked with."));
  }
  return ok({
    zone: zone.value,
    filter: filter.value,
    list,
    query: { fromMs, toMs, order, limit, after: { atMs, eventId } },
  });
}

/** A cursor that goes on from a place. It is no secret: whatever it says becomes a bound parameter, and the merchant is not in it. */
export function cursorAt({ list, query: { fromMs, toMs } }: EventsParameters, { atMs, eventId }: Place): string {
  return encodeCursor([list, fromMs, toMs, atMs, eventId] satisfies z.output<typeof positionSchema>);
}

function parseFilter(query: Query): Result<EventFilter, Problem> {
  const currencies = parseCurrencies(query);
  if (!currencies.ok) return currencies;
  const type = TYPES.find((known) => known === query.type);
  if (query.type !== undefined && type === undefined) {
    return err(invalid("type", "invalid_type", `One of ${TYPES.join(", ")}.`));
  }
  const values: Partial<Record<Dimension, string>> = {};
  for (const dimension of DIMENSIONS) {
    const value = query[dimension];
    if (value === undefined) continue;
    if ([...value].length > VALUE_LENGTH_MAX || !value.isWellFormed()) {
      const detail = `A value of up to ${VALUE_LENGTH_MAX} characters; an empty one is of events without it.`;
      return err(invalid(dimension, "invalid_value", detail));
    }
    values[dimension] = value;
  }
  return ok({ type, currencies: currencies.value, values });
}

function digestOf(list: unknown): string {
  const { lo, hi } = sipHash(SIP_KEY_ZERO, JSON.stringify(list), { lo: 0, hi: 0 });
  return `${hi.toString(36)}.${lo.toString(36)}`;
}

function invalid(parameter: string, code: string, detail: string): Problem {
  return { status: 400, code, title: "A parameter is wrong", detail, extensions: { parameter } };
}
