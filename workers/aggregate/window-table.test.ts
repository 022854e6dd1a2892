import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DIMENSIONS } from "../../shared/breakdown.ts";
import { EventBatch, HAS_USER, IS_REFUND, LABEL, USER_HI, USER_LO, WIDE, WORDS } from "../../shared/event-batch.ts";
import { eventOf } from "../../shared/report.arbitrary.ts";
import { ReportCounter } from "../../shared/report.ts";
import { TextTable } from "../../shared/text-table.ts";
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

/** A batch of additions, as it would come from the wire: a merchant's number is another in every batch. */
function batchOf(added: readonly Addition[]): EventBatch {
  const [merchants, labels] = [new TextTable(), new TextTable()];
  const batch = new EventBatch(added.length, merchants, labels);
  for (const { merchant, currency, event } of added) {
    const at = batch.take();
    const { type, amount, points_used, points_earned, user, dimensions } = eventOf(event);
    batch.wide.set([NOON_MS, amount, points_used, points_earned], WIDE * at);
    batch.words[WORDS * at + USER_LO] = user?.lo ?? 0;
    batch.words[WORDS * at + USER_HI] = user?.hi ?? 0;
    batch.words[WORDS * at + LABEL - 1] = merchants.intern(merchant);
    [currency, ...dimensions].forEach((label, column) => {
      if (label !== undefined) batch.words[WORDS * at + LABEL + column] = labels.intern(label) + 1;
    });
    batch.flags[at] = (type === "refund" ? IS_REFUND : 0) | (user === undefined ? 0 : HAS_USER);
  }
  return batch;
}

/** The additions in batches of up to so many. */
const batchesOf = (added: readonly Addition[], size: number) =>
  Array.from({ length: Math.ceil(added.length / size) }, (_, n) => batchOf(added.slice(n * size, (n + 1) * size)));

test("the batches of these tests say what the events they are made of say", () => {
  const events = Array.from({ length: 500 }, (_, event) => event);
  const batch = batchOf(events.map((event) => ({ merchant: "shop", currency: "JPY", event })));
  expect(events.map((_, i) => batch.event(i))).toEqual(events.map(eventOf));
  expect([batch.merchantId(7), batch.currency(7), DIMENSIONS.length]).toEqual(["shop", "JPY", 7]);
});

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
const paged = (table: WindowTable) => WindowTable.fromSections(new SectionReader(joinSections(table.sections())));

describe("packed windows", () => {
  test("say what counters of their own would say, while they are small, as they grow, and after", () => {
    fc.assert(
      fc.property(additions, fc.nat(300), fc.constantFrom(1, 7, 300), (added, since, size) => {
        const table = new WindowTable();
        const plain = new PlainTable();
        const batches = batchesOf(added, size);
        added.forEach((addition, at) => {
          table.add(batches[Math.floor(at / size)] as EventBatch, at % size, at + 1);
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
      fc.property(additions, fc.nat(300), fc.constantFrom(1, 7, 300), (added, pagedAfter, size) => {
        let table = new WindowTable();
        const plain = new PlainTable();
        const batches = batchesOf(added, size);
        added.forEach((addition, at) => {
          if (at === pagedAfter) table = paged(table);
          table.add(batches[Math.floor(at / size)] as EventBatch, at % size, at + 1);
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
    const all = Array.from({ length: 5_000 }, (_, m) => ({
      merchant: `merchant-${m}`,
      currency: m % 2 ? ("JPY" as const) : ("EUR" as const),
      event: 1,
    }));
    for (let round = 1; round <= 3; round++) {
      // In another order each time, so that no merchant keeps its number.
      const batch = batchOf(round === 2 ? [...all].reverse() : all);
      for (let i = 0; i < batch.size; i++) table.add(batch, i, round);
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
