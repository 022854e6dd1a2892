import { expect, test } from "vitest";
import { zoneDate } from "./zone-date.ts";

const seconds = (time: string) => Date.parse(time) / 1000;
const partsOf = (date: Date) => [
  date.getFullYear(),
  date.getMonth() + 1,
  date.getDate(),
  date.getHours(),
  date.getMinutes(),
];

test("a date's own parts are those of the zone's clock, whatever zone this device is in", () => {
  expect(partsOf(zoneDate("Asia/Tokyo", seconds("2026-11-27T15:30:00Z")))).toEqual([2026, 11, 28, 0, 30]);
  expect(partsOf(zoneDate("Asia/Kathmandu", seconds("2026-11-27T18:15:00Z")))).toEqual([2026, 11, 28, 0, 0]);
});

test("on both sides of a change of the clock it shows what the clock does", () => {
  expect(partsOf(zoneDate("America/New_York", seconds("2026-11-01T05:30:00Z")))).toEqual([2026, 11, 1, 1, 30]);
  expect(partsOf(zoneDate("America/New_York", seconds("2026-11-01T06:30:00Z")))).toEqual([2026, 11, 1, 1, 30]);
});
