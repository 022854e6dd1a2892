import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventOf } from "../../shared/report.arbitrary.ts";
import { ReportCounter } from "../../shared/report.ts";
import { type MerchantWindow, toRow } from "../../shared/window-row.ts";
import { NOON_MS } from "./sample-payments.ts";
import { joinSections, SectionReader } from "./sections.ts";
import { WindowTable } from "./window-table.ts";

/** Some merchants get many events and outgrow their columns, others few; a name may be what every object has. */
const merchant = fc.oneof(
  fc.constantFrom("busy", "constructor"),
  fc.nat(40).map((n) => `shop-${n}`),
);
const additions = fc.array(
  fc.record({ merchant, currency: fc.constantFrom("JPY", "EUR", "USD"), event: fc.nat(30_000) }),
  { maxLength: 300, size: "max" },
);
type Addition = typeof additions extends fc.Arbitrary<(infer A)[]> ? A : never;

/** The same windows with counters of their own from the first event on, in a plain map. */
class PlainTable {
  readonly windows = new Map<
    string,
    { merchantId: string; currency: string; counter: ReportCounter; revision: number }
  >();

  add({ merchant: merchantId, currency, event }: Addition, revision: number): void {
    const key = `${merchantId} ${currency}`;
    const window = this.windows.get(key) ?? { merchantId, currency, counter: new ReportCounter(), revision };
    window.counter.add(eventOf(event));
    window.revision = revision;
    this.windows.set(key, window);
  }

  rows(select: (window: { merchantId: string; revision: number }) => boolean): string[] {
    return [...this.windows.values()]
      .filter(select)
      .map(({ merchantId, currency, counter, revision }) =>
        JSON.stringify(toRow({ merchantId, currency, startMs: NOON_MS, revision, report: counter.report() })),
      )
      .sort();
  }
}

const rowsOf = (windows: Iterable<MerchantWindow>) =>
  [...windows].map((window) => JSON.stringify(toRow(window))).sort();
const paged = (table: WindowTable) =>
  WindowTable.fromSections(new SectionReader(joinSections(table.sections(NOON_MS))));

describe("packed windows", () => {
  test("say what counters of their own would say, while they are small, as they grow, and after", () => {
    fc.assert(
      fc.property(additions, fc.nat(300), (added, since) => {
        const table = new WindowTable();
        const plain = new PlainTable();
        added.forEach((addition, at) => {
          table.add(addition.merchant, addition.currency, eventOf(addition.event), at + 1);
          plain.add(addition, at + 1);
        });
        expect(table.size).toBe(plain.windows.size);
        expect(rowsOf(table.windows(NOON_MS, -1))).toEqual(plain.rows(() => true));
        expect(rowsOf(table.windows(NOON_MS, since))).toEqual(plain.rows(({ revision }) => revision > since));
        expect(table.changes(since)).toBe(plain.rows(({ revision }) => revision > since).length);
        for (const id of ["busy", "shop-7", "nobody"]) {
          expect(rowsOf(table.windowsOf(NOON_MS, id))).toEqual(plain.rows(({ merchantId }) => merchantId === id));
        }
      }),
      { numRuns: 60 },
    );
  });

  test("come back from a page at any moment, and go on from there to the same bytes", () => {
    fc.assert(
      fc.property(additions, fc.nat(300), (added, pagedAfter) => {
        let table = new WindowTable();
        const plain = new PlainTable();
        added.forEach((addition, at) => {
          if (at === pagedAfter) table = paged(table);
          table.add(addition.merchant, addition.currency, eventOf(addition.event), at + 1);
          plain.add(addition, at + 1);
        });
        expect(rowsOf(paged(table).windows(NOON_MS, -1))).toEqual(plain.rows(() => true));
        expect(rowsOf(table.windows(NOON_MS, -1))).toEqual(plain.rows(() => true));
      }),
      { numRuns: 60 },
    );
  });

  test("of thousands of merchants are each found again", () => {
    const table = new WindowTable();
    for (let round = 1; round <= 3; round++) {
      for (let m = 0; m < 5_000; m++) table.add(`merchant-${m}`, m % 2 ? "JPY" : "EUR", eventOf(1), round);
    }
    expect(table.size).toBe(5_000);
    for (const one of [table, paged(table)]) {
      for (let m = 0; m < 5_000; m += 37) {
        const [window, ...others] = one.windowsOf(NOON_MS, `merchant-${m}`);
        expect(others).toEqual([]);
        expect([window?.report.payments_count, window?.revision]).toEqual([3, 3]);
      }
    }
  });
});
