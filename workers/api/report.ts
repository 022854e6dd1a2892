import { EMPTY_REPORT, type Report } from "../../shared/report.ts";
import { completeThrough, WINDOW_MS, type WindowStatus, windowStart, windowStatus } from "../../shared/window.ts";
import type { Env } from "./env.ts";
import { countLateWindows, type MerchantHome } from "./merchant.ts";
import { shownCurrencies } from "./metrics.ts";
import { type Notice, noticesOf } from "./notices.ts";
import { latestClosedWindow, type ReportParameters } from "./parameters.ts";
import { presentReport, presentTime } from "./present.ts";
import { type Completeness, readRange } from "./read-range.ts";
import { historyFrom } from "./retention.ts";

/** What `GET /v1/merchants/{id}/report` asks for: one window, a report for each currency. */
export interface ReportReading extends Completeness {
  readonly merchantId: string;
  readonly zone: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly status: WindowStatus;
  readonly notices: readonly Notice[];
  readonly reports: readonly { readonly currency: string; readonly revision: number; readonly report: Report }[];
}

export async function readReport(
  env: Env,
  merchantId: string,
  home: MerchantHome,
  { zone, currencies, atMs }: ReportParameters,
  nowMs: number,
): Promise<ReportReading> {
  const startMs = atMs === undefined ? latestClosedWindow(completeThrough(nowMs)) : windowStart(atMs);
  const endMs = startMs + WINDOW_MS;
  const [reading, lateWindows] = await Promise.all([
    readRange(
      env,
      { merchantId, fromMs: startMs, toMs: endMs, boundsMs: [startMs], currencies, takesPartial: true },
      nowMs,
    ),
    countLateWindows(env.DIRECTORY, merchantId, [{ fromMs: startMs, toMs: endMs }]),
  ]);
  return {
    merchantId,
    zone,
    startMs,
    endMs,
    status: windowStatus(startMs, reading.asOfMs),
    asOfMs: reading.asOfMs,
    completeThroughMs: reading.completeThroughMs,
    isRebuilding: reading.isRebuilding,
    isPartial: reading.isPartial || reading.isRebuilding || lateWindows === undefined,
    notices: noticesOf({
      exact: true,
      lateWindows,
      isPartial: reading.isPartial,
      isRebuilding: reading.isRebuilding,
      startsBefore: startMs < historyFrom(nowMs),
    }),
    reports: shownCurrencies(currencies, [...reading.currencies.keys()], home).map((currency) => {
      const bucket = reading.currencies.get(currency)?.get(startMs);
      return { currency, revision: bucket?.revision ?? 0, report: bucket?.report ?? EMPTY_REPORT };
    }),
  };
}

/** The answer as JSON (report-schema.ts describes it). */
export function presentReading(reading: ReportReading) {
  const { zone } = reading;
  return {
    merchant_id: reading.merchantId,
    start: presentTime(reading.startMs, zone),
    end: presentTime(reading.endMs, zone),
    timezone: zone,
    status: reading.status,
    as_of: presentTime(reading.asOfMs, zone),
    complete_through: presentTime(reading.completeThroughMs, zone),
    notices: reading.notices,
    reports: reading.reports.map(({ currency, revision, report }) => ({
      currency,
      revision,
      ...presentReport(report),
    })),
  };
}
