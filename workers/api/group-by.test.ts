import fc from "fast-check";
import { expect, test } from "vitest";
import { DIMENSIONS } from "../../shared/breakdown.ts";
import { countedEvents, reportOf } from "../../shared/report.arbitrary.ts";
import { mergeReports } from "../../shared/report.ts";
import { partsOf } from "./group-by.ts";

test("the parts of a dimension make the whole, in the total, in each bucket and in what is compared, however many values there are", () => {
  const buckets = fc.array(countedEvents(300).map(reportOf), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(buckets, buckets, fc.constantFrom(...DIMENSIONS), (shown, bases, dimension) => {
      const total = shown.reduce(mergeReports);
      const parts = partsOf(dimension, {
        total,
        buckets: shown,
        compared: { current: total, bases: bases.slice(0, 1) },
      });
      const whole = (cells: readonly { count: number; amount: bigint }[]) => ({
        payments_count: cells.reduce((sum, { count }) => sum + count, 0),
        payments_amount: cells.reduce((sum, { amount }) => sum + amount, 0n),
      });
      expect(total).toMatchObject(whole(parts.map((part) => part.total)));
      for (const [at, bucket] of shown.entries()) {
        expect(bucket).toMatchObject(whole(parts.flatMap((part) => part.buckets[at] ?? [])));
      }
      expect(bases[0]).toMatchObject(whole(parts.flatMap(({ compared }) => compared?.base ?? [])));
      for (const part of parts) {
        expect(part.total).toEqual(
          part.buckets.reduce((a, b) => ({ count: a.count + b.count, amount: a.amount + b.amount })),
        );
      }
    }),
    { numRuns: 40 },
  );
});
