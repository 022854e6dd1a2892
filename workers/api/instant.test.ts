import { expect, test } from "vitest";
import { INSTANT_MS_MAX, parseInstant } from "./instant.ts";

const NOW_MS = Date.parse("2026-03-29T21:30:00Z");

function read(text: string, zone = "UTC"): string {
  const result = parseInstant(text, zone, NOW_MS);
  return result.ok ? new Date(result.value).toISOString() : result.error.problem;
}

test("epoch milliseconds are taken as they are", () => {
  expect(parseInstant("1774819800123", "Asia/Tokyo", NOW_MS)).toEqual({ ok: true, value: 1_774_819_800_123 });
});

test.each([
  ["1774819800", "looks_like_seconds"],
  ["0", "looks_like_seconds"],
  ["1774819800123456", "looks_like_microseconds"],
  ["1774819800123456789", "looks_like_microseconds"],
  ["99999999999999", "out_of_range"],
  ["1969-12-31T23:59:59Z", "out_of_range"],
  ["0001-01-01", "out_of_range"],
  ["9999-12-31T10:00", "out_of_range"],
  ["2026-02-29", "no_such_time"],
  ["2026-13-01T00:00", "no_such_time"],
  ["2026-03-01T24:00", "no_such_time"],
  ["2026-03-01T10:00:00+25:00", "no_such_time"],
  ["2026-03-01T10:00:00 02:00", "unescaped_plus"],
  ["2026-03-01T10:00 02:00", "unescaped_plus"],
  ["", "unrecognised"],
  ["NaN", "unrecognised"],
  ["-1774819800123", "unrecognised"],
  ["1.7748198e12", "unrecognised"],
  ["2026-03", "unrecognised"],
  ["2026-3-1", "unrecognised"],
  ["2026-03-01T10:00:00[Asia/Tokyo]", "unrecognised"],
  ["tomorrow", "unrecognised"],
  ["29/03/2026", "unrecognised"],
])("%j is refused as %s", (text, problem) => {
  expect(parseInstant(text, "Europe/Berlin", NOW_MS)).toMatchObject({
    ok: false,
    error: { reason: "invalid_time", text, problem, hint: expect.stringMatching(/\S/) },
  });
});

test("an overlong text is not echoed in full", () => {
  const result = parseInstant("9".repeat(5000), "UTC", NOW_MS);
  expect(result).toMatchObject({ ok: false, error: { text: "9".repeat(64) } });
});

test("the limit itself is refused, the millisecond before it is not", () => {
  expect(parseInstant(String(INSTANT_MS_MAX), "UTC", NOW_MS).ok).toBe(false);
  expect(parseInstant(String(INSTANT_MS_MAX - 1), "UTC", NOW_MS).ok).toBe(true);
});

test.each([
  ["2026-03-29T10:00:00Z", "2026-03-29T10:00:00.000Z"],
  ["2026-03-29t10:00:00z", "2026-03-29T10:00:00.000Z"],
  ["2026-03-29T10:00:00.123456+02:00", "2026-03-29T08:00:00.123Z"],
  ["2026-03-29T10:00+05:45", "2026-03-29T04:15:00.000Z"],
  ["2026-03-29 10:00:00-03:30", "2026-03-29T13:30:00.000Z"],
])("an offset says it all, whatever the zone: %s", (text, instant) => {
  expect(read(text, "Pacific/Apia")).toBe(instant);
});

test.each([
  ["Europe/Berlin", "2026-07-01T10:00", "2026-07-01T08:00:00.000Z"],
  ["Europe/Berlin", "2026-01-01 10:00:30.5", "2026-01-01T09:00:30.500Z"],
  ["+09:00", "2026-07-01T10:00", "2026-07-01T01:00:00.000Z"],
  // Skipped: 02:30 does not occur, and is 30 minutes after 02:00, which is 03:00 by then.
  ["Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30:00.000Z"],
  // Shown twice: the first.
  ["Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00.000Z"],
  ["Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45:00.000Z"],
  ["Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45:00.000Z"],
])("without an offset it is the zone's clock: %s %s", (zone, text, instant) => {
  expect(read(text, zone)).toBe(instant);
});

test.each([
  ["Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00.000Z"],
  ["Asia/Kathmandu", "2026-03-29", "2026-03-28T18:15:00.000Z"],
  ["UTC", "2024-02-29", "2024-02-29T00:00:00.000Z"],
  // Midnight does not exist: the day begins at 01:00.
  ["America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z"],
  ["Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00.000Z"],
  // The hour before midnight occurs twice: the day begins after the second.
  ["America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00.000Z"],
  // Midnight occurs twice: the day begins with the first.
  ["America/Havana", "2026-11-01", "2026-11-01T04:00:00.000Z"],
  // The whole date was left out.
  ["Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z"],
  ["Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00.000Z"],
])("a date is its first moment: %s %s", (zone, text, instant) => {
  expect(read(text, zone)).toBe(instant);
});

test.each([
  ["UTC", "2026-03-29T00:00:00.000Z", "2026-03-28T00:00:00.000Z"],
  // 23:30 in Berlin on the day of 23 hours.
  ["Europe/Berlin", "2026-03-28T23:00:00.000Z", "2026-03-27T23:00:00.000Z"],
  // The next day has begun in Tokyo.
  ["Asia/Tokyo", "2026-03-29T15:00:00.000Z", "2026-03-28T15:00:00.000Z"],
])("today and yesterday are dates in the zone: %s", (zone, today, yesterday) => {
  expect(read("now", zone)).toBe("2026-03-29T21:30:00.000Z");
  expect(read("today", zone)).toBe(today);
  expect(read("yesterday", zone)).toBe(yesterday);
});
