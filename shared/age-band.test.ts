import fc from "fast-check";
import { expect, test } from "vitest";
import { ageBand } from "./age-band.ts";
import { DAY_MS } from "./window.ts";

const at = Date.UTC(2026, 5, 15);
const BANDS = ["0-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+"];

test.each([
  [2026, "0-17"],
  [2009, "0-17"],
  [2007, "18-24"],
  [2002, "18-24"],
  [2000, "25-34"],
  [1990, "35-44"],
  [1980, "45-54"],
  [1970, "55-64"],
  [1960, "65+"],
  [1900, "65+"],
])("somebody born in May %i is %s in June 2026", (year, band) => {
  expect(ageBand(`${year}-05-01`, at)).toBe(band);
});

test("the band turns on the birthday, a day early or late at most", () => {
  fc.assert(
    fc.property(fc.constantFrom(18, 25, 35, 45, 55, 65), fc.integer({ min: 0, max: 15_000 }), (years, day) => {
      const birthday = new Date(Date.UTC(1920) + day * DAY_MS);
      const turns = Date.UTC(birthday.getUTCFullYear() + years, birthday.getUTCMonth(), birthday.getUTCDate());
      const dateOfBirth = birthday.toISOString().slice(0, 10);
      const next = BANDS.findIndex((band) => band.startsWith(String(years)));
      expect(ageBand(dateOfBirth, turns - 1.5 * DAY_MS)).toBe(BANDS[next - 1]);
      expect(ageBand(dateOfBirth, turns + 1.5 * DAY_MS)).toBe(BANDS[next]);
    }),
  );
});

test("nobody pays before being born, but for the day that time zones differ", () => {
  expect(ageBand("2026-06-15", at)).toBe("0-17");
  expect(ageBand("2026-06-16", at)).toBe("0-17");
  expect(ageBand("2026-06-17", at)).toBeUndefined();
});

test.each(["", "1990", "1990-13-01", "1990-02-30", "90-01-01", "1990-1-1", "1990-01-01T00:00:00Z", " 1990-01-01"])(
  "%j is no date",
  (text) => {
    expect(ageBand(text, at)).toBeUndefined();
  },
);
