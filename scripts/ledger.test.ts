import { describe, expect, test } from "vitest";
import { WINDOW_MS } from "../shared/window.ts";
import type { PaymentEventInput } from "./event-input.ts";
import { differenceOf, Ledger, NO_DIFFERENCE, type WindowTotals } from "./ledger.ts";

const START_MS = 1_000 * WINDOW_MS;

function event(event_id: string, over: Partial<PaymentEventInput> = {}): PaymentEventInput {
  return {
    event_id,
    type: "payment",
    merchant_id: "shop",
    occurred_at: START_MS,
    amount: 100,
    currency: "JPY",
    payment_method: "card",
    ...over,
  };
}

function totalsOf(...events: readonly PaymentEventInput[]): WindowTotals[] {
  const ledger = new Ledger();
  ledger.acknowledge(events);
  return ledger.totals();
}

const EVENTS = [
  event("a"),
  event("b", { amount: 7 }),
  event("c", { type: "refund", amount: 3 }),
  event("d", { occurred_at: START_MS + WINDOW_MS, currency: "EUR" }),
];

describe("a ledger", () => {
  test("adds up each window and currency by itself, payments apart from refunds", () => {
    expect(totalsOf(...EVENTS)).toEqual([
      { merchant: "shop", currency: "JPY", startMs: START_MS, payments: 2, paid: 107, refunds: 1, refunded: 3 },
      {
        merchant: "shop",
        currency: "EUR",
        startMs: START_MS + WINDOW_MS,
        payments: 1,
        paid: 100,
        refunds: 0,
        refunded: 0,
      },
    ]);
  });

  test("counts a repeat never, whatever it says, and the same id of another merchant as an event of its own", () => {
    const repeats = [event("a"), event("a", { amount: 1 }), event("d", { occurred_at: START_MS - WINDOW_MS })];
    expect(totalsOf(...EVENTS, ...repeats)).toEqual(totalsOf(...EVENTS));
    expect(totalsOf(...EVENTS, event("a", { merchant_id: "other" })).length).toBe(3);
  });
});

describe("the comparison", () => {
  const expected = totalsOf(...EVENTS);

  test("finds nothing where all is as it should be, in whatever order, with windows of zeros or without", () => {
    const empty = { ...expected[0], merchant: "idle", payments: 0, paid: 0, refunds: 0, refunded: 0 } as WindowTotals;
    expect(differenceOf(expected, [...expected.toReversed(), empty])).toEqual(NO_DIFFERENCE);
  });

  test("finds a lost event, and a window that is not there at all", () => {
    expect(differenceOf(expected, totalsOf(...EVENTS.slice(1)))).toMatchObject({ lost: 1, double: 0 });
    expect(differenceOf(expected, totalsOf(...EVENTS.slice(0, 3)))).toMatchObject({ lost: 1, double: 0 });
    expect(differenceOf(expected, [])).toMatchObject({ lost: 4, double: 0 });
  });

  test("finds an event that counts twice, and a window that should not be there", () => {
    expect(differenceOf(expected, totalsOf(...EVENTS, event("again")))).toMatchObject({ lost: 0, double: 1 });
    const invented = totalsOf(...EVENTS, event("again", { merchant_id: "nobody" }));
    expect(differenceOf(expected, invented)).toMatchObject({ lost: 0, double: 1 });
  });

  test("finds an event in a wrong window, as lost there and double here", () => {
    const moved = totalsOf(event("a", { occurred_at: START_MS + WINDOW_MS }), ...EVENTS.slice(1));
    expect(differenceOf(expected, moved)).toMatchObject({ lost: 1, double: 1 });
  });

  test("finds a wrong amount where the counts are right: one lost and another one double make no right window", () => {
    const swapped = totalsOf(event("a"), event("again"), ...EVENTS.slice(2));
    expect(differenceOf(expected, swapped)).toEqual({
      lost: 0,
      double: 0,
      windows: [expect.stringMatching(/^shop JPY .*: 2 of 107, refunds 1 of 3, but is 2 of 200, refunds 1 of 3$/)],
    });
  });
});
