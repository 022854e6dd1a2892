import fc from "fast-check";
import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import { type BaseSpans, baseSpans, COMPARISONS, type Comparison } from "./base-spans.ts";
import { cutIntoBuckets } from "./calendar.ts";
import { GRANULARITIES, type Granularity } from "./calendar-unit.ts";
import { parseInstant } from "./instant.ts";
import { presentTime } from "./present.ts";

interface Asked {
  readonly comparison: Comparison;
  readonly zone?: string;
  readonly granularity?: Granularity;
  readonly from: string;
  readonly to: string;
  /** The end of what has elapsed; all of it, if not given. */
  readonly elapsed?: string;
}

function compared({ comparison, zone = "Europe/Berlin", granularity = "1d", from, to, elapsed = to }: Asked) {
  const at = (text: string) => {
    const instant = parseInstant(text, zone, 0);
    if (!instant.ok) throw new Error(instant.error.hint);
    return instant.value;
  };
  const series = cutIntoBuckets({ fromMs: at(from), toMs: at(to), granularity, zone, bucketsMax: 10_000 });
  if (!series.ok) throw new Error(JSON.stringify(series.error));
  return shown(baseSpans({ comparison, series: series.value, granularity, zone, elapsedMs: at(elapsed) }), zone);
}

function shown({ elapsed, bases }: BaseSpans, zone: string) {
  const span = ({ fromMs, toMs }: { fromMs: number; toMs: number }) =>
    `${presentTime(fromMs, zone)}/${presentTime(toMs, zone)}`.replaceAll(":00+", "+").replaceAll(":00-", "-");
  return {
    elapsed: span(elapsed),
    bases: bases.map(span),
    buckets: bases.map(({ buckets }) => buckets.map((bucket) => (bucket === null ? null : span(bucket)))),
  };
}

test("a day so far is compared with the day before, a week before and 52 weeks before, each up to the same time of day", () => {
  const today = { from: "2026-06-10", to: "2026-06-11", elapsed: "2026-06-10T10:20" };
  expect(compared({ comparison: "previous_period", ...today })).toMatchObject({
    elapsed: "2026-06-10T00:00+02:00/2026-06-10T10:20+02:00",
    bases: ["2026-06-09T00:00+02:00/2026-06-09T10:20+02:00"],
  });
  expect(compared({ comparison: "same_weekday", ...today }).bases).toEqual([
    "2026-06-03T00:00+02:00/2026-06-03T10:20+02:00",
  ]);
  expect(compared({ comparison: "year_ago", ...today }).bases).toEqual([
    "2025-06-11T00:00+02:00/2025-06-11T10:20+02:00",
  ]);
  expect(compared({ comparison: "four_week_average", ...today }).bases).toEqual([
    "2026-06-03T00:00+02:00/2026-06-03T10:20+02:00",
    "2026-05-27T00:00+02:00/2026-05-27T10:20+02:00",
    "2026-05-20T00:00+02:00/2026-05-20T10:20+02:00",
    "2026-05-13T00:00+02:00/2026-05-13T10:20+02:00",
  ]);
});

test("a span of some days goes back by whole days or by whole weeks, however long it is", () => {
  const tenDays = { from: "2026-06-08", to: "2026-06-18" };
  expect(compared({ comparison: "previous_period", ...tenDays }).bases).toEqual([
    "2026-05-29T00:00+02:00/2026-06-08T00:00+02:00",
  ]);
  expect(compared({ comparison: "same_weekday", ...tenDays }).bases).toEqual([
    "2026-05-25T00:00+02:00/2026-06-04T00:00+02:00",
  ]);
});

test("the period before some hours is as many hours, and not the same hours of the day before", () => {
  const hours = { granularity: "1h", from: "2026-06-10T09:00", to: "2026-06-10T12:00" } as const;
  expect(compared({ comparison: "previous_period", ...hours }).bases).toEqual([
    "2026-06-10T06:00+02:00/2026-06-10T09:00+02:00",
  ]);
  expect(compared({ comparison: "previous_period", ...hours, elapsed: "2026-06-10T10:30" }).buckets).toEqual([
    ["2026-06-10T06:00+02:00/2026-06-10T07:00+02:00", "2026-06-10T07:00+02:00/2026-06-10T07:30+02:00", null],
  ]);
});

test("a clock put forward in between does not move what is compared: 10:20 is compared with 10:20", () => {
  const after = { from: "2026-03-30", to: "2026-03-31", elapsed: "2026-03-30T10:20" };
  expect(compared({ comparison: "same_weekday", ...after }).bases).toEqual([
    "2026-03-23T00:00+01:00/2026-03-23T10:20+01:00",
  ]);
  expect(compared({ comparison: "year_ago", from: "2026-03-29", to: "2026-03-30" }).bases).toEqual([
    "2025-03-30T00:00+01:00/2025-03-31T00:00+02:00",
  ]);
});

test("on the day the clock is put forward each hour is compared with the hour of its name, the skipped one is in the day's base only", () => {
  const spring = { granularity: "1h", from: "2026-03-29", to: "2026-03-29T04:00" } as const;
  expect(compared({ comparison: "same_weekday", ...spring })).toMatchObject({
    bases: ["2026-03-22T00:00+01:00/2026-03-22T04:00+01:00"],
    buckets: [
      [
        "2026-03-22T00:00+01:00/2026-03-22T01:00+01:00",
        "2026-03-22T01:00+01:00/2026-03-22T02:00+01:00",
        "2026-03-22T03:00+01:00/2026-03-22T04:00+01:00",
      ],
    ],
  });
});

