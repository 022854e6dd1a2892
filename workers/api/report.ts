import { EMPTY_REPORT } from "../../shared/report.ts";
import { completeThrough, WINDOW_MS, windowStart, windowStatus } from "../../shared/window.ts";
import type { Env } from "./env.ts";
import { countLateWindows, type MerchantHome } from "./merchant.ts";
import { shownCurrencies } from "./metrics.ts";
import { noticesOf } from "./notices.ts";
import { latestClosedWindow, type ReportParameters } from "./parameters.ts";
import { presentReport, presentTime } from "./present.ts";
import { readRange } from "./read-range.ts";

/** The answer to `GET /v1/merchants/{id}/report`: one window, a report for each currency. */
export async function answerReport(
  env: Env,
  merchantId: string,
  home: MerchantHome,
  { zone, currencies, atMs }: ReportParameters,
  nowMs: number,
) {
  const startMs = atMs === undefined ? latestClosedWindow(completeThrough(nowMs)) : windowStart(atMs);
  const endMs = startMs + WINDOW_MS;
  const [reading, lateWindows] = await Promise.all([
    readRange(env, { merchantId, fromMs: startMs, toMs: endMs, boundsMs: [startMs], currencies }, nowMs),
    countLateWindows(env.DIRECTORY, merchantId, startMs, endMs),
  ]);
  return {
    merchant_id: merchantId,
    start: presentTime(startMs, zone),
    end: presentTime(endMs, zone),
    timezone: zone,
    status: windowStatus(startMs, reading.asOfMs),
    as_of: presentTime(reading.asOfMs, zone),
    complete_through: presentTime(completeThrough(reading.asOfMs), zone),
    notices: noticesOf(true, lateWindows),
    reports: shownCurrencies(currencies, [...reading.currencies.keys()], home).map((currency) => {
      const bucket = reading.currencies.get(currency)?.get(startMs);
      return { currency, revision: bucket?.revision ?? 0, ...presentReport(bucket?.report ?? EMPTY_REPORT) };
    }),
  };
}
