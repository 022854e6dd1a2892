import fc from "fast-check";
import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import { type Cut, cutIntoTiers, type HistorySpan, rolledUpSpans, TIERS, UNIT_MS, withoutStale } from "./tiers.ts";

const day = (n: number, hour = 0) => Date.UTC(2026, 0, n, hour);
const month = (n: number, dayOfMonth = 1, hour = 0) => Date.UTC(2026, n - 1, dayOfMonth, hour);

/** All rolled up and kept. */
const at = (boundsMs: readonly number[], over: Partial<Cut> = {}): Cut => ({
  ...{ boundsMs, rolledUpToMs: Date.UTC(2030, 0), keptFromMs: 0, withMonths: true },
  ...over,
});

test("a total is days, with hours at its ends, whatever the zone", () => {
  const span = { fromMs: day(1, 15), toMs: day(11, 15) };
  expect(cutIntoTiers([span], at([span.fromMs]))).toEqual({
    months: [],
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
  expect(cutIntoTiers([{ fromMs: day(1, 15), toMs: day(4, 15) }], at(bounds(15)))).toEqual({
    months: [],
    days: [],
    hours: [{ fromMs: day(1, 15), toMs: day(4, 15) }],
    windows: [],
  });
  expect(cutIntoTiers([{ fromMs: day(1), toMs: day(4) }], at(bounds(0))).days).toEqual([
    { fromMs: day(1), toMs: day(4) },
  ]);
});

test("where bounds fall on half hours, the hour around each is read by window", () => {
  const halfPastMs = day(2) + HOUR_MS / 2;
  expect(cutIntoTiers([{ fromMs: day(1), toMs: day(3) }], at([day(1), halfPastMs]))).toEqual({
    months: [],
    days: [{ fromMs: day(1), toMs: day(2) }],
    hours: [{ fromMs: day(2, 1), toMs: day(3) }],
    windows: [{ fromMs: day(2), toMs: day(2, 1) }],
  });
});

test("of what is stale the windows are read, of the rest the roll-ups", () => {
  const tiers = cutIntoTiers([{ fromMs: day(1, 22), toMs: day(4) }], at([day(1, 22)]));
  const stale = { days: new Set([day(2)]), hours: new Set([day(1, 23)]) };
  expect(withoutStale(tiers, stale)).toEqual({
    months: [],
    days: [{ fromMs: day(3), toMs: day(4) }],
    hours: [{ fromMs: day(1, 22), toMs: day(1, 23) }],
    windows: [{ fromMs: day(1, 23), toMs: day(3) }],
  });
  expect(withoutStale(tiers, { days: new Set(), hours: new Set() })).toBe(tiers);
});

test("years are months, with days and hours at their ends; a month is not cut", () => {
  const span = { fromMs: month(1, 30, 15), toMs: month(6, 3, 15) };
  const months = [{ fromMs: month(2), toMs: month(6) }];
  expect(cutIntoTiers([span], at([span.fromMs]))).toMatchObject({
    months,
    days: [
      { fromMs: month(1, 31), toMs: month(2) },
      { fromMs: month(6), toMs: month(6, 3) },
    ],
  });
  expect(cutIntoTiers([span], at([span.fromMs, month(4, 2)])).months).toEqual([
    { fromMs: month(2), toMs: month(4) },
    { fromMs: month(5), toMs: month(6) },
  ]);
  expect(cutIntoTiers([span], at([span.fromMs], { keptFromMs: month(2, 2) })).months).toEqual([
    { fromMs: month(3), toMs: month(6) },
  ]);
  const withoutMonths = cutIntoTiers([span], at([span.fromMs], { withMonths: false }));
  expect(withoutMonths).toMatchObject({ months: [], days: [{ fromMs: month(1, 31), toMs: month(6, 3) }] });
});

test("of what is not rolled up yet the windows are read", () => {
  const span = { fromMs: day(1), toMs: day(10) };
  expect(cutIntoTiers([span], at([span.fromMs], { rolledUpToMs: day(8) }))).toMatchObject({
    days: [{ fromMs: day(1), toMs: day(8) }],
    windows: [{ fromMs: day(8), toMs: day(10) }],
  });
});

test("the spans of roll-ups are whole again where tiers touch", () => {
  const span = { fromMs: month(1, 30, 15), toMs: month(6, 3, 15) };
  expect(rolledUpSpans(cutIntoTiers([span], at([span.fromMs, month(3, 7, 4)])))).toEqual([span]);
});

const ascending = fc
  .uniqueArray(fc.nat(9_000), { minLength: 2, maxLength: 12 })
  .map((units) => units.sort((a, b) => a - b).map((unit) => day(1) + unit * WINDOW_MS));

test("the tiers cover the spans exactly once, in whole rows, none across a bound", () => {
  fc.assert(
    fc.property(ascending, ascending, fc.boolean(), fc.nat(60), (edges, bounds, withMonths, rolledUpDays) => {
      const spans = edges.flatMap((fromMs, at) => {
        const toMs = edges[at + 1];
        return at % 2 === 0 && toMs !== undefined ? [{ fromMs, toMs }] : [];
      });
      const boundsMs = [day(1), ...bounds.filter((ms) => ms > day(1))];
      const rolledUpToMs = day(1) + rolledUpDays * DAY_MS;
      const tiers = cutIntoTiers(spans, at(boundsMs, { withMonths, rolledUpToMs }));
      const covered = TIERS.flatMap((tier) => tiers[tier].flatMap((span) => unitsOf(span, WINDOW_MS)));
      const asked = spans.flatMap((span) => unitsOf(span, WINDOW_MS));
      expect(covered.sort((a, b) => a - b)).toEqual(asked);
      for (const tier of TIERS) {
        for (const { fromMs, toMs } of tiers[tier].flatMap((span) => rowsOf(span, tier))) {
          expect(boundsMs.filter((ms) => ms > fromMs && ms < toMs)).toEqual([]);
          expect(tier === "windows" || toMs <= rolledUpToMs).toBe(true);
        }
      }
    }),
  );
});

/** The rows that make up a span of a tier; fails when it does not begin and end with one. */
function rowsOf(span: HistorySpan, tier: (typeof TIERS)[number]): HistorySpan[] {
  const starts = unitsOf(span, tier === "months" ? DAY_MS : UNIT_MS[tier]).filter(
    (ms) => tier !== "months" || new Date(ms).getUTCDate() === 1,
  );
  expect([starts[0], isStart(span.toMs, tier)]).toEqual([span.fromMs, true]);
  return starts.map((fromMs, at) => ({ fromMs, toMs: starts[at + 1] ?? span.toMs }));
}

function isStart(ms: number, tier: (typeof TIERS)[number]): boolean {
  if (tier === "months") return ms % DAY_MS === 0 && new Date(ms).getUTCDate() === 1;
  return ms % UNIT_MS[tier] === 0;
}

function unitsOf({ fromMs, toMs }: HistorySpan, unitMs: number): number[] {
  return Array.from({ length: (toMs - fromMs) / unitMs }, (_, n) => fromMs + n * unitMs);
}
