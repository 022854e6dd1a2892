import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ARCHIVED_KEY_PATTERN,
  archivedHour,
  archivedKind,
  archiveKey,
  archivePrefix,
  compactedKey,
  manifestKey,
} from "./archive-key.ts";
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

test("Parquet and manifest stand beside an hour's objects, and each is known by its key", () => {
  const hourMs = Date.UTC(2026, 1, 3, 4);
  const keys = [archiveKey(hourMs, "1-abc"), compactedKey(hourMs, "17-x"), manifestKey(hourMs)];
  expect(keys.map(archivedKind)).toEqual(["lines", "parquet", "manifest"]);
  expect(keys.map(archivedHour)).toEqual([hourMs, hourMs, hourMs]);
  // A listing names the objects before what was made of them, and ends with the manifest.
  expect([...keys].sort()).toEqual(keys);
  for (const key of keys) expect(key).toMatch(ARCHIVED_KEY_PATTERN);
  expect("raw/v1/2026/02/03/04/{a,b}.ndjson.gz").not.toMatch(ARCHIVED_KEY_PATTERN);
});
