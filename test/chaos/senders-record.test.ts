import { expect, test } from "vitest";
import type { Receipt } from "../../clients/typescript/src/receipt.ts";
import type { PaymentEventInput } from "../../scripts/event-input.ts";
import { SendersRecord } from "./senders-record.ts";

const event = (event_id: string, over: Partial<PaymentEventInput> = {}): PaymentEventInput => ({
  event_id,
  type: "payment",
  merchant_id: "shop",
  occurred_at: 0,
  amount: 1,
  currency: "JPY",
  payment_method: "card",
  ...over,
});

const receipt = (over: Partial<Receipt> = {}): Receipt => ({
  accepted: 0,
  duplicates: 0,
  late: 0,
  rejected: 0,
  queued: 0,
  errors: [],
  ...over,
});

const fateOf = (record: SendersRecord, id: string) => record.events.get(`shop ${id}`)?.fate;

test("what was sent is unknown until a receipt says of each event what became of it", () => {
  const record = new SendersRecord(0);
  const events = [event("a"), event("b"), event("c")];
  record.sent([...events, event("d")]);
  record.answered(events, receipt({ errors: [{ index: 1, code: "in_the_future", message: "" }] }), 10);
  expect(["a", "b", "c", "d"].map((id) => fateOf(record, id))).toEqual([
    "acknowledged",
    "refused",
    "acknowledged",
    "unknown",
  ]);
  expect(record.acknowledged).toBe(2);
});

test("the first version of an event stands, whatever a repeat says and is told", () => {
  const record = new SendersRecord(0);
  record.sent([event("a")]);
  record.answered([event("a")], receipt({ accepted: 1 }), 1);
  const repeat = event("a", { amount: 2 });
  record.sent([repeat]);
  record.answered([repeat], receipt({ errors: [{ index: 0, code: "conflict", message: "" }] }), 2);
  record.answered([repeat], receipt({ errors: [{ index: 0, code: "too_old", message: "" }] }), 3);
  expect(record.events.get("shop a")).toEqual({ event: event("a"), fate: "acknowledged" });
  expect(record.acknowledged).toBe(1);
});

test("the longest gap is between receipts with an accepted event, the beginning and the end included", () => {
  const record = new SendersRecord(100);
  const events = [event("a")];
  record.sent(events);
  record.answered(events, receipt({ accepted: 1 }), 150);
  record.answered(events, receipt({ errors: [{ index: 0, code: "too_old", message: "" }] }), 400);
  record.answered(events, receipt({ duplicates: 1 }), 450);
  record.noteAccepted(500);
  expect(record.longestGapMs).toBe(300);
});
