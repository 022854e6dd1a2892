import { expect, test } from "vitest";
import { type BucketSeries, cutIntoBuckets } from "./calendar.ts";
import type { Granularity } from "./calendar-unit.ts";
import { parseInstant } from "./instant.ts";

const MINUTE_MS = 60_000;

/** The range's ends as `parseInstant` reads them in the zone. */
function cut(zone: string, granularity: Granularity, from: string, to: string): BucketSeries {
  const result = cutIntoBuckets({ ...range(zone, from, to), zone, granularity, bucketsMax: 10_000 });
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

function range(zone: string, from: string, to: string): { fromMs: number; toMs: number } {
  const [fromMs, toMs] = [from, to].map((text) => {
    const instant = parseInstant(text, zone, 0);
    if (!instant.ok) throw new Error(instant.error.hint);
    return instant.value;
  });
  return { fromMs: fromMs ?? Number.NaN, toMs: toMs ?? Number.NaN };
}

/** `label: minutes` of each bucket. */
function lengths({ buckets }: BucketSeries): string[] {
  return buckets.map(({ startMs, endMs, label }) => `${label}: ${(endMs - startMs) / MINUTE_MS}`);
}

function utc(ms: number | undefined): string {
  return ms === undefined ? "none" : `${new Date(ms).toISOString().slice(0, 16)}Z`;
}

test.each([
  ["Europe/Berlin", "2026-03-28", "2026-03-31", ["2026-03-28: 1440", "2026-03-29: 1380", "2026-03-30: 1440"]],
  ["Europe/Berlin", "2026-10-24", "2026-10-27", ["2026-10-24: 1440", "2026-10-25: 1500", "2026-10-26: 1440"]],
  ["America/New_York", "2026-03-08", "2026-03-10", ["2026-03-08: 1380", "2026-03-09: 1440"]],
  ["America/New_York", "2026-11-01", "2026-11-03", ["2026-11-01: 1500", "2026-11-02: 1440"]],
  ["Australia/Lord_Howe", "2026-10-04", "2026-10-06", ["2026-10-04: 1410", "2026-10-05: 1440"]],
  ["Australia/Lord_Howe", "2026-04-05", "2026-04-07", ["2026-04-05: 1470", "2026-04-06: 1440"]],
  // Days that begin at 01:00, and days whose last hour occurs twice.
  ["America/Sao_Paulo", "2018-11-03", "2018-11-05", ["2018-11-03: 1440", "2018-11-04: 1380"]],
  ["America/Sao_Paulo", "2018-02-17", "2018-02-19", ["2018-02-17: 1500", "2018-02-18: 1440"]],
])("a day is as long as the zone's clock makes it: %s %s", (zone, from, to, expected) => {
  const series = cut(zone, "1d", from, to);
  expect(lengths(series)).toEqual(expected);
  expect(series.exact).toBe(true);
});

test("an hour skipped by the clock has no bucket", () => {
  expect(lengths(cut("Europe/Berlin", "1h", "2026-03-29T01:00", "2026-03-29T05:00"))).toEqual([
    "2026-03-29T01:00+01:00: 60",
    "2026-03-29T03:00+02:00: 60",
    "2026-03-29T04:00+02:00: 60",
  ]);
});

test("an hour shown twice is two buckets, told apart by their offsets", () => {
  expect(lengths(cut("America/New_York", "1h", "2026-11-01T00:00", "2026-11-01T03:00"))).toEqual([
    "2026-11-01T00:00-04:00: 60",
    "2026-11-01T01:00-04:00: 60",
    "2026-11-01T01:00-05:00: 60",
    "2026-11-01T02:00-05:00: 60",
  ]);
});

test("an hour broken by Lord Howe's half-hour jump is a bucket of 30 minutes, in spring and in autumn", () => {
  expect(lengths(cut("Australia/Lord_Howe", "1h", "2026-10-04T01:00", "2026-10-04T04:00"))).toEqual([
    "2026-10-04T01:00+10:30: 60",
    "2026-10-04T02:30+11:00: 30",
    "2026-10-04T03:00+11:00: 60",
  ]);
  expect(lengths(cut("Australia/Lord_Howe", "1h", "2026-04-05T01:00", "2026-04-05T03:00"))).toEqual([
    "2026-04-05T01:00+11:00: 60",
    "2026-04-05T01:30+10:30: 30",
    "2026-04-05T02:00+10:30: 60",
  ]);
});

test("hours begin at half past in UTC where the zone's do", () => {
  const { buckets, exact } = cut("Asia/Kolkata", "1h", "2026-03-29T10:00", "2026-03-29T12:00");
  expect(buckets.map(({ startMs }) => utc(startMs))).toEqual(["2026-03-29T04:30Z", "2026-03-29T05:30Z"]);
  expect(buckets.map(({ label }) => label)).toEqual(["2026-03-29T10:00+05:30", "2026-03-29T11:00+05:30"]);
  expect(exact).toBe(true);
});

test("ten-minute buckets are windows under their local names", () => {
  expect(lengths(cut("Europe/Berlin", "10m", "2026-10-25T02:50+02:00", "2026-10-25T02:10+01:00"))).toEqual([
    "2026-10-25T02:50+02:00: 10",
    "2026-10-25T02:00+01:00: 10",
  ]);
});

test("a date left out by the zone has no bucket", () => {
  expect(lengths(cut("Pacific/Apia", "1d", "2011-12-29", "2012-01-01"))).toEqual([
    "2011-12-29: 1440",
    "2011-12-31: 1440",
  ]);
  expect(lengths(cut("Pacific/Apia", "1w", "2011-12-26", "2012-01-02"))).toEqual([`2011-12-26: ${6 * 1440}`]);
});

test("at +05:45 days move to the nearest window, keep their length and say so", () => {
  const series = cut("Asia/Kathmandu", "1d", "2026-03-28", "2026-03-30");
  expect(lengths(series)).toEqual(["2026-03-28: 1440", "2026-03-29: 1440"]);
  expect([utc(series.fromMs), utc(series.toMs)]).toEqual(["2026-03-27T18:10Z", "2026-03-29T18:10Z"]);
  expect(series.exact).toBe(false);
});

test("at +05:45 two adjacent months share no window and leave none out", () => {
  const march = cut("Asia/Kathmandu", "1mo", "2026-03-01", "2026-04-01");
  const april = cut("Asia/Kathmandu", "1mo", "2026-04-01", "2026-05-01");
  expect(march.toMs).toBe(april.fromMs);
  expect([...lengths(march), ...lengths(april)]).toEqual([`2026-03: ${31 * 1440}`, `2026-04: ${30 * 1440}`]);
});

test("at +05:45 a range within one unit is exact: no boundary of the calendar shows", () => {
  expect(cut("Asia/Kathmandu", "1d", "2026-03-29T10:05", "2026-03-29T12:05").exact).toBe(true);
  expect(cut("Asia/Kathmandu", "10m", "2026-03-29", "2026-03-30").exact).toBe(true);
});

test("ISO weeks begin on Monday across the end of a year and are named by that Monday", () => {
  const { buckets } = cut("Europe/Berlin", "1w", "2025-12-22", "2026-01-12");
  expect(buckets.map(({ label, startMs }) => [label, utc(startMs)])).toEqual([
    ["2025-12-22", "2025-12-21T23:00Z"],
    ["2025-12-29", "2025-12-28T23:00Z"],
    ["2026-01-05", "2026-01-04T23:00Z"],
  ]);
});

test("months follow the calendar across the end of a year and a leap day", () => {
  const series = cut("UTC", "1mo", "2023-12-01", "2024-03-01");
  expect(lengths(series)).toEqual([`2023-12: ${31 * 1440}`, `2024-01: ${31 * 1440}`, `2024-02: ${29 * 1440}`]);
  expect(lengths(cut("Europe/Berlin", "1mo", "2026-03-01", "2026-04-01"))).toEqual([`2026-03: ${31 * 1440 - 60}`]);
});

test("the first and the last bucket are clipped to the range and keep their unit's name", () => {
  expect(lengths(cut("Europe/Berlin", "1w", "2026-04-03T12:00", "2026-04-06T06:00"))).toEqual([
    `2026-03-30: ${(12 + 48) * 60}`,
    `2026-04-06: ${6 * 60}`,
  ]);
  expect(lengths(cut("UTC", "1h", "2026-04-03T12:20", "2026-04-03T12:50"))).toEqual(["2026-04-03T12:00+00:00: 30"]);
});

test("ends that are no windows widen the range, and the answer says to what", () => {
  const series = cut("Europe/Berlin", "1d", "2026-04-03T12:03", "2026-04-03T12:14:00.001");
  expect([utc(series.fromMs), utc(series.toMs)]).toEqual(["2026-04-03T10:00Z", "2026-04-03T10:20Z"]);
  expect(series.exact).toBe(true);
  expect(lengths(series)).toEqual(["2026-04-03: 20"]);
});

test("even a millisecond is a window", () => {
  const fromMs = Date.parse("2026-03-29T04:22:00Z");
  // The end, 10:10 in Kathmandu, would be moved down on to the start.
  const toMs = Date.parse("2026-03-29T04:25:00Z");
  const request = { granularity: "10m", zone: "Asia/Kathmandu", bucketsMax: 1 } as const;
  expect(cutIntoBuckets({ ...request, fromMs, toMs })).toMatchObject({
    ok: true,
    value: { fromMs: Date.parse("2026-03-29T04:20:00Z"), toMs: Date.parse("2026-03-29T04:30:00Z") },
  });
  expect(cutIntoBuckets({ ...request, fromMs, toMs: fromMs + 1 }).ok).toBe(true);
});

test.each([0, 1])("a range that ends %i ms before it begins is refused", (ms) => {
  const fromMs = Date.UTC(2026, 0, 1);
  const result = cutIntoBuckets({ fromMs, toMs: fromMs - ms, granularity: "1d", zone: "UTC", bucketsMax: 10 });
  expect(result).toEqual({ ok: false, error: { reason: "empty_range", fromMs, toMs: fromMs - ms } });
});

test("too many buckets are counted, not built, and the finest granularity that fits is named", () => {
  const fiveYears = range("Europe/Berlin", "2021-01-01", "2026-01-01");
  const request = { ...fiveYears, zone: "Europe/Berlin", granularity: "10m" } as const;
  const error = { reason: "too_many_buckets", granularity: "10m", count: 1826 * 144 };
  const limits = [
    [50_000, "1h"],
    [1826, "1d"],
    [1825, "1w"],
    [60, "1mo"],
    [59, null],
  ] as const;
  for (const [bucketsMax, finest] of limits) {
    expect(cutIntoBuckets({ ...request, bucketsMax })).toEqual({ ok: false, error: { ...error, bucketsMax, finest } });
  }
});

test("the limit itself is allowed, also where days are moved or last 23 hours", () => {
  for (const zone of ["Asia/Kathmandu", "Europe/Berlin", "Pacific/Chatham"]) {
    const month = range(zone, "2026-03-01", "2026-04-01");
    expect(cutIntoBuckets({ ...month, zone, granularity: "1d", bucketsMax: 31 }).ok).toBe(true);
    expect(cutIntoBuckets({ ...month, zone, granularity: "1d", bucketsMax: 30 }).ok).toBe(false);
  }
});

test("a broken hour counts towards the limit", () => {
  const day = range("Australia/Lord_Howe", "2026-04-05", "2026-04-06");
  const request = { ...day, zone: "Australia/Lord_Howe", granularity: "1h" } as const;
  expect(cutIntoBuckets({ ...request, bucketsMax: 25 }).ok).toBe(true);
  expect(cutIntoBuckets({ ...request, bucketsMax: 24 })).toMatchObject({
    error: { reason: "too_many_buckets", count: 25, finest: "1d" },
  });
});
