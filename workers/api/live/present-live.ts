import { EMPTY_REPORT } from "../../../shared/report.ts";
import { completeThrough, WINDOW_MS, windowStatus } from "../../../shared/window.ts";
import type { MerchantHome } from "../merchant.ts";
import { shownCurrencies } from "../metrics.ts";
import { presentReport, presentTime } from "../present.ts";
import type { LiveView, Reports } from "./view.ts";

export interface LiveParameters {
  readonly zone: string;
  /** Empty for all. */
  readonly currencies: readonly string[];
}

/** What a stream is of. */
export interface LiveSubject extends LiveParameters {
  readonly merchantId: string;
  readonly home: MerchantHome;
}

export function presentSnapshot(subject: LiveSubject, view: LiveView, nowMs: number) {
  return {
    merchant_id: subject.merchantId,
    timezone: subject.zone,
    ...presentClock(subject, nowMs),
    windows: view.openWindows(nowMs).map((startMs) => presentWindow(subject, view, startMs, nowMs)),
    today: presentToday(subject, view),
  };
}

export function presentWindowUpdate(subject: LiveSubject, view: LiveView, startMs: number, nowMs: number) {
  return { ...presentTodayUpdate(subject, view, nowMs), window: presentWindow(subject, view, startMs, nowMs) };
}

export function presentTodayUpdate(subject: LiveSubject, view: LiveView, nowMs: number) {
  return { ...presentClock(subject, nowMs), today: presentToday(subject, view) };
}

function presentClock({ zone }: LiveSubject, nowMs: number) {
  return { as_of: presentTime(nowMs, zone), complete_through: presentTime(completeThrough(nowMs), zone) };
}

function presentWindow(subject: LiveSubject, view: LiveView, startMs: number, nowMs: number) {
  return {
    start: presentTime(startMs, subject.zone),
    end: presentTime(startMs + WINDOW_MS, subject.zone),
    status: windowStatus(startMs, nowMs),
    reports: presentReports(subject, view.reportsOf(startMs)),
  };
}

function presentToday(subject: LiveSubject, view: LiveView) {
  return { start: presentTime(view.dayMs, subject.zone), reports: presentReports(subject, view.today()) };
}

function presentReports({ currencies, home }: LiveSubject, reports: Reports) {
  return shownCurrencies(currencies, [...reports.keys()], home).map((currency) => {
    const { report, revision } = reports.get(currency) ?? { report: EMPTY_REPORT, revision: 0 };
    return { currency, revision, ...presentReport(report) };
  });
}
