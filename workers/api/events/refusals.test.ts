import { expect, test } from "vitest";
import { HOUR_MS } from "../../../shared/window.ts";
import { HourTooLarge, HourTooSlow } from "./archive-reader.ts";
import { hourNotSearched, tooManySearches } from "./refusals.ts";
import { SearchesFull } from "./searches.ts";

const hourMs = Date.UTC(2026, 10, 3, 12);
const said = (error: HourTooLarge | HourTooSlow) => hourNotSearched(error, "UTC");
const large = { bytes: 300_000_000, objects: 5_000 };

test("only of an hour that waits to be compacted it is said that it does", () => {
  const hour = "2026-11-03T12:00:00Z";
  const waits = { status: 422, code: "hour_not_compacted", extensions: { hour } };
  const unsorted = said(new HourTooSlow(hourMs, hourMs, {}));
  expect(unsorted).toMatchObject(waits);
  expect(unsorted.detail).toContain("when less is being read");
  expect(said(new HourTooLarge(hourMs, { ...large, isUncompacted: true }))).toMatchObject({
    ...waits,
    extensions: { hour, bytes: large.bytes },
  });
  const slow = said(new HourTooSlow(hourMs, undefined, {}));
  expect(slow).toMatchObject({ status: 503, code: "hour_too_slow", retryAfterS: 10, extensions: { hour } });
  const tooLarge = said(new HourTooLarge(hourMs, { ...large, isUncompacted: false }));
  expect(tooLarge).toMatchObject({ status: 422, code: "hour_too_large", extensions: { hour } });
  for (const { detail } of [slow, tooLarge]) expect(detail).not.toMatch(/sorted|31 hours/);
});

test("an hour beside the page's that waits is named, and the page's, without which it is not read", () => {
  const { detail, extensions } = said(new HourTooSlow(hourMs, hourMs + 5 * HOUR_MS, {}));
  expect(extensions).toEqual({ hour: "2026-11-03T17:00:00Z" });
  expect(detail).toContain("a span without it and the hour from 2026-11-03T12:00:00Z.");
});

test("whoever finds no room to wait is told whether the merchant's own searches are too many, and when to come again", () => {
  expect(tooManySearches(new SearchesFull("of_one"))).toMatchObject({ status: 429, retryAfterS: 3 });
  expect(tooManySearches(new SearchesFull("of_all"))).toMatchObject({ status: 503, retryAfterS: 3 });
});
