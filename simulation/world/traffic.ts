import type { Chance } from "./chance.ts";

/** The contract's numbers, as it gives them; none of them is taken from the code under simulation. */
export const WINDOW_MS = 600_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const MINUTE_MS = 60_000;

export const MERCHANTS = ["m0", "m1", "m2", "m3", "m4", "m5"] as const;
const CURRENCIES = ["JPY", "EUR"] as const;
const USERS = ["u0", "u1", "u2", "u3", "u4"] as const;

/** A report's breakdown names up to 128 methods, so that each payment can have one of its own; so many leave room for repeats that moved in. */
const PAYMENTS_PER_WINDOW_MAX = 60;
/** Each refund of a window is another power of two, so that their sum says which were counted. Amounts end at 2^53. */
const REFUNDS_PER_WINDOW_MAX = 25;

/** An event as a source sends it. Repeats with another amount or time have the same identity, and are another one of these. */
export interface Sent {
  /** Of no other: a payment's method. */
  readonly token: string;
  readonly identity: string;
  readonly windowMs: number;
  /** Merchant, currency and window. */
  readonly key: string;
  readonly body: {
    readonly event_id: string;
    readonly merchant_id: string;
    readonly type: "payment" | "refund";
    readonly currency: string;
    readonly occurred_at: number;
    readonly amount: number;
    readonly payment_method: string;
    readonly points_used: number;
    readonly points_earned: number;
    readonly user?: { readonly id: string };
  };
}

export const windowOf = (ms: number) => Math.floor(ms / WINDOW_MS) * WINDOW_MS;
export const keyOf = (merchant: string, currency: string, startMs: number) =>
  `${merchant} ${currency} ${new Date(startMs).toISOString().slice(0, 16)}`;

/** What the sources of a run send. */
export class Traffic {
  readonly #chance: Chance;
  readonly #perKey = new Map<string, { payments: number; refunds: number }>();
  readonly #sent: Sent[] = [];
  #tokens = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** The events of one request: new ones, and repeats of earlier ones, exact, conflicting or moved. */
  request(nowMs: number): Sent[] {
    const n = this.#chance.weighted([
      [6, 1],
      [4, this.#chance.between(2, 6)],
      [1, this.#chance.between(7, 25)],
    ]);
    const repeats = this.#chance.weighted([
      [6, 0],
      [2, 0.3],
      [2, 1],
    ]);
    const events: Sent[] = [];
    for (let i = 0; i < n; i++) {
      const event = this.#chance.is(repeats) ? this.#repeat(nowMs) : this.#fresh(nowMs);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  #fresh(nowMs: number): Sent | undefined {
    const number = this.#tokens;
    return this.#make(`e${number}`, this.#chance.pick(MERCHANTS), nowMs - this.#ageMs(), this.#chance.is(0.15));
  }

  #repeat(nowMs: number): Sent | undefined {
    // Recent ones more often: a source repeats what it has just sent.
    const reach = this.#chance.is(0.7) ? 30 : this.#sent.length;
    const first = this.#sent[this.#sent.length - 1 - this.#chance.below(Math.min(reach, this.#sent.length))];
    if (first === undefined) return this.#fresh(nowMs);
    const { event_id, merchant_id, occurred_at, currency, type } = first.body;
    if (type === "refund" || this.#chance.is(0.6)) return first;
    const isMoved = this.#chance.is(0.4);
    return this.#make(event_id, merchant_id, isMoved ? nowMs - this.#ageMs() : occurred_at, false, currency);
  }

  #make(event_id: string, merchant_id: string, atMs: number, isRefund: boolean, currency?: string): Sent | undefined {
    const money = currency ?? (this.#chance.is(0.2) ? CURRENCIES[1] : CURRENCIES[0]);
    const windowMs = windowOf(atMs);
    const key = keyOf(merchant_id, money, windowMs);
    const counts = this.#perKey.get(key) ?? { payments: 0, refunds: 0 };
    this.#perKey.set(key, counts);
    if (counts.payments >= PAYMENTS_PER_WINDOW_MAX || counts.refunds >= REFUNDS_PER_WINDOW_MAX) return undefined;
    const number = this.#tokens++;
    const token = `p${number}`;
    // No two payments have the same amount, so that a repeat with another one never has it by chance.
    const amount = isRefund ? 2 ** counts.refunds++ : 100 * number + this.#chance.below(100);
    if (!isRefund) counts.payments += 1;
    const body = {
      event_id,
      merchant_id,
      type: isRefund ? ("refund" as const) : ("payment" as const),
      currency: money,
      occurred_at: atMs,
      amount,
      payment_method: token,
      points_used: this.#chance.below(50),
      points_earned: this.#chance.below(50),
      ...(this.#chance.is(0.7) ? { user: { id: this.#chance.pick(USERS) } } : {}),
    };
    const event = { token, identity: `${merchant_id}/${event_id}`, windowMs, key, body };
    this.#sent.push(event);
    return event;
  }

  /** How old an event is when it is first sent: minutes mostly, hours, a day and more, or ahead of its time. */
  #ageMs(): number {
    return this.#chance.weighted([
      [30, this.#chance.below(12 * MINUTE_MS)],
      [8, this.#chance.below(3 * HOUR_MS)],
      [3, this.#chance.below(DAY_MS)],
      [2, DAY_MS + this.#chance.between(-HOUR_MS, HOUR_MS)],
      [1, this.#chance.below(5 * DAY_MS)],
      [5, -this.#chance.below(6 * MINUTE_MS)],
    ]);
  }
}
