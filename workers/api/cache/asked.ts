import type { Context } from "hono";
import { err, ok, type Result } from "../../../shared/result.ts";
import { completeThrough, WINDOW_MS, windowStart } from "../../../shared/window.ts";
import type { Guarded } from "../../access/guarded.ts";
import { invalidParameter, type Problem } from "../../http/problem.ts";
import type { Env } from "../env.ts";
import { parseFormat } from "../format.ts";
import { loadHome, type MerchantHome } from "../merchant.ts";
import { readMetrics } from "../metrics.ts";
import { metricsCsv } from "../metrics-csv.ts";
import {
  latestClosedWindow,
  METRICS_PARAMETERS,
  parseMetrics,
  parseReport,
  REPORT_PARAMETERS,
  readQuery,
} from "../parameters.ts";
import { presentMetrics } from "../present-metrics.ts";
import { madeUntil } from "../refunds/read-refunds.ts";
import { presentReading, readReport } from "../report.ts";
import { reportCsv } from "../report-csv.ts";
import { asJson, asTable, inWords } from "./in-format.ts";
import { type Question, questionKey } from "./question.ts";

type ApiContext = Context<Guarded<Env>>;

/** `GET /v1/merchants/{id}/report`. */
export async function askReport(c: ApiContext, nowMs: number): Promise<Result<Question, Problem>> {
  const { merchant } = c.var;
  const home = await loadHome(c.env.DIRECTORY, merchant, nowMs);
  const query = readQuery(c.req.queries(), REPORT_PARAMETERS);
  if (!query.ok) return query;
  const format = parseFormat(c, query.value);
  if (!format.ok) return format;
  const parsed = parseReport(query.value, home.timezone, nowMs);
  if (!parsed.ok) return parsed;
  const { atMs, zone } = parsed.value;
  const currencies = [...parsed.value.currencies].sort();
  const fromMs = atMs === undefined ? latestClosedWindow(completeThrough(nowMs)) : windowStart(atMs);
  const read = () => readReport(c.env, merchant, home, { zone, currencies, atMs: fromMs }, nowMs);
  const understood = { at: fromMs, tz: zone, currency: wanted(currencies, home), ...inWords(format.value) };
  return ok({
    merchantId: merchant,
    key: questionKey(merchant, "report", query.value, understood),
    fromMs,
    toMs: fromMs + WINDOW_MS,
    madeFromMs: fromMs,
    answer: async () => {
      const reading = await read();
      const { csv, byteOrderMark } = format.value;
      return csv ? asTable(reportCsv(reading, byteOrderMark), reading) : asJson(presentReading(reading), reading);
    },
  });
}

/** `GET /v1/merchants/{id}/metrics`. */
export async function askMetrics(c: ApiContext, nowMs: number): Promise<Result<Question, Problem>> {
  const { merchant } = c.var;
  const home = await loadHome(c.env.DIRECTORY, merchant, nowMs);
  const query = readQuery(c.req.queries(), METRICS_PARAMETERS);
  if (!query.ok) return query;
  const format = parseFormat(c, query.value);
  if (!format.ok) return format;
  const parsed = parseMetrics(query.value, home.timezone, nowMs);
  if (!parsed.ok) return parsed;
  const { zone, granularity, series, compare, refundsBy, hasAmounts } = parsed.value;
  if (hasAmounts && format.value.csv) return err(amountsInCsv);
  const { fromMs, toMs } = series;
  // A refund of any of its sales may come until now, so the answer is of windows that are open, whatever the span.
  const madeToMs = refundsBy === "sale" ? Math.max(toMs, madeUntil(nowMs)) : toMs;
  const currencies = [...parsed.value.currencies].sort();
  const read = () =>
    readMetrics(c.env, merchant, home, { ...parsed.value, currencies }, { nowMs, signal: c.req.raw.signal });
  const understood = {
    ...{ from: fromMs, to: toMs, tz: zone, granularity, currency: wanted(currencies, home) },
    ...{ refunds_by: refundsBy, amounts: String(hasAmounts), ...inWords(format.value) },
  };
  // What has elapsed is compared, up to the last window that is complete; of a span that is over, all of it.
  const elapsed = compare === undefined ? {} : { elapsed: Math.min(completeThrough(nowMs), toMs) };
  return ok({
    merchantId: merchant,
    key: questionKey(merchant, "metrics", query.value, { ...understood, ...elapsed }),
    fromMs,
    toMs: madeToMs,
    madeFromMs: compare === undefined ? fromMs : 0,
    answer: async () => {
      const reading = await read();
      if (!reading.ok) return reading;
      const { csv, byteOrderMark } = format.value;
      return csv
        ? asTable(metricsCsv(reading.value, byteOrderMark), reading.value)
        : asJson(presentMetrics(reading.value), reading.value);
    },
  });
}

const amountsInCsv = invalidParameter(
  "amounts",
  "invalid_amounts",
  "A table by time has no place for it: ask for JSON.",
);

/** Without any named, it is the merchant's own that is shown where there is nothing. */
function wanted(currencies: readonly string[], { currency = "" }: MerchantHome): string {
  return currencies.length > 0 ? currencies.join() : `all, ${currency}`;
}
