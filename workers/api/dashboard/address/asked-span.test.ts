import { expect, test } from "vitest";
import { askedSpan } from "./asked-span.ts";

const NOW_MS = Date.parse("2026-11-27T20:00:00Z");

test("a span that goes on is asked for up to now, one that is over up to the day after its last", () => {
  expect(askedSpan("last-7-days", "UTC", NOW_MS)).toMatchObject({ from: "2026-11-21", to: "now" });
  expect(askedSpan({ from: "2026-10-01", last: "2026-10-31" }, "UTC", NOW_MS)).toMatchObject({
    from: "2026-10-01",
    to: "2026-11-01",
  });
});

test("today is the zone's", () => {
  expect(askedSpan("today", "Asia/Tokyo", NOW_MS)).toMatchObject({ today: "2026-11-28", from: "2026-11-28" });
});
