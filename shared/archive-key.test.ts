import fc from "fast-check";
import { expect, test } from "vitest";
import { archivedHour, archiveKey, archivePrefix } from "./archive-key.ts";
import { HOUR_MS } from "./window.ts";

test("the prefix of an hour is its date and hour in UTC, in every year to 9999", () => {
  fc.assert(
    fc.property(fc.nat(70_389_527), (hour) => {
      const iso = new Date(hour * HOUR_MS).toISOString();
      expect(archivePrefix(hour * HOUR_MS)).toBe(`raw/v1/${iso.slice(0, 13).replaceAll(/[-T]/g, "/")}/`);
      expect(archivedHour(archiveKey(hour * HOUR_MS, "1-abc"))).toBe(hour * HOUR_MS);
    }),
    { numRuns: 1_000 },
  );
});

test("an object stands under its hour's prefix", () => {
  expect(archiveKey(Date.UTC(2026, 1, 3, 4), "1-abc")).toBe("raw/v1/2026/02/03/04/1-abc.ndjson.gz");
  expect(archivedHour("raw/v1/2026/02/03/04/1-abc.ndjson.gz")).toBe(Date.UTC(2026, 1, 3, 4));
  expect(archivedHour("dead/v1/tally-raw/abc")).toBeUndefined();
});
