import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { liveFromMs } from "../../../shared/messages/live.ts";
import { EMPTY_REPORT } from "../../../shared/report.ts";
import { DAY_MS, GRACE_MS, HOUR_MS, WINDOW_MS, windowStart } from "../../../shared/window.ts";
import type { MerchantWindow } from "../../../shared/window-row.ts";
import type { BucketReport } from "../read-range.ts";
import { LiveView, nextTurnMs, type Reports } from "./view.ts";

const MIDNIGHT_MS = Date.UTC(2031, 2, 5);
const NOON_MS = MIDNIGHT_MS + 12 * HOUR_MS;
const MINUTE_MS = 60_000;

/** What a shard has, by window and currency. */
class Counted {
  readonly windows = new Map<string, MerchantWindow>();
  #revision = 1;

  pay(atMs: number, currency: string): MerchantWindow {
    const startMs = windowStart(atMs);
    const key = `${startMs} ${currency}`;
    const payments_count = 1 + (this.windows.get(key)?.report.payments_count ?? 0);
    const report = { ...EMPTY_REPORT, payments_count };
    const window = { merchantId: "shop", currency, startMs, revision: this.#revision++, report };
    this.windows.set(key, window);
    return window;
  }

  reports(fromMs: number, toMs: number): Reports {
    const reports = new Map<string, BucketReport>();
    for (const { startMs, currency, report, revision } of this.windows.values()) {
      if (startMs < fromMs || startMs >= toMs) continue;
      const before = reports.get(currency);
      const payments_count = report.payments_count + (before?.report.payments_count ?? 0);
      reports.set(currency, {
        report: { ...EMPTY_REPORT, payments_count },
        revision: Math.max(revision, before?.revision ?? 0),
      });
    }
    return reports;
  }
}

const counts = (reports: Reports) =>
  Object.fromEntries([...reports].map(([currency, { report }]) => [currency, report.payments_count]));

function read(view: LiveView, counted: Counted): void {
  const span = view.beginReading();
  view.setEarlier(span, counted.reports(span.fromMs, span.toMs));
}

describe("whatever is paid, and however the clock goes on", () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("pay" as const), agoMs: fc.nat(3 * HOUR_MS) }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant("pay" as const), agoMs: fc.integer({ min: -300_000, max: 600_000 }) }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), forMs: fc.nat(15 * MINUTE_MS) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("read" as const) }) },
  );

  test("windows and the day are what was counted, once nothing is stale", () => {
    const start = fc.integer({ min: -2 * HOUR_MS, max: 2 * HOUR_MS });
    const skew = fc.integer({ min: -5 * MINUTE_MS, max: 5 * MINUTE_MS });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), start, skew, fc.boolean(), (steps, startMs, skewMs, isTokyo) => {
        const counted = new Counted();
        let nowMs = MIDNIGHT_MS + DAY_MS + startMs;
        const zone = isTokyo ? "Asia/Tokyo" : "UTC";
        counted.pay(nowMs - HOUR_MS, "JPY");
        const view = new LiveView(zone, [], nowMs);
        const recent = [...counted.windows.values()].filter((window) => window.startMs >= liveFromMs(nowMs + skewMs));
        view.take({ asOfMs: nowMs, windows: recent, corrected: false });
        read(view, counted);
        for (const each of steps) {
          if (each.kind === "read") read(view, counted);
          if (each.kind === "wait") {
            nowMs += each.forMs;
            view.turn(nowMs);
          }
          if (each.kind !== "pay") continue;
          const window = counted.pay(nowMs - each.agoMs, each.agoMs % 2 === 0 ? "JPY" : "USD");
          const isRecent = window.startMs >= liveFromMs(nowMs + skewMs);
          view.take({ asOfMs: nowMs, windows: isRecent ? [window] : [], corrected: !isRecent });
        }
        view.turn(nowMs);
        if (view.isStale) read(view, counted);
        expect(view.isStale).toBe(false);
        expect(counts(view.today())).toEqual(counts(counted.reports(view.dayMs, Number.POSITIVE_INFINITY)));
        for (const open of view.openWindows(nowMs)) {
          expect(counts(view.reportsOf(open))).toEqual(counts(counted.reports(open, open + WINDOW_MS)));
        }
        const fresh = new LiveView(zone, [], nowMs);
        fresh.take({ asOfMs: nowMs, windows: [...counted.windows.values()], corrected: false });
        read(fresh, counted);
        expect(fresh.id(nowMs)).toBe(view.id(nowMs));
      }),
    );
  });
});

test("a window is open until its grace has passed; the clock says when one opens or closes", () => {
  const view = new LiveView("UTC", [], NOON_MS - 1);
  expect(view.openWindows(NOON_MS - 1)).toEqual([NOON_MS - WINDOW_MS]);
  expect(nextTurnMs(NOON_MS - 1)).toBe(NOON_MS);
  expect(view.turn(NOON_MS)).toEqual({ windows: [NOON_MS], isNewDay: false });
  expect(view.openWindows(NOON_MS)).toEqual([NOON_MS - WINDOW_MS, NOON_MS]);
  expect(nextTurnMs(NOON_MS)).toBe(NOON_MS + GRACE_MS);
  expect(view.turn(NOON_MS + GRACE_MS)).toEqual({ windows: [NOON_MS - WINDOW_MS], isNewDay: false });
  expect(nextTurnMs(NOON_MS + GRACE_MS)).toBe(NOON_MS + WINDOW_MS);
});

test("a day begins at the zone's midnight with nothing in it; yesterday's last window is still shown until it closes", () => {
  const midnightMs = MIDNIGHT_MS + 15 * HOUR_MS;
  const counted = new Counted();
  const view = new LiveView("Asia/Tokyo", [], midnightMs - 1);
  view.take({ asOfMs: 0, windows: [counted.pay(midnightMs - 1, "JPY")], corrected: false });
  read(view, counted);
  expect(counts(view.today())).toEqual({ JPY: 1 });
  expect(view.turn(midnightMs).isNewDay).toBe(true);
  expect(counts(view.today())).toEqual({});
  expect(counts(view.reportsOf(midnightMs - WINDOW_MS))).toEqual({ JPY: 1 });
  expect(view.beginReading()).toEqual({ fromMs: midnightMs, toMs: midnightMs });
});

test("what changes while it is read is read again, and a reading of yesterday is not taken for today's", () => {
  const counted = new Counted();
  const view = new LiveView("UTC", [], NOON_MS);
  const span = view.beginReading();
  view.take({ asOfMs: 0, windows: [], corrected: true });
  view.setEarlier(span, counted.reports(span.fromMs, span.toMs));
  expect(view.isStale).toBe(true);
  const yesterday = view.beginReading();
  view.turn(NOON_MS + DAY_MS);
  view.setEarlier(yesterday, new Map([["JPY", { report: { ...EMPTY_REPORT, payments_count: 9 }, revision: 9 }]]));
  expect(view.isStale).toBe(true);
  expect(counts(view.today())).toEqual({});
});

test("currencies that were not asked for are not shown", () => {
  const counted = new Counted();
  const view = new LiveView("UTC", ["USD"], NOON_MS);
  const windows = [counted.pay(NOON_MS, "JPY"), counted.pay(NOON_MS, "USD")];
  expect(view.take({ asOfMs: 0, windows, corrected: false })).toEqual([NOON_MS]);
  expect(counts(view.today())).toEqual({ USD: 1 });
});
