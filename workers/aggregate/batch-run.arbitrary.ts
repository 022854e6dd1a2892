import fc from "fast-check";
import type { PaymentEvent } from "../../shared/event.ts";
import { HOUR_MS, MINUTE_MS, NOON_MS, payment } from "./sample-payments.ts";

const DAY_MS = 24 * HOUR_MS;
export const MERCHANTS = ["shop", "café", "constructor"];

/** How long before the clock an event happened: mostly just now, now and then around every border there is, or ahead of it. */
const ageMs = fc.oneof(
  { weight: 6, arbitrary: fc.nat(15 * MINUTE_MS) },
  { weight: 2, arbitrary: fc.nat(3 * HOUR_MS) },
  { weight: 1, arbitrary: fc.integer({ min: DAY_MS - 20 * MINUTE_MS, max: DAY_MS + 20 * MINUTE_MS }) },
  { weight: 1, arbitrary: fc.integer({ min: -5 * MINUTE_MS, max: 0 }) },
);

/** A new event, or the repeat of an earlier one of the run, exactly or with another amount or time. */
const draft = fc.record({
  repeats: fc.oneof(fc.constant(undefined), fc.nat()),
  changed: fc.constantFrom("nothing", "nothing", "amount", "time"),
  event_id: fc.oneof(fc.nat(30), fc.nat(100_000)).map(String),
  merchant_id: fc.constantFrom(...MERCHANTS),
  currency: fc.constantFrom("JPY", "EUR"),
  type: fc.constantFrom("payment" as const, "payment" as const, "refund" as const),
  amount: fc.oneof(fc.nat(500), fc.constantFrom(0, Number.MAX_SAFE_INTEGER)),
  payment_method: fc.constantFrom("card", "cash", "points"),
  points_used: fc.nat(3),
  points_earned: fc.nat(3),
  user: fc.oneof(fc.constant(undefined), fc.nat(5)),
  ageMs,
});

/** Batches and how far the clock moves before each: it may go back. */
export const runs = fc.array(
  fc.record({
    advanceMs: fc.oneof(fc.nat(20 * MINUTE_MS), fc.constantFrom(0, 1, -1, -3 * MINUTE_MS, 2 * HOUR_MS), fc.nat(DAY_MS)),
    // A window of many events is kept in another form than one of few.
    drafts: fc.oneof(fc.array(draft, { maxLength: 12 }), fc.array(draft, { maxLength: 150, size: "max" })),
  }),
  { maxLength: 12 },
);
export type Run = typeof runs extends fc.Arbitrary<infer R> ? R : never;

/** Events that come in one batch, and the clock then. */
export interface Batch {
  readonly nowMs: number;
  readonly events: readonly PaymentEvent[];
}

/** The batches of a run, from noon on. */
export function batchesOf(run: Run): Batch[] {
  const sent: PaymentEvent[] = [];
  let nowMs = NOON_MS;
  return run.map(({ advanceMs, drafts }) => {
    nowMs += advanceMs;
    const events = drafts.map(({ repeats, changed, user, ageMs, ...fields }) => {
      const before = repeats === undefined ? undefined : sent[repeats % Math.max(1, sent.length)];
      const fresh = payment({
        ...fields,
        occurred_at: nowMs - ageMs,
        user: user === undefined ? undefined : { id: String(user).padStart(16, "5a") },
      });
      const event =
        before === undefined
          ? fresh
          : {
              ...before,
              ...(changed === "amount" ? { amount: fresh.amount } : {}),
              ...(changed === "time" ? { occurred_at: fresh.occurred_at } : {}),
            };
      sent.push(event);
      return event;
    });
    return { nowMs, events };
  });
}
