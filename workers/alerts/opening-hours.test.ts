import { describe, expect, test } from "vitest";
import { longestOpenMinutes, type OpeningHours, openingAt, openingHoursSchema } from "./opening-hours.ts";

const hours = (days: Partial<Record<keyof OpeningHours, string>>): OpeningHours =>
  openingHoursSchema.parse(
    Object.fromEntries(
      Object.entries(days).map(([day, text]) => [
        day,
        text.split(" ").map((span) => ({ from: span.split("-")[0], to: span.split("-")[1] })),
      ]),
    ),
  );
const EVERY_DAY = (text: string) =>
  hours({ monday: text, tuesday: text, wednesday: text, thursday: text, friday: text, saturday: text, sunday: text });
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16));

const BAR = hours({ friday: "18:00-02:00", saturday: "18:00-02:00" });
const LUNCH = hours({ monday: "11:30-14:00 17:00-22:00" });

/** 2026-11-23 is a Monday. Moments are UTC; Tokyo is nine hours ahead. */
test.each<[string, OpeningHours, string, string, string | undefined, string | undefined, string | undefined]>([
  ["before it opens", LUNCH, "Asia/Tokyo", "2026-11-23T02:29", undefined, undefined, "2026-11-23T02:30"],
  ["as it opens", LUNCH, "Asia/Tokyo", "2026-11-23T02:30", "2026-11-23T02:30", "2026-11-23T05:00", "2026-11-23T08:00"],
  ["between two stretches", LUNCH, "Asia/Tokyo", "2026-11-23T05:00", undefined, undefined, "2026-11-23T08:00"],
  [
    "after it closed, with a week to go",
    LUNCH,
    "Asia/Tokyo",
    "2026-11-23T13:00",
    undefined,
    undefined,
    "2026-11-30T02:30",
  ],
  [
    "past midnight, on the day before's hours",
    BAR,
    "Europe/Berlin",
    "2026-11-28T00:30",
    "2026-11-27T17:00",
    "2026-11-28T01:00",
    "2026-11-28T17:00",
  ],
  [
    "past Sunday's midnight, when the week begins anew",
    hours({ sunday: "20:00-04:00" }),
    "UTC",
    "2026-11-23T03:59",
    "2026-11-22T20:00",
    "2026-11-23T04:00",
    undefined,
  ],
  [
    "at midnight between two days that touch",
    hours({ monday: "18:00-24:00", tuesday: "00:00-03:00" }),
    "UTC",
    "2026-11-24T00:00",
    "2026-11-23T18:00",
    "2026-11-24T03:00",
    undefined,
  ],
  [
    "of a shop that never closes",
    EVERY_DAY("00:00-24:00"),
    "UTC",
    "2026-11-23T10:00",
    "2026-11-21T00:00",
    "2026-11-25T00:00",
    undefined,
  ],
  ["of a shop that never opens", hours({}), "UTC", "2026-11-23T10:00", undefined, undefined, undefined],
  // The clock of Berlin skips 02:00 to 03:00 on 2026-03-29, and shows it twice on 2026-10-25, both Sundays.
  [
    "on a day of 23 hours",
    hours({ sunday: "01:00-04:00" }),
    "Europe/Berlin",
    "2026-03-29T01:30",
    "2026-03-29T00:00",
    "2026-03-29T02:00",
    undefined,
  ],
  [
    "of an opening that the clock skips",
    hours({ sunday: "02:30-05:00" }),
    "Europe/Berlin",
    "2026-03-29T01:30",
    "2026-03-29T01:30",
    "2026-03-29T03:00",
    undefined,
  ],
  [
    "of a stretch that the clock skips",
    hours({ sunday: "02:10-02:50" }),
    "Europe/Berlin",
    "2026-03-29T01:30",
    "2026-03-29T01:10",
    "2026-03-29T01:50",
    undefined,
  ],
  [
    "on a day of 25 hours",
    hours({ sunday: "01:00-04:00" }),
    "Europe/Berlin",
    "2026-10-25T02:30",
    "2026-10-24T23:00",
    "2026-10-25T03:00",
    undefined,
  ],
  [
    "of a closing shown twice, after the first",
    hours({ sunday: "00:00-02:30" }),
    "Europe/Berlin",
    "2026-10-25T01:15",
    undefined,
    undefined,
    "2026-10-31T23:00",
  ],
  [
    "across a change at midnight",
    hours({ saturday: "20:00-04:00" }),
    "America/Havana",
    "2026-03-08T06:00",
    "2026-03-08T01:00",
    "2026-03-08T08:00",
    undefined,
  ],
  [
    "in a zone off the windows",
    hours({ monday: "09:00-10:00" }),
    "Asia/Kathmandu",
    "2026-11-23T03:30",
    "2026-11-23T03:15",
    "2026-11-23T04:15",
    undefined,
  ],
])("%s a shop is open as its clock says", (_, given, zone, at, from, to, opens) => {
  const { open, opensMs } = openingAt(given, zone, Date.parse(`${at}Z`));
  expect([iso(open?.fromMs), iso(open?.toMs)]).toEqual([from, to]);
  if (opens !== undefined || open === undefined) expect(iso(opensMs)).toBe(opens);
});

describe("the longest stretch", () => {
  test.each<[string, OpeningHours, number]>([
    ["none", hours({}), 0],
    ["the longer of two", LUNCH, 300],
    ["across midnight", BAR, 480],
    ["days that touch", hours({ monday: "18:00-24:00", tuesday: "00:00-03:00" }), 540],
    ["from Sunday into Monday", hours({ sunday: "22:00-24:00", monday: "00:00-06:00" }), 480],
    ["overlapping ones", hours({ monday: "09:00-13:00 12:00-18:00" }), 540],
    ["always", EVERY_DAY("00:00-24:00"), 10_080],
  ])("is told of %s", (_, given, minutes) => {
    expect(longestOpenMinutes(given)).toBe(minutes);
  });
});
