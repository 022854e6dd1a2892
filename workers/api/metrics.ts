import { EMPTY_REPORT, mergeReports } from "../../shared/report.ts";
import { completeThrough, WINDOW_MS, windowStatus } from "../../shared/window.ts";
import type { Bucket } from "./calendar.ts";
import type { Env } from "./env.ts";
import { countLateWindows, type MerchantHome } from "./merchant.ts";
import { noticesOf } from "./notices.ts";
import type { MetricsParameters } from "./parameters.ts";
import { presentReport, presentTime } from "./present.ts";
import { type BucketReport, readRange } from "./read-range.ts";

const NOTHING: BucketReport = { report: EMPTY_REPORT, revision: 0 };

/** The answer to `GET /v1/merchants/{id}/metrics`: by currency a series of reports, empty buckets included, and their total. */
export async function answerMetrics(
  env: Env,
  merchantId: string,
  home: MerchantHome,
  { zone, granularity, currencies, series }: MetricsParameters,
  nowMs: number,
) {
  const { buckets, fromMs, toMs } = series;
  const [reading, lateWindows] = await Promise.all([
    readRange(env, { merchantId, fromMs, toMs, boundsMs: buckets.map(({ startMs }) => startMs), currencies }, nowMs),
    countLateWindows(env.DIRECTORY, merchantId, fromMs, toMs),
  ]);
  const { asOfMs } = reading;
  return {
    merchant_id: merchantId,
    from: presentTime(fromMs, zone),
    to: presentTime(toMs, zone),
    timezone: zone,
    granularity,
    as_of: presentTime(asOfMs, zone),
    complete_through: presentTime(completeThrough(asOfMs), zone),
    notices: noticesOf(series.exact, lateWindows),
    series: shownCurrencies(currencies, [...reading.currencies.keys()], home).map((currency) => {
      const reports = reading.currencies.get(currency);
      const inOrder = buckets.map((bucket) => reports?.get(bucket.startMs) ?? NOTHING);
      return {
        currency,
        total: {
          status: statusOf(toMs, asOfMs),
          revision: Math.max(0, ...inOrder.map(({ revision }) => revision)),
          ...presentReport(inOrder.reduce((sum, { report }) => mergeReports(sum, report), EMPTY_REPORT)),
        },
        buckets: buckets.map((bucket, at) => presentBucket(bucket, inOrder[at] ?? NOTHING, zone, asOfMs)),
      };
    }),
  };
}

function presentBucket(
  { startMs, endMs, label }: Bucket,
  { report, revision }: BucketReport,
  zone: string,
  asOfMs: number,
) {
  return {
    start: presentTime(startMs, zone),
    end: presentTime(endMs, zone),
    label,
    status: statusOf(endMs, asOfMs),
    revision,
    ...presentReport(report),
  };
}

/** A span is as finished as its last window, which is its least finished one. */
function statusOf(endMs: number, asOfMs: number) {
  return windowStatus(endMs - WINDOW_MS, asOfMs);
}

/** What was asked for, else what there is, else the merchant's own: somebody who sold nothing still sees a row of zeros. */
export function shownCurrencies(
  asked: readonly string[],
  found: readonly string[],
  home: MerchantHome,
): readonly string[] {
  if (asked.length > 0) return asked;
  if (found.length > 0) return [...found].sort();
  return home.currency === undefined ? [] : [home.currency];
}
