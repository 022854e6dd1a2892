import { backoffMs, isTemporary, RETRY_AFTER_MS_MAX, retryAfterMs, sleep } from "./backoff.ts";
import { baseUrl } from "./base-url.ts";
import { objectIn, TallyProblem } from "./problem.ts";
import type { QueryAnswer, QueryBody } from "./query.ts";
import type { EventsAnswer, ListedEvent, MetricsAnswer, ReportAnswer } from "./report.ts";

/** Tries of a read, the first included. */
export const READ_ATTEMPTS_MAX = 3;
export const READ_MS_MAX = 30_000;

/** Epoch milliseconds, RFC 3339, `YYYY-MM-DD`, `now`, `today` or `yesterday`. */
export type Instant = Date | number | string;
/** A parameter of a query; a list is written with commas, what is undefined is left out. */
export type Parameter = Instant | boolean | readonly string[] | undefined;

export interface ReaderOptions {
  /** Base URL of the API, such as `http://127.0.0.1:8788`. */
  url: string;
  /** A merchant's or an operator's key. */
  key: string;
  attemptsMax?: number;
  /** What `fetch`, the clock and chance are; the platform's unless a test says otherwise. */
  deps?: Partial<ReaderDeps>;
}

export interface ReaderDeps {
  fetch: typeof globalThis.fetch;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  random: () => number;
}

export interface SpanParameters {
  tz?: string;
  currency?: string | readonly string[];
}

export interface ReportParameters extends SpanParameters {
  /** A moment in the window; without it the latest closed one. */
  at?: Instant;
}

export interface MetricsParameters extends SpanParameters {
  from?: Instant;
  to?: Instant;
  granularity?: "10m" | "1h" | "1d" | "1w" | "1mo";
  group_by?: string | readonly string[];
  compare?: "previous_period" | "same_weekday" | "year_ago" | "four_week_average";
  /** What refunds are dated by; `refund` unless told. */
  refunds_by?: "refund" | "sale";
  /** How many payments are of which amounts, beside each total. */
  amounts?: boolean;
}

/** Which payments and refunds; beside these each dimension of the breakdowns, such as `payment_method`, with one of its values. */
export interface EventsParameters extends SpanParameters {
  from?: Instant;
  to?: Instant;
  type?: "payment" | "refund";
  order?: "newest" | "oldest";
  /** Events in a page. */
  limit?: number;
  [dimension: string]: Parameter;
}

/** Reads a merchant's numbers. Whatever is no success is thrown as a `TallyProblem`; what may well succeed another time is tried again first. */
export class TallyReader {
  readonly #base: string;
  readonly #key: string;
  readonly #attemptsMax: number;
  readonly #deps: ReaderDeps;

  /** Throws a `RangeError` when the URL is none. */
  constructor({ url, key, attemptsMax = READ_ATTEMPTS_MAX, deps }: ReaderOptions) {
    this.#base = baseUrl(url);
    this.#key = key;
    this.#attemptsMax = attemptsMax;
    this.#deps = { fetch: globalThis.fetch, sleep, random: Math.random, ...deps };
  }

  /** One ten-minute window, a report for each currency. */
  report(merchantId: string, parameters: ReportParameters = {}, signal?: AbortSignal): Promise<ReportAnswer> {
    return this.get(`/v1/merchants/${encodeURIComponent(merchantId)}/report`, { ...parameters }, signal);
  }

  /** A series of reports and their total, for each currency. */
  metrics(merchantId: string, parameters: MetricsParameters = {}, signal?: AbortSignal): Promise<MetricsAnswer> {
    return this.get(`/v1/merchants/${encodeURIComponent(merchantId)}/metrics`, { ...parameters }, signal);
  }

  /** Metrics by dimensions, filtered, ordered and limited. */
  query(merchantId: string, body: QueryBody, signal?: AbortSignal): Promise<QueryAnswer> {
    const path = `/v1/merchants/${encodeURIComponent(merchantId)}/query`;
    return this.#ask(`${this.#base}${path}`, JSON.stringify(body), signal);
  }

  /**
   * The payments and refunds behind a number, each once: page after page, each asked for when the one before it has been gone through, and no sooner than the answer
   * says. Where there was no time to find anything, that is some seconds later.
   */
  async *events(
    merchantId: string,
    parameters: EventsParameters = {},
    signal?: AbortSignal,
  ): AsyncGenerator<ListedEvent, void, undefined> {
    const path = `/v1/merchants/${encodeURIComponent(merchantId)}/events`;
    for (let cursor: string | undefined; ; ) {
      const page: EventsAnswer = await this.get(path, { ...parameters, cursor }, signal);
      yield* page.events;
      if (page.next_cursor === null) return;
      cursor = page.next_cursor;
      const pauseMs = Math.min((page.next_after_s ?? 0) * 1_000, RETRY_AFTER_MS_MAX);
      if (pauseMs > 0) await this.#deps.sleep(pauseMs, signal);
    }
  }

  /** Any other path of the API, whose answer is `Answer` as its description says. */
  get<Answer>(
    path: string,
    parameters: Readonly<Record<string, Parameter>> = {},
    signal?: AbortSignal,
  ): Promise<Answer> {
    return this.#ask(`${this.#base}${path}${queryOf(parameters)}`, undefined, signal);
  }

  /** With a body it is a POST: a question that is too long for an address, and may be asked again as well. */
  async #ask<Answer>(url: string, body: string | undefined, signal: AbortSignal | undefined): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      const isLast = attempt >= this.#attemptsMax || signal?.aborted === true;
      const tried = await this.#tryOnce(url, body, signal);
      if ("answer" in tried) return tried.answer as Answer;
      if (isLast || !tried.isTemporary) throw tried.error;
      await this.#deps.sleep(backoffMs(attempt, tried.retryAfterMs, this.#deps.random), signal);
    }
  }

  async #tryOnce(url: string, body: string | undefined, signal: AbortSignal | undefined): Promise<Tried> {
    const { fetch } = this.#deps;
    const timeout = AbortSignal.timeout(READ_MS_MAX);
    try {
      const response = await fetch(url, {
        ...(body !== undefined && { method: "POST", body }),
        headers: {
          authorization: `Bearer ${this.#key}`,
          accept: "application/json",
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        redirect: "manual",
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      const text = await response.text();
      const { status, headers } = response;
      if (response.ok) return answerIn(status, text);
      const error = new TallyProblem(status, objectIn(text));
      return { error, isTemporary: isTemporary(status), retryAfterMs: retryAfterMs(headers, Date.now()) };
    } catch (error) {
      return { error, isTemporary: signal?.aborted !== true, retryAfterMs: 0 };
    }
  }
}

type Tried =
  | { readonly answer: unknown }
  | { readonly error: unknown; readonly isTemporary: boolean; readonly retryAfterMs: number };

/** A success that is no JSON comes from something else than Tally. */
function answerIn(status: number, text: string): Tried {
  try {
    return { answer: JSON.parse(text) };
  } catch {
    const error = new TallyProblem(status, { title: "The answer is not JSON; is the URL that of Tally's API?" });
    return { error, isTemporary: false, retryAfterMs: 0 };
  }
}

function queryOf(parameters: Readonly<Record<string, Parameter>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, textOf(value));
  }
  return query.size === 0 ? "" : `?${query}`;
}

function textOf(value: Exclude<Parameter, undefined>): string {
  if (value instanceof Date) return String(value.getTime());
  return Array.isArray(value) ? value.join(",") : String(value);
}
