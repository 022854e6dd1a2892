import { describe, expect, test } from "vitest";
import { GRACE_MS, WINDOW_MS } from "../../shared/window.ts";
import { baseSpans } from "../api/base-spans.ts";
import { cutIntoBuckets } from "../api/calendar.ts";
import { startOfDay } from "../api/zone.ts";
import {
  type BaselineLook,
  baselineOf,
  baseSpansOf,
  comparedDay,
  judgeBaseline,
  nextBaselineLook,
  type Sold,
} from "./baseline.ts";

const ZONES = ["UTC", "Asia/Tokyo", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu"];
/** With changes of the clock on the day, and on days of the four weeks before it. */
const DAYS = [
  "2026-03-08",
  "2026-03-29",
  "2026-04-05",
  "2026-04-12",
  "2026-10-04",
  "2026-10-25",
  "2026-11-01",
  "2026-11-22",
];
const dayNumber = (date: string) => Date.parse(date) / 86_400_000;

describe("what a day is compared with", () => {
  test.each(ZONES)("is what compare=four_week_average says, by each of its windows (%s)", (zone) => {
    for (const date of DAYS) {
      const day = comparedDay(zone, startOfDay(zone, dayNumber(date)) + 12 * 3_600_000);
      const series = cutIntoBuckets({ ...day, granularity: "1d", zone, bucketsMax: 3 });
      if (!series.ok) throw new Error("not a day");
      const windows = (day.toMs - day.fromMs) / WINDOW_MS;
      for (let at = 0; at < windows; at += 5) {
        const elapsedMs = day.fromMs + (at + 1) * WINDOW_MS;
        const { bases } = baseSpans({
          comparison: "four_week_average",
          series: series.value,
          granularity: "1d",
          zone,
          elapsedMs,
        });
        const said = bases.map(({ fromMs, toMs }) => [fromMs, toMs]);
        expect([zone, date, at, day.weeks.map(({ fromMs, endsMs }) => [fromMs, endsMs[at]])]).toEqual([
          zone,
          date,
          at,
          said,
        ]);
      }
    }
  });

  test("is of the last complete window's day: at midnight still of the day before", () => {
    const midnight = Date.parse("2026-11-23T00:00+09:00");
    expect(comparedDay("Asia/Tokyo", midnight).day).toBe(dayNumber("2026-11-22"));
    expect(comparedDay("Asia/Tokyo", midnight + WINDOW_MS).day).toBe(dayNumber("2026-11-23"));
  });

  test("is read as four days in the order of time", () => {
    const spans = baseSpansOf(comparedDay("UTC", Date.parse("2026-11-23T10:00Z")));
    expect(
      spans.map(({ fromMs, toMs }) => [new Date(fromMs).toISOString().slice(0, 10), (toMs - fromMs) / 3_600_000]),
    ).toEqual([
      ["2026-10-26", 24],
      ["2026-11-02", 24],
      ["2026-11-09", 24],
      ["2026-11-16", 24],
    ]);
  });
});

describe("a drop against the baseline", () => {
  const DAY = comparedDay("UTC", Date.parse("2026-11-23T10:00Z"));
  /** Each week sold 100 in ten payments, in the window from 08:00. */
  const sold = new Map<number, Sold>(
    DAY.weeks.map(({ fromMs }) => [fromMs + 8 * 3_600_000, { net: 100n, payments: 10 }]),
  );
  const baseline = baselineOf("key", DAY, sold);
  const look = (time: string, firing?: string, over: Partial<BaselineLook["rule"]> = {}): BaselineLook => {
    const nowMs = Date.parse(`2026-11-23T${time}Z`) + GRACE_MS;
    const rule = {
      kind: "below_baseline" as const,
      figure: "net" as const,
      percent: 60,
      currency: null,
      base_payments_min: 10,
      ...over,
    };
    const firingSinceMs = firing === undefined ? null : Date.parse(`${firing}Z`);
    return { alertId: "00000000aaaaaaaa", rule, zone: "UTC", currency: "JPY", firingSinceMs, nowMs, countedMs: nowMs };
  };

  test.each<[string, BaselineLook, Sold, string, string]>([
    ["below its share", look("08:10"), { net: 59n, payments: 9 }, "firing", "below_baseline"],
    ["at its share", look("08:10"), { net: 60n, payments: 9 }, "quiet", "within_limit"],
    ["below zero", look("08:10"), { net: -5n, payments: 0 }, "firing", "below_baseline"],
    ["before anything is expected", look("08:00"), { net: 0n, payments: 0 }, "quiet", "few_payments_yet"],
    [
      "with less expected than counts",
      look("08:10", undefined, { base_payments_min: 11 }),
      { net: 0n, payments: 0 },
      "quiet",
      "few_payments_yet",
    ],
    [
      "of payments",
      look("08:10", undefined, { figure: "payments" }),
      { net: 1_000n, payments: 5 },
      "firing",
      "below_baseline",
    ],
    [
      "while it fires, above its share and within the margin",
      look("09:00", "2026-11-23T08:12"),
      { net: 64n, payments: 9 },
      "firing",
      "below_baseline",
    ],
    [
      "while it fires, beyond the margin",
      look("09:00", "2026-11-23T08:12"),
      { net: 65n, payments: 9 },
      "quiet",
      "recovered",
    ],
    ["while yesterday's fires", look("00:10", "2026-11-22T20:12"), { net: 0n, payments: 0 }, "quiet", "day_over"],
    [
      "while last night's fires, told just after midnight of the day before",
      look("00:10", "2026-11-23T00:02"),
      { net: 0n, payments: 0 },
      "quiet",
      "day_over",
    ],
  ])("%s", (_, at, today, outcome, reason) => {
    expect(judgeBaseline(at, DAY, baseline, today).check).toMatchObject({ outcome, reason });
  });

  test("of weeks that took more back than they sold is not known", () => {
    const negative = baselineOf(
      "key",
      DAY,
      new Map([...sold].map(([ms, { payments }]) => [ms, { net: -1n, payments }])),
    );
    expect(judgeBaseline(look("08:10"), DAY, negative, { net: 0n, payments: 0 }).check).toEqual({
      outcome: "unknown",
      reason: "no_baseline",
    });
  });

  test("of few weeks with sales is against their mean over four", () => {
    const [first] = [...sold];
    const one = baselineOf("key", DAY, new Map(first === undefined ? [] : [first]));
    const { check } = judgeBaseline(look("08:10", undefined, { base_payments_min: 1 }), DAY, one, {
      net: 10n,
      payments: 1,
    });
    expect(check).toMatchObject({
      facts: { base: "25", value: "10", percent: 40, from: "2026-11-23T00:00:00Z", to: "2026-11-23T08:10:00Z" },
    });
  });

  test("is looked for once a window, each alert a while after it has closed", () => {
    const now = look("08:10");
    const nextMs = nextBaselineLook(now);
    expect(nextMs).toBe(now.nowMs + WINDOW_MS);
    const spread = ["00000001", "0000ffff", "fedcba98"].map((id) => nextBaselineLook({ ...now, alertId: id }) - nextMs);
    expect(spread.every((ms) => ms > 0 && ms < 300_000)).toBe(true);
  });
});
