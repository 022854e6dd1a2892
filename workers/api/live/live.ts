import { ok, type Result } from "../../../shared/result.ts";
import { type Problem, problemResponse } from "../../http/problem.ts";
import type { Env } from "../env.ts";
import { parseCurrencies, parseZoneParameter, type Query } from "../parameters.ts";
import type { LiveParameters, LiveSubject } from "./present-live.ts";
import { Seats } from "./seats.ts";
import { LiveSession } from "./session.ts";
import { TooManyListeners } from "./subscription.ts";

export const LIVE_PARAMETERS = ["tz", "currency"] as const;
/** When streams end together, as those of a shard that starts anew do, readers come again over some seconds. */
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 6_000;

/** This isolate's. */
export const seats = new Seats();

export function parseLive(query: Query, homeZone: string): Result<LiveParameters, Problem> {
  const zone = parseZoneParameter(query.tz, homeZone);
  if (!zone.ok) return zone;
  const currencies = parseCurrencies(query);
  return currencies.ok ? ok({ zone: zone.value, currencies: currencies.value }) : currencies;
}

export interface LiveCaller {
  readonly lastEventId: string | undefined;
  /** Whether the caller may still read the merchant. */
  readonly isAdmitted: () => Promise<boolean>;
}

/**
 * The answer to `GET /v1/merchants/{id}/live`: server-sent events. `snapshot` has the open windows and the day so far, `window` a window that
 * changed, opened or closed and the day with it, `today` the day when something before them changed; each is absolute. Throws
 * `ShardUnavailable` and `HistoryUnavailable`.
 */
export async function answerLive(
  env: Env,
  subject: LiveSubject,
  { lastEventId, isAdmitted }: LiveCaller,
): Promise<Response> {
  const seat = {};
  if (!seats.take(seat, Date.now(), subject.merchantId)) return problemResponse(tooManyListeners);
  try {
    const body = await LiveSession.begin({
      env,
      subject,
      lastEventId,
      retryMs: Math.round(RETRY_MS_MIN + Math.random() * (RETRY_MS_MAX - RETRY_MS_MIN)),
      isAdmitted,
      onAlive: (nowMs) => seats.keep(seat, nowMs),
      onEnd: () => seats.leave(seat),
    });
    return new Response(body, { headers: HEADERS });
  } catch (error) {
    if (error instanceof TooManyListeners) return problemResponse(tooManyListeners);
    throw error;
  }
}

const HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "private, no-store",
  // Some proxies would keep events back until a buffer is full.
  "X-Accel-Buffering": "no",
};

const tooManyListeners: Problem = {
  status: 503,
  code: "too_many_listeners",
  title: "Too many live streams are open",
  detail: "Ask for metrics or report instead, or try again in a while.",
  retryAfterS: 30,
};