test("an hour that the base's clock skipped has no base, and its neighbours keep theirs", () => {
  const week = { granularity: "10m", from: "2026-04-05T01:50", to: "2026-04-05T03:10" } as const;
  expect(compared({ comparison: "same_weekday", ...week }).buckets).toEqual([
    [
      "2026-03-29T01:50+01:00/2026-03-29T03:00+02:00",
      ...[null, null, null, null, null, null],
      "2026-03-29T03:00+02:00/2026-03-29T03:10+02:00",
    ],
  ]);
});

test("of an hour shown twice the first is compared with the hour of its name, the second with nothing", () => {
  const autumn = { granularity: "1h", from: "2026-10-25T01:00", to: "2026-10-25T04:00" } as const;
  expect(compared({ comparison: "same_weekday", ...autumn }).buckets).toEqual([
    [
      "2026-10-18T01:00+02:00/2026-10-18T02:00+02:00",
      "2026-10-18T02:00+02:00/2026-10-18T03:00+02:00",
      null,
      "2026-10-18T03:00+02:00/2026-10-18T04:00+02:00",
    ],
  ]);
  const inside = compared({ comparison: "same_weekday", ...autumn, elapsed: "2026-10-25T02:30+01:00" });
  expect(inside.bases).toEqual(["2026-10-18T01:00+02:00/2026-10-18T03:00+02:00"]);
});

test("an hour shown twice in the base is compared whole", () => {
  const week = { granularity: "1h", from: "2026-11-01T01:00", to: "2026-11-01T04:00" } as const;
  expect(compared({ comparison: "same_weekday", ...week }).buckets).toEqual([
    [
      "2026-10-25T01:00+02:00/2026-10-25T02:00+02:00",
      "2026-10-25T02:00+02:00/2026-10-25T03:00+01:00",
      "2026-10-25T03:00+01:00/2026-10-25T04:00+01:00",
    ],
  ]);
});

test("a day that begins at 01:00, its midnight being skipped, is compared with whole days", () => {
  const day = { zone: "Africa/Cairo", from: "2026-04-24", to: "2026-04-25" };
  expect(compared({ comparison: "same_weekday", ...day })).toMatchObject({
    elapsed: "2026-04-24T01:00+03:00/2026-04-25T00:00+03:00",
    bases: ["2026-04-17T00:00+02:00/2026-04-18T00:00+02:00"],
    buckets: [["2026-04-17T00:00+02:00/2026-04-18T00:00+02:00"]],
  });
});

test("nothing is compared before anything has elapsed", () => {
  const tomorrow = { from: "2026-06-10", to: "2026-06-11", elapsed: "2026-06-09T10:20" };
  expect(compared({ comparison: "previous_period", ...tomorrow }).bases).toEqual([]);
});

test("whatever is asked, bases are earlier, of whole windows, and hold their buckets in order and without overlap", () => {
  const zones = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo", "America/St_Johns"];
  const lengths: Record<Granularity, number> = {
    "10m": 2 * DAY_MS,
    "1h": 20 * DAY_MS,
    "1d": 400 * DAY_MS,
    "1w": 400 * DAY_MS,
    "1mo": 800 * DAY_MS,
  };
  const request = fc.record({
    comparison: fc.constantFrom(...COMPARISONS),
    granularity: fc.constantFrom(...GRANULARITIES),
    zone: fc.constantFrom(...zones),
    fromMs: fc.integer({ min: Date.UTC(2024, 0) / 60_000, max: Date.UTC(2027, 0) / 60_000 }).map((m) => m * 60_000),
    length: fc.double({ min: 0.001, max: 1, noNaN: true }),
    elapsed: fc.double({ min: 0, max: 1.2, noNaN: true }),
  });
  fc.assert(
    fc.property(request, ({ comparison, granularity, zone, fromMs, length, elapsed }) => {
      const toMs = fromMs + Math.ceil(lengths[granularity] * length);
      const cut = cutIntoBuckets({ fromMs, toMs, granularity, zone, bucketsMax: 100_000 });
      if (!cut.ok) throw new Error("no range");
      const series = cut.value;
      const elapsedMs = Math.floor((series.fromMs + (series.toMs - series.fromMs) * elapsed) / WINDOW_MS) * WINDOW_MS;
      const { elapsed: compared, bases } = baseSpans({ comparison, series, granularity, zone, elapsedMs });
      for (const { fromMs, toMs, buckets } of bases) {
        expect(fromMs).toBeLessThan(compared.fromMs);
        // The clock is put on or back by at most two hours a year in these zones, and bases are no longer for it.
        expect(Math.abs(toMs - fromMs - (compared.toMs - compared.fromMs))).toBeLessThanOrEqual(2 * HOUR_MS);
        expect(buckets.length).toBe(series.buckets.length);
        let endMs = fromMs;
        for (const bucket of buckets) {
          if (bucket === null) continue;
          expect(bucket.fromMs % WINDOW_MS).toBe(0);
          expect(bucket.fromMs).toBeGreaterThanOrEqual(endMs);
          endMs = bucket.toMs;
        }
        expect(endMs).toBeLessThanOrEqual(toMs);
      }
    }),
    { numRuns: 300 },
  );
});
