import { expect, test } from "vitest";
import { dateIn } from "./civil-date.ts";
import { datesOf, dayCount, granularitiesFor, granularityFor, PRESETS } from "./span.ts";

test("presets are counted from the zone's date, today included", () => {
  const today = "2026-03-29"; // a Sunday
  expect(
    Object.fromEntries(PRESETS.map((preset) => [preset, Object.values(datesOf(preset, today)).join("/")])),
  ).toEqual({
    today: "2026-03-29/2026-03-29",
    yesterday: "2026-03-28/2026-03-28",
    "last-7-days": "2026-03-23/2026-03-29",
    "last-28-days": "2026-03-02/2026-03-29",
    "this-week": "2026-03-23/2026-03-29",
    "this-month": "2026-03-01/2026-03-29",
    "last-month": "2026-02-01/2026-02-28",
    "this-year": "2026-01-01/2026-03-29",
    "last-12-months": "2025-04-01/2026-03-29",
    "last-5-years": "2021-03-30/2026-03-29",
  });
});

test("no granularity is offered that an answer has no room for, or that makes no line", () => {
  const of = (days: number) =>
    granularitiesFor({ from: "2021-01-01", last: datesOf("today", dateIn("UTC", Date.UTC(2021, 0, days))).last });
  expect(of(1)).toEqual(["10m", "1h"]);
  expect(of(14)).toEqual(["10m", "1h", "1d", "1w"]);
  expect(of(1826)).toEqual(["1d", "1w", "1mo"]);
});

test("a wish that does not fit gives way to what suits the span", () => {
  const year = datesOf("last-12-months", "2026-11-27");
  expect(dayCount(year)).toBe(362);
  expect(granularityFor(year, "10m")).toBe("1d");
  expect(granularityFor(year, "1w")).toBe("1w");
  expect(granularityFor(datesOf("last-5-years", "2026-11-27"), undefined)).toBe("1w");
});

test("a date is the zone's, whatever this machine's is", () => {
  const ms = Date.parse("2026-11-27T15:30:00Z");
  expect(dateIn("Asia/Tokyo", ms)).toBe("2026-11-28");
  expect(dateIn("America/New_York", ms)).toBe("2026-11-27");
});
