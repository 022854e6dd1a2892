import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PaymentEvent } from "../../shared/event.ts";
import { EventLines } from "../../shared/event-lines.ts";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import { UNANSWERED } from "../apply-to-shards.ts";
import type { Accepted } from "./accept.ts";
import { type EventError, receiptOf } from "./receipt.ts";

const eventOf = (n: number): PaymentEvent => ({
  event_id: `e-${n}`,
  type: "payment",
  merchant_id: "shop-1",
  occurred_at: 0,
  amount: n,
  currency: "JPY",
  payment_method: "qr",
  points_used: 0,
  points_earned: 0,
});
const errorOf = (index: number): EventError => ({ index, code: "invalid_value", path: "amount", message: "wrong" });

/** A request of events of which `isGood` says which were accepted. */
function acceptedOf(isGood: readonly boolean[]): Pick<Accepted, "lines" | "indexes" | "errors" | "notes"> {
  const indexes = isGood.flatMap((good, index) => (good ? [index] : []));
  const lines = new EventLines({ batch: "request-1", source: "pos", receivedAtMs: 0 });
  for (const index of indexes) lines.add(eventOf(index));
  return {
    indexes,
    lines,
    notes: [],
    errors: isGood.flatMap((good, index) => (good ? [] : [errorOf(index)])),
  };
}

/** What the shards may say: any of the statuses, nothing, or one this version does not know; too little or too much. */
const statuses = fc
  .array(fc.constantFrom(...Object.values(STATUS), UNANSWERED, 250), { maxLength: 30 })
  .map((said) => Uint8Array.from(said));

describe("a receipt", () => {
  test("adds up to the events of the request, whatever the shards said", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 30 }), statuses, (isGood, said) => {
        const receipt = receiptOf(acceptedOf(isGood), said);
        const { accepted, duplicates, late, rejected, queued = 0, errors } = receipt;
        expect(accepted + duplicates + late + rejected + queued).toBe(isGood.length);
        expect(rejected).toBe(isGood.filter((good) => !good).length);
        const conflicts = errors.filter(({ code }) => code === "conflict").length;
        expect(errors.length).toBe(rejected + conflicts);
        expect(conflicts).toBeLessThanOrEqual(duplicates);
        expect(errors.map(({ index }) => index)).toEqual(errors.map(({ index }) => index).sort((a, b) => a - b));
      }),
      { numRuns: 500 },
    );
  });

  test("a repeat with another amount is a duplicate and a conflict, named by its place in the request", () => {
    const accepted = acceptedOf([true, false, true, true]);
    expect(receiptOf(accepted, Uint8Array.of(STATUS.accepted, STATUS.conflict, STATUS.duplicate))).toEqual({
      accepted: 1,
      duplicates: 2,
      late: 0,
      rejected: 1,
      errors: [
        errorOf(1),
        {
          index: 2,
          event_id: "e-2",
          code: "conflict",
          message: "seen before with another amount or time; the first one counts",
        },
      ],
    });
  });

  test("says queued of what no shard answered for, and does not mention it when all did", () => {
    const accepted = acceptedOf([true, true, true]);
    expect(receiptOf(accepted, Uint8Array.of(STATUS.late, UNANSWERED, STATUS.accepted))).toMatchObject({
      accepted: 1,
      late: 1,
      queued: 1,
    });
    expect(receiptOf(accepted, new Uint8Array())).toMatchObject({ accepted: 0, queued: 3 });
    expect(receiptOf(accepted, new Uint8Array(3))).not.toHaveProperty("queued");
    const none = receiptOf(acceptedOf([]), new Uint8Array());
    expect(none).toEqual({ accepted: 0, duplicates: 0, late: 0, rejected: 0, errors: [] });
  });

  test("says what was ignored and why, and does not mention it where nothing was", () => {
    const note = { index: 1, code: "delete", message: "gone" } as const;
    const receipt = receiptOf({ ...acceptedOf([true]), notes: [note] }, Uint8Array.of(STATUS.accepted));
    expect(receipt).toEqual({
      accepted: 1,
      duplicates: 0,
      late: 0,
      rejected: 0,
      ignored: 1,
      errors: [],
      notes: [note],
    });
  });
});
