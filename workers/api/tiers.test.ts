import fc from "fast-check";
import { expect, test } from "vitest";
import { HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import { cutIntoTiers, type HistorySpan, TIERS, UNIT_MS, withoutStale } from "./tiers.ts";

const day = (n: number, hour = 0) => Date.UTC(2026, 0, n, hour);

test("a total is days, with hours at its ends, whatever the zone", () => {
  const span = { fromMs: day(1, 15), toMs: day(11, 15) };
  expect(cutIntoTiers([span], [span.fromMs])).toEqual({
    days: [{ fromMs: day(2), toMs: day(11) }],
    hours: [
      { fromMs: day(1, 15), toMs: day(2) },
      { fromMs: day(11), toMs: day(11, 15) },
    ],
    windows: [],
  });
});

test("days of a zone of whole hours are one span of hours, those of UTC one of days", () => {
  const bounds = (hour: number) => [1, 2, 3].map((n) => day(n, hour));
  expect(cutIntoTiers([{ fromMs: day(1, 15), toMs: day(4, 15) }], bounds(15))).toEqual({
    days: [],
    hours: [{ fromMs: day(1, 15), toMs: day(4, 15) }],
    windows: [],
  });
  expect(cutIntoTiers([{ fromMs: day(1), toMs: day(4) }], bounds(0)).days).toEqual([{ fromMs: day(1), toMs: day(4) }]);
});

test("where bounds fall on half hours, the hour around each is read by window", () => {
  const halfPastMs = day(2) + HOUR_MS / 2;
  expect(cutIntoTiers([{ fromMs: day(1), toMs: day(3) }], [day(1), halfPastMs])).toEqual({
    days: [{ fromMs: day(1), toMs: day(2) }],
    hours: [{ fromMs: day(2, 1), toMs: day(3) }],
    windows: [{ fromMs: day(2), toMs: day(2, 1) }],
  });
});

test("of what is stale the windows are read, of the rest the roll-ups", () => {
  const tiers = cutIntoTiers([{ fromMs: day(1, 22), toMs: day(4) }], [day(1, 22)]);
  const stale = { days: new Set([day(2)]), hours: new Set([day(1, 23)]) };
  expect(withoutStale(tiers, stale)).toEqual({
    days: [{ fromMs: day(3), toMs: day(4) }],
    hours: [{ fromMs: day(1, 22), toMs: day(1, 23) }],
    windows: [{ fromMs: day(1, 23), toMs: day(3) }],
  });
  expect(withoutStale(tiers, { days: new Set(), hours: new Set() })).toBe(tiers);
});

const ascending = fc
  .uniqueArray(fc.nat(900), { minLength: 2, maxLength: 12 })
  .map((units) => units.sort((a, b) => a - b).map((unit) => day(1) + unit * WINDOW_MS));

test("the tiers cover the spans exactly once, in whole rows, none across a bound", () => {
  fc.assert(
    fc.property(ascending, ascending, (edges, bounds) => {
      const spans = edges.flatMap((fromMs, at) => {
        const toMs = edges[at + 1];
        return at % 2 === 0 && toMs !== undefined ? [{ fromMs, toMs }] : [];
      });
      const boundsMs = [day(1), ...bounds.filter((ms) => ms > day(1))];
      const tiers = cutIntoTiers(spans, boundsMs);
      const covered = TIERS.flatMap((tier) => tiers[tier].flatMap((span) => unitsOf(span, WINDOW_MS)));
      const asked = spans.flatMap((span) => unitsOf(span, WINDOW_MS));
      expect(covered.sort((a, b) => a - b)).toEqual(asked);
      for (const tier of TIERS) {
        for (const { fromMs, toMs } of tiers[tier])
          expect([fromMs % UNIT_MS[tier], toMs % UNIT_MS[tier]]).toEqual([0, 0]);
        for (const startMs of tiers[tier].flatMap((span) => unitsOf(span, UNIT_MS[tier]))) {
          expect(boundsMs.filter((ms) => ms > startMs && ms < startMs + UNIT_MS[tier])).toEqual([]);
        }
      }
    }),
  );
});

function unitsOf({ fromMs, toMs }: HistorySpan, unitMs: number): number[] {
  return Array.from({ length: (toMs - fromMs) / unitMs }, (_, n) => fromMs + n * unitMs);
}
