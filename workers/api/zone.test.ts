import { expect, test } from "vitest";
import { offsetAt, parseZone, stretches } from "./zone.ts";

const HOUR_MS = 3_600_000;

test.each([
  ["Europe/Berlin", "Europe/Berlin"],
  ["europe/berlin", "Europe/Berlin"],
  ["AMERICA/PORT-AU-PRINCE", "America/Port-au-Prince"],
  ["America/Argentina/ComodRivadavia", "America/Argentina/Catamarca"],
  ["Asia/Calcutta", "Asia/Kolkata"],
  ["Asia/Kolkata", "Asia/Kolkata"],
  ["Europe/Kiev", "Europe/Kyiv"],
  ["US/Eastern", "America/New_York"],
  ["utc", "UTC"],
  ["Etc/UTC", "UTC"],
  ["GMT", "UTC"],
  ["Zulu", "UTC"],
  ["Etc/GMT+5", "Etc/GMT+5"],
  ["+09:00", "+09:00"],
  ["-03:30", "-03:30"],
  ["+00:00", "UTC"],
  ["-00:00", "UTC"],
])("a zone has one canonical id: %s is %s", (text, zone) => {
  expect(parseZone(text)).toEqual({ ok: true, value: zone });
});

test.each([
  "",
  "Mars/Olympus",
  "PST",
  "IST",
  "SystemV/EST5",
  "Z",
  "9",
  "+9",
  "+0900",
  "+24:00",
  "GMT+3",
  "Factory",
  "Europe/Berlin ",
  "2026-01-01[Asia/Tokyo]",
  "Europe/Berlin\u0000",
  "__proto__",
  "constructor",
])("nothing else is a zone: %j", (text) => {
  expect(parseZone(text)).toMatchObject({ ok: false, error: { reason: "unknown_zone", zone: text } });
});

test("an offset whose plus sign was lost on the way is explained", () => {
  expect(parseZone(" 09:00")).toMatchObject({ ok: false, error: { hint: expect.stringContaining("%2B") } });
});

test("an overlong zone is not echoed in full", () => {
  expect(parseZone("x".repeat(5000))).toMatchObject({ ok: false, error: { zone: "x".repeat(64) } });
});

test("stretches follow each other and break where the clock jumps", () => {
  const fromMs = Date.UTC(2026, 0, 1);
  const toMs = Date.UTC(2027, 0, 1);
  const springMs = Date.UTC(2026, 2, 29, 1);
  const autumnMs = Date.UTC(2026, 9, 25, 1);
  expect(stretches("Europe/Berlin", fromMs, toMs)).toEqual([
    { startMs: fromMs, endMs: springMs, offsetMs: HOUR_MS },
    { startMs: springMs, endMs: autumnMs, offsetMs: 2 * HOUR_MS },
    { startMs: autumnMs, endMs: toMs, offsetMs: HOUR_MS },
  ]);
});

test.each(["UTC", "+05:45", "Asia/Tokyo"])("a zone that never changes its clock is one stretch: %s", (zone) => {
  const fromMs = Date.UTC(2021, 0, 1);
  const toMs = Date.UTC(2040, 0, 1);
  expect(stretches(zone, fromMs, toMs)).toEqual([{ startMs: fromMs, endMs: toMs, offsetMs: offsetAt(zone, fromMs) }]);
});

test("Morocco's month of Ramadan is found although it is short", () => {
  const found = stretches("Africa/Casablanca", Date.UTC(2025, 0, 1), Date.UTC(2026, 0, 1));
  expect(found.map(({ offsetMs }) => offsetMs / HOUR_MS)).toEqual([1, 0, 1]);
});
