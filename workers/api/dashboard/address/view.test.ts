import fc from "fast-check";
import { expect, test } from "vitest";
import { MEASURES } from "../data/answers.ts";
import { addDays } from "./civil-date.ts";
import { PRESETS } from "./span.ts";
import { COMPARISONS, DEFAULT_VIEW, GRANULARITIES, queryOf, type View, viewOf } from "./view.ts";

const dates = fc
  .tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 2_000 }))
  .map(([from, days]) => ({ from: addDays("1990-01-01", from), last: addDays("1990-01-01", from + days) }));
const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
const views: fc.Arbitrary<View> = fc.record({
  merchant: maybe(fc.constantFrom("cafe-hoshino", "a.b_c")),
  span: fc.oneof(fc.constantFrom(...PRESETS), dates),
  granularity: maybe(fc.constantFrom(...GRANULARITIES)),
  compare: fc.constantFrom(...COMPARISONS, "none"),
  zone: maybe(fc.constantFrom("Asia/Tokyo", "America/New_York", "UTC")),
  currency: maybe(fc.constantFrom("JPY", "EUR")),
  measure: fc.constantFrom(...MEASURES),
  line: fc.constantFrom("running", "each"),
});

test("an address reproduces the view it was made of", () => {
  fc.assert(
    fc.property(views, (view) => {
      expect(viewOf(new URLSearchParams(queryOf(view).toString()))).toEqual(view);
    }),
  );
});

test("whatever is in an address, a view comes of it", () => {
  const texts = fc.array(fc.tuple(fc.constantFrom("span", "from", "to", "tz", "currency", "compare"), fc.string()));
  fc.assert(
    fc.property(texts, (entries) => {
      const view = viewOf(new URLSearchParams(entries));
      expect(Object.keys(view).sort()).toEqual(Object.keys(DEFAULT_VIEW).sort());
      queryOf(view);
    }),
  );
});

test("dates that are none, or end before they begin, are left out", () => {
  for (const query of ["from=2026-02-30&to=2026-03-01", "from=2026-03-02&to=2026-03-01", "from=2026-03-02"]) {
    expect(viewOf(new URLSearchParams(query)).span).toBe(DEFAULT_VIEW.span);
  }
});

test("what is no merchant's id never becomes part of a path", () => {
  for (const merchant of ["..", "../admin", "a/../../admin/keys?", "a%2Fb", "<b>", "a".repeat(65), ""]) {
    expect(viewOf(new URLSearchParams({ merchant })).merchant).toBeUndefined();
  }
});
