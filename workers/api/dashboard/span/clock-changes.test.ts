import { expect, test } from "vitest";
import { clockChanges } from "./clock-changes.ts";

const LATER = Date.parse("2027-06-01T00:00:00Z");
const changed = (...given: Parameters<typeof clockChanges>) =>
  clockChanges(...given).flatMap((hours, day) => hours.flatMap((by, hour) => (by === 0 ? [] : [[day + 1, hour, by]])));

test("an hour that a clock shows twice counts twice, one that it skips not at all", () => {
  const year = { from: "2026-01-01", last: "2026-12-31" };
  expect(changed("Europe/Berlin", year, LATER)).toEqual([]); // both at two on a Sunday: one more, one fewer
  expect(changed("Europe/Berlin", { from: "2026-10-25", last: "2026-10-25" }, LATER)).toEqual([[7, 2, 1]]);
  expect(changed("Europe/Berlin", { from: "2026-03-01", last: "2026-03-31" }, LATER)).toEqual([[7, 2, -1]]);
  expect(changed("America/New_York", { from: "2026-10-20", last: "2026-11-20" }, LATER)).toEqual([[7, 1, 1]]);
  expect(changed("Asia/Tokyo", year, LATER)).toEqual([]);
});

test("a clock may be changed by half an hour, and at midnight", () => {
  expect(changed("Australia/Lord_Howe", { from: "2026-04-01", last: "2026-04-30" }, LATER)).toEqual([[7, 1, 0.5]]);
  expect(changed("Asia/Beirut", { from: "2026-03-01", last: "2026-03-31" }, LATER)).toEqual([[7, 0, -1]]);
});

test("a change that is of another date, or still to come, is none", () => {
  for (const date of ["2026-10-24", "2026-10-26"])
    expect(changed("Europe/Berlin", { from: date, last: date }, LATER)).toEqual([]);
  const day = { from: "2026-10-25", last: "2026-10-25" };
  expect(changed("Europe/Berlin", day, Date.parse("2026-10-25T00:59:00Z"))).toEqual([]);
  expect(changed("Europe/Berlin", day, Date.parse("2026-10-25T01:00:00Z"))).toEqual([[7, 2, 1]]);
});
