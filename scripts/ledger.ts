import { windowStart } from "../shared/window.ts";
import type { PaymentEventInput } from "./event-input.ts";

/** One merchant's window in one currency, as it should be or as somebody shows it. */
export interface WindowTotals {
  readonly merchant: string;
  readonly currency: string;
  /** Epoch ms. */
  readonly startMs: number;
  readonly payments: number;
  readonly refunds: number;
  /** Minor units. */
  readonly paid: number;
  readonly refunded: number;
}

/** What a sender knows: the events that were acknowledged, each as it was sent first. */
export class Ledger {
  readonly #events = new Map<string, PaymentEventInput>();

  /** Of a repeat, whatever it says, only the first one stands. */
  acknowledge(events: readonly PaymentEventInput[]): void {
    for (const event of events) {
      const identity = identityOf(event);
      if (!this.#events.has(identity)) this.#events.set(identity, event);
    }
  }

  get identities(): ReadonlySet<string> {
    return new Set(this.#events.keys());
  }

  /** Every window with something in it, when each event counts once. */
  totals(): WindowTotals[] {
    const totals = new Map<string, WindowTotals>();
    for (const event of this.#events.values()) {
      const { merchant_id: merchant, currency, amount } = event;
      const isPayment = event.type === "payment";
      const window = { merchant, currency, startMs: windowStart(event.occurred_at) };
      const { payments, refunds, paid, refunded } = totals.get(nameOf(window)) ?? NOTHING;
      totals.set(nameOf(window), {
        ...window,
        payments: payments + (isPayment ? 1 : 0),
        refunds: refunds + (isPayment ? 0 : 1),
        paid: paid + (isPayment ? amount : 0),
        refunded: refunded + (isPayment ? 0 : amount),
      });
    }
    return [...totals.values()];
  }
}

const NOTHING = { payments: 0, refunds: 0, paid: 0, refunded: 0 };

/** The first event of an identity counts (docs: `(merchant_id, event_id)`). */
export function identityOf({ merchant_id, event_id }: Pick<PaymentEventInput, "merchant_id" | "event_id">): string {
  return `${merchant_id} ${event_id}`;
}

export interface Difference {
  /** Events that should be in a window and are not. */
  readonly lost: number;
  /** Events that are in a window more often than they should, or should not be there. */
  readonly double: number;
  /** Windows that differ in any number, each with what it should be and what it is. */
  readonly windows: readonly string[];
}

export const NO_DIFFERENCE: Difference = { lost: 0, double: 0, windows: [] };

/** How `seen` differs from `expected`. An event in a wrong window is lost in one and double in the other. Windows of zeros are none. */
export function differenceOf(expected: readonly WindowTotals[], seen: readonly WindowTotals[]): Difference {
  const pairs = new Map<string, { should: typeof NOTHING; is: typeof NOTHING }>();
  for (const window of expected) pairs.set(nameOf(window), { should: window, is: NOTHING });
  for (const window of seen) {
    const known = pairs.get(nameOf(window));
    if (known !== undefined && known.is !== NOTHING) throw new Error(`${nameOf(window)} is there twice`);
    pairs.set(nameOf(window), { should: known?.should ?? NOTHING, is: window });
  }
  let lost = 0;
  let double = 0;
  const windows: string[] = [];
  for (const [name, { should, is }] of pairs) {
    for (const kind of ["payments", "refunds"] as const) {
      lost += Math.max(0, should[kind] - is[kind]);
      double += Math.max(0, is[kind] - should[kind]);
    }
    if (numbersOf(should) !== numbersOf(is)) windows.push(`${name}: ${numbersOf(should)}, but is ${numbersOf(is)}`);
  }
  return { lost, double, windows };
}

function nameOf({ merchant, currency, startMs }: Pick<WindowTotals, "merchant" | "currency" | "startMs">): string {
  return `${merchant} ${currency} ${new Date(startMs).toISOString()}`;
}

function numbersOf({ payments, paid, refunds, refunded }: typeof NOTHING): string {
  return `${payments} of ${paid}, refunds ${refunds} of ${refunded}`;
}
