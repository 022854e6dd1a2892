import fc from "fast-check";
import { expect, test } from "vitest";
import { type Breakdown, BreakdownCounter, DIMENSIONS } from "./breakdown.ts";
import { BreakdownCells } from "./breakdown-cells.ts";
import { LabelDictionary } from "./label-dictionary.ts";

/** Dimension, label and amount of a payment, in one of three dictionaries. */
const added = fc.record({
  dimension: fc.nat(DIMENSIONS.length - 1),
  label: fc.oneof(fc.nat(5), fc.nat(140)).map((n) => `label-${n}`),
  amount: fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 52, Number.MAX_SAFE_INTEGER)),
  dictionary: fc.nat(2),
});
const dictionaries = [new LabelDictionary(), new LabelDictionary(), new LabelDictionary()];

const sorted = (breakdowns: readonly Breakdown[]) =>
  breakdowns.map(({ values, other }) => [[...values].sort(([a], [b]) => (a < b ? -1 : 1)), other]);

test("cells say what a counter for each dimension says, whoever's numbers labels come with, and go on from what they said", () => {
  fc.assert(
    fc.property(fc.array(added, { maxLength: 1_500, size: "max" }), fc.nat(1_500), (all, restartedAt) => {
      const counters = DIMENSIONS.map(() => new BreakdownCounter());
      let cells = new BreakdownCells();
      for (const [n, { dimension, label, amount, dictionary: which }] of all.entries()) {
        if (n === restartedAt) cells = new BreakdownCells(cells.breakdowns());
        const dictionary = dictionaries[which] as LabelDictionary;
        const before = cells.byteLength;
        cells.speak(dictionary);
        cells.add(dimension, dictionary.intern(label), amount, dictionary);
        counters[dimension]?.add(label, amount);
        // A dimension that becomes crowded leaves its cells.
        expect(cells.byteLength).toBeGreaterThan(before / 2);
      }
      expect(sorted(cells.breakdowns())).toEqual(sorted(counters.map((counter) => counter.breakdown())));
    }),
    { numRuns: 40 },
  );
});
