import fc from "fast-check";
import { expect, test } from "vitest";
import { daysSinceEpoch, parseRfc3339 } from "./rfc3339.ts";

const two = (min: number, max: number) => fc.integer({ min, max }).map((n) => String(n).padStart(2, "0"));
const date = fc.tuple(
  fc.integer({ min: 1, max: 9999 }).map((year) => String(year).padStart(4, "0")),
  two(1, 12),
  two(1, 31),
);
const time = fc.tuple(two(0, 23), two(0, 59), two(0, 59));
const fraction = fc.oneof(fc.constant(""), fc.stringMatching(/^\.\d{1,9}$/));
const offset = fc.oneof(
  fc.constant("Z"),
  fc.tuple(fc.constantFrom("+", "-"), two(0, 23), two(0, 59)).map(([s, h, m]) => `${s}${h}:${m}`),
);
const moments = fc.record({ date, time, fraction, offset });

/** What `Date` says of a date that exists; it rolls others over into the next month. */
function byDate(date: readonly string[], rest: string): number | undefined {
  const day = date.join("-");
  const midnight = new Date(`${day}T00:00:00Z`);
  const exists = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
  return exists ? Date.parse(`${day}T${rest}`) : undefined;
}

test("reads what Date.parse reads, in every year, fraction and offset, and no day that does not exist", () => {
  fc.assert(
    fc.property(moments, ({ date, time, fraction, offset }) => {
      const rest = `${time.join(":")}${fraction}${offset}`;
      expect(parseRfc3339(`${date.join("-")}T${rest}`)).toBe(byDate(date, rest));
    }),
    { numRuns: 2_000 },
  );
});

test("writes back what Date.toISOString wrote", () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true }),
      (moment) => {
        expect(parseRfc3339(moment.toISOString())).toBe(moment.getTime());
        expect(parseRfc3339(moment.toISOString().toLowerCase())).toBe(moment.getTime());
      },
    ),
  );
});

test("a leap second is the last millisecond before it, in whichever zone it is told", () => {
  const before = Date.UTC(2016, 11, 31, 23, 59, 59, 999);
  expect(parseRfc3339("2016-12-31T23:59:60Z")).toBe(before);
  expect(parseRfc3339("2016-12-31T23:59:60.5Z")).toBe(before);
  expect(parseRfc3339("2017-01-01T08:59:60+09:00")).toBe(before);
});

test("29 February is a day in leap years alone, centuries included", () => {
  const leap = (year: string) => parseRfc3339(`${year}-02-29T00:00:00Z`) !== undefined;
  expect(["2000", "2024", "2400"].map(leap)).toEqual([true, true, true]);
  expect(["1900", "2023", "2100"].map(leap)).toEqual([false, false, false]);
});

test.each([
  "",
  "2026-03-29",
  "2026-03-29T10:00:00",
  "2026-03-29 10:00:00Z",
  "2026-3-29T10:00:00Z",
  "2026-03-29T10:00Z",
  "2026-03-29T24:00:00Z",
  "2026-03-29T10:60:00Z",
  "2026-03-29T10:00:61Z",
  "2026-03-29T10:00:00.Z",
  "2026-03-29T10:00:00.1234567890Z",
  "2026-03-29T10:00:00+24:00",
  "2026-03-29T10:00:00+01:60",
  "2026-03-29T10:00:00+0100",
  "2026-13-01T00:00:00Z",
  "2026-00-10T00:00:00Z",
  "2026-03-00T00:00:00Z",
  "+002026-03-29T10:00:00Z",
  "2026-03-29T10:00:00Z\n",
  "２０２６-03-29T10:00:00Z",
])("%j is no moment", (text) => {
  expect(parseRfc3339(text)).toBeUndefined();
});

test("days are counted from the epoch, before it too", () => {
  expect(daysSinceEpoch(1970, 1, 1)).toBe(0);
  expect(daysSinceEpoch(1969, 12, 31)).toBe(-1);
  expect(daysSinceEpoch(2000, 2, 29)).toBe(11_016);
  expect(daysSinceEpoch(2026, 2, 29)).toBeUndefined();
});
