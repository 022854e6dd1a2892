import { afterEach, expect, test, vi } from "vitest";
import { cutIntoBuckets } from "../../calendar.ts";
import type { Granularity } from "../data/answers.ts";
import { emptyBuckets } from "./empty-buckets.ts";
import { labelsOf, type Row, withoutGaps } from "./result-series.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

/** `[start, label]` of what is between two rows, of which one ends and the other starts. */
function between(zone: string, granularity: Granularity, end: string, start: string) {
  const found = emptyBuckets({ zone, granularity }, Date.parse(end), Date.parse(start));
  for (const [at, bucket] of found.entries()) expect(bucket.end).toBe(found[at + 1]?.start ?? start);
  return found.map((bucket) => [bucket.start, bucket.label]);
}

test("an empty day begins at midnight where clocks are changed, and is named once", () => {
  expect(between("Europe/Berlin", "1d", "2026-03-29T00:00:00+01:00", "2026-03-31T00:00:00+02:00")).toEqual([
    ["2026-03-29T00:00:00+01:00", "2026-03-29"],
    ["2026-03-30T00:00:00+02:00", "2026-03-30"],
  ]);
  expect(between("Europe/Berlin", "1d", "2026-10-25T00:00:00+02:00", "2026-10-27T00:00:00+01:00")).toEqual([
    ["2026-10-25T00:00:00+02:00", "2026-10-25"],
    ["2026-10-26T00:00:00+01:00", "2026-10-26"],
  ]);
  expect(between("America/New_York", "1d", "2026-03-08T00:00:00-05:00", "2026-03-10T00:00:00-04:00")).toEqual([
    ["2026-03-08T00:00:00-05:00", "2026-03-08"],
    ["2026-03-09T00:00:00-04:00", "2026-03-09"],
  ]);
  expect(between("America/New_York", "1d", "2026-11-01T00:00:00-04:00", "2026-11-03T00:00:00-05:00")).toEqual([
    ["2026-11-01T00:00:00-04:00", "2026-11-01"],
    ["2026-11-02T00:00:00-05:00", "2026-11-02"],
  ]);
});

test("an empty day that begins at the window before midnight has its own name", () => {
  expect(between("Asia/Kathmandu", "1d", "2026-11-01T23:55:00+05:45", "2026-11-03T23:55:00+05:45")).toEqual([
    ["2026-11-01T23:55:00+05:45", "2026-11-02"],
    ["2026-11-02T23:55:00+05:45", "2026-11-03"],
  ]);
});

test("empty weeks begin on Monday, and empty months with their first, over a change and New Year", () => {
  expect(between("Europe/Berlin", "1w", "2026-03-23T00:00:00+01:00", "2026-04-06T00:00:00+02:00")).toEqual([
    ["2026-03-23T00:00:00+01:00", "2026-03-23"],
    ["2026-03-30T00:00:00+02:00", "2026-03-30"],
  ]);
  expect(between("Europe/Berlin", "1w", "2026-12-28T00:00:00+01:00", "2027-01-11T00:00:00+01:00")).toEqual([
    ["2026-12-28T00:00:00+01:00", "2026-12-28"],
    ["2027-01-04T00:00:00+01:00", "2027-01-04"],
  ]);
  expect(between("Asia/Tokyo", "1mo", "2026-01-01T00:00:00+09:00", "2026-04-01T00:00:00+09:00")).toEqual([
    ["2026-01-01T00:00:00+09:00", "2026-01"],
    ["2026-02-01T00:00:00+09:00", "2026-02"],
    ["2026-03-01T00:00:00+09:00", "2026-03"],
  ]);
  expect(between("America/New_York", "1mo", "2026-10-01T00:00:00-04:00", "2027-01-01T00:00:00-05:00")).toEqual([
    ["2026-10-01T00:00:00-04:00", "2026-10"],
    ["2026-11-01T00:00:00-04:00", "2026-11"],
    ["2026-12-01T00:00:00-05:00", "2026-12"],
  ]);
});

test("empty hours are those that a clock shows: none that it skips, both that it shows twice", () => {
  expect(between("Europe/Berlin", "1h", "2026-03-29T01:00:00+01:00", "2026-03-29T05:00:00+02:00")).toEqual([
    ["2026-03-29T01:00:00+01:00", "2026-03-29T01:00+01:00"],
    ["2026-03-29T03:00:00+02:00", "2026-03-29T03:00+02:00"],
    ["2026-03-29T04:00:00+02:00", "2026-03-29T04:00+02:00"],
  ]);
  expect(between("Europe/Berlin", "1h", "2026-10-25T01:00:00+02:00", "2026-10-25T04:00:00+01:00")).toEqual([
    ["2026-10-25T01:00:00+02:00", "2026-10-25T01:00+02:00"],
    ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00+02:00"],
    ["2026-10-25T02:00:00+01:00", "2026-10-25T02:00+01:00"],
    ["2026-10-25T03:00:00+01:00", "2026-10-25T03:00+01:00"],
  ]);
  const hoursOf = (from: string, to: string) => between("Europe/Berlin", "1h", from, to).length;
  expect(hoursOf("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00")).toBe(23);
  expect(hoursOf("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00")).toBe(25);
});

