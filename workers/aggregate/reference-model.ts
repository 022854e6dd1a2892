import type { PaymentEvent } from "../../shared/event.ts";

/**
 * What a shard should say, for tests: every event it counted is kept as it is, in plain maps, and sums are made anew whenever they are asked for.
 * Shares nothing with the engine, constants included, which are those of the contract.
 */
const WINDOW_MS = 600_000;
const HORIZON_MS = 24 * 3_600_000;
const MOVED_REPEAT_MS = 80 * 60_000;

export type Verdict = "accepted" | "duplicate" | "conflict" | "late";

/** What of a report can be told from the events without sketches. */
export interface Totals {
  readonly payments: number;
  readonly paid: bigint;
  readonly refunds: number;
  readonly refunded: bigint;
  readonly smallest: number;
  readonly largest: number;
  readonly pointsUsed: bigint;
  readonly pointsEarned: bigint;
  readonly customers: number;
  readonly byMethod: Readonly<Record<string, string>>;
}

export const windowOf = (ms: number) => Math.floor(ms / WINDOW_MS) * WINDOW_MS;
export const windowKey = (merchantId: string, currency: string, startMs: number) =>
  `${merchantId} ${currency} ${new Date(startMs).toISOString()}`;

export class ReferenceModel {
  /** Counted events by identity: several only when a repeat was moved after its first window was forgotten. */
  readonly #counted = new Map<string, PaymentEvent[]>();

  /** The first one counts: in its own window for the whole horizon, in any other while that ended a short while ago. */
  judge(event: PaymentEvent, nowMs: number): Verdict {
    const first = this.#known(event, nowMs);
    if (first !== undefined) {
      const isSame = first.amount === event.amount && first.occurred_at === event.occurred_at;
      return isSame ? "duplicate" : "conflict";
    }
    return nowMs >= windowOf(event.occurred_at) + WINDOW_MS + HORIZON_MS ? "late" : "accepted";
  }

  add(event: PaymentEvent): void {
    const id = `${event.merchant_id}/${event.event_id}`;
    this.#counted.set(id, [...(this.#counted.get(id) ?? []), event]);
  }

  has(event: PaymentEvent): boolean {
    return this.#counted.has(`${event.merchant_id}/${event.event_id}`);
  }

  /** Sums by merchant, currency and window. */
  totals(): Map<string, Totals> {
    const windows = new Map<string, PaymentEvent[]>();
    for (const event of [...this.#counted.values()].flat()) {
      const key = windowKey(event.merchant_id, event.currency, windowOf(event.occurred_at));
      const events = windows.get(key);
      if (events === undefined) windows.set(key, [event]);
      else events.push(event);
    }
    return new Map([...windows].map(([key, events]) => [key, totalsOf(events)]));
  }

  #known(event: PaymentEvent, nowMs: number): PaymentEvent | undefined {
    const same = this.#counted.get(`${event.merchant_id}/${event.event_id}`) ?? [];
    const startMs = windowOf(event.occurred_at);
    return (
      same.find((counted) => windowOf(counted.occurred_at) === startMs) ??
      same.find((counted) => windowOf(counted.occurred_at) + WINDOW_MS + MOVED_REPEAT_MS > nowMs)
    );
  }
}

function totalsOf(events: readonly PaymentEvent[]): Totals {
  const payments = events.filter(({ type }) => type === "payment");
  const refunds = events.filter(({ type }) => type === "refund");
  const amounts = payments.map(({ amount }) => amount);
  const methods = [...new Set(payments.map((event) => event.payment_method))].sort();
  return {
    payments: payments.length,
    paid: sum(amounts),
    refunds: refunds.length,
    refunded: sum(refunds.map(({ amount }) => amount)),
    smallest: payments.length === 0 ? 0 : Math.min(...amounts),
    largest: payments.length === 0 ? 0 : Math.max(...amounts),
    pointsUsed: sum(events.map((event) => event.points_used)),
    pointsEarned: sum(events.map((event) => event.points_earned)),
    customers: new Set(events.map(({ user }) => user?.id).filter((id) => id !== undefined)).size,
    byMethod: Object.fromEntries(
      methods.map((method) => {
        const own = payments.filter((event) => event.payment_method === method);
        return [method, `${own.length}: ${sum(own.map(({ amount }) => amount))}`];
      }),
    ),
  };
}

function sum(amounts: readonly number[]): bigint {
  return amounts.reduce((total, amount) => total + BigInt(amount), 0n);
}