test("points of a line have a name each, an hour that is shown twice with its offset", async () => {
  // What a browser has, and this process has not.
  vi.stubGlobal("localStorage", { getItem: () => "en" });
  vi.stubGlobal("document", { documentElement: { dataset: {} } });
  const { bucketNameAmong } = await import("../text/format.ts");
  const row = (start: string, end: string, label: string): Row => ({ currency: "EUR", start, end, label, net: 5 });
  const names = (zone: string, granularity: Granularity, rows: readonly Row[]) => {
    const labels = labelsOf(withoutGaps(rows, ["net"], { zone, granularity }));
    return labels.map((_, at) => bucketNameAmong(labels, at, granularity));
  };
  const days = [
    row("2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00", "2026-03-28"),
    row("2026-03-30T00:00:00+02:00", "2026-03-31T00:00:00+02:00", "2026-03-30"),
  ];
  expect(names("Europe/Berlin", "1d", days)).toEqual(["Sat, 28 Mar 2026", "Sun, 29 Mar 2026", "Mon, 30 Mar 2026"]);
  const moved = [
    row("2026-11-01T23:55:00+05:45", "2026-11-02T23:55:00+05:45", "2026-11-02"),
    row("2026-11-03T23:55:00+05:45", "2026-11-04T23:55:00+05:45", "2026-11-04"),
  ];
  expect(names("Asia/Kathmandu", "1d", moved)).toEqual(["Mon, 2 Nov 2026", "Tue, 3 Nov 2026", "Wed, 4 Nov 2026"]);
  const hours = [
    row("2026-10-25T01:00:00+02:00", "2026-10-25T02:00:00+02:00", "2026-10-25T01:00+02:00"),
    row("2026-10-25T03:00:00+01:00", "2026-10-25T04:00:00+01:00", "2026-10-25T03:00+01:00"),
  ];
  const [, first, second] = names("Europe/Berlin", "1h", hours);
  expect([first, second]).toEqual([
    expect.stringMatching(/02:00 UTC\+02:00$/),
    expect.stringMatching(/02:00 UTC\+01:00$/),
  ]);
});

/** Daylight saving of either hemisphere, of half an hour and at midnight, odd offsets, a date left out; and how far it is looked over. */
const ZONES = [
  ...["UTC", "+09:00", "Africa/Cairo", "America/New_York", "America/St_Johns", "Asia/Beirut", "Asia/Kathmandu"],
  ...["Asia/Tokyo", "Australia/Lord_Howe", "Europe/Berlin", "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati"],
];
const SPANS = {
  "10m": [
    ["2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z"],
    ["2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z"],
  ],
  "1h": [
    ["2026-03-25T00:00:00Z", "2026-04-08T00:00:00Z"],
    ["2026-09-23T00:00:00Z", "2026-11-03T00:00:00Z"],
  ],
  "1d": [
    ["2011-12-20T00:00:00Z", "2012-01-10T00:00:00Z"],
    ["2025-12-20T00:00:00Z", "2027-01-10T00:00:00Z"],
  ],
  "1w": [["2025-12-20T00:00:00Z", "2028-01-10T00:00:00Z"]],
  "1mo": [["2024-12-20T00:00:00Z", "2029-01-10T00:00:00Z"]],
} as const;

test.for(ZONES)("what is empty in %s is cut as the API cuts it", (zone) => {
  for (const granularity of Object.keys(SPANS) as Granularity[])
    for (const [from, to] of SPANS[granularity]) {
      const span = { fromMs: Date.parse(from), toMs: Date.parse(to) };
      const cut = cutIntoBuckets({ ...span, granularity, zone, bucketsMax: 2_200 });
      if (!cut.ok) throw new Error(cut.error.reason);
      // The first and the last are clipped.
      const whole = cut.value.buckets.slice(1, -1);
      const found = emptyBuckets({ zone, granularity }, whole[0]?.startMs ?? 0, whole.at(-1)?.endMs ?? 0);
      const moments = found.map(({ start, end, label }) => ({
        startMs: Date.parse(start),
        endMs: Date.parse(end),
        label,
      }));
      expect(moments, granularity).toEqual(whole);
    }
});

test("a gap longer than any answer's is left, as of an answer that is of other steps", () => {
  expect(between("Asia/Tokyo", "10m", "2026-01-01T00:00:00+09:00", "2026-04-01T00:00:00+09:00")).toEqual([]);
});
