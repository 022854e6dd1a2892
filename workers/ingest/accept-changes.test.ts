import { expect, test } from "vitest";
import { postgresChange, postgresCloudEvent } from "../../shared/debezium-messages.ts";
import { SIP_KEY_ZERO } from "../../shared/siphash.ts";
import { type SourceMappingInput, sourceMappingSchema } from "../../shared/source-mapping.ts";
import { Accepted } from "./accept.ts";

const nowMs = Date.UTC(2026, 10, 23, 12);
const rules = {
  nowMs,
  historyAgeMaxMs: 86_400_000,
  userKey: SIP_KEY_ZERO,
  identityKey: SIP_KEY_ZERO,
  merchants: null,
};
const ROW = { id: 7, shop: "shop-1", paid_at: nowMs - 2_000, refunded_at: null as number | null, amount: 550 };
const payment = {
  event_id: { template: "p-{id}" },
  merchant_id: "shop",
  type: { constant: "payment" as const },
  occurred_at: "paid_at",
  amount: "amount",
  currency: { constant: "JPY" },
  payment_method: { constant: "card" },
};
const refund = {
  ...payment,
  event_id: { template: "p-{id}-refund" },
  type: { constant: "refund" as const },
  occurred_at: "refunded_at",
};
const BOTH: SourceMappingInput = {
  tables: { "public.payments": [{ fields: payment }, { when: { state: ["refunded"] }, fields: refund }] },
};

function accept(messages: readonly unknown[], mapping: SourceMappingInput | null) {
  const parsed = mapping === null ? null : sourceMappingSchema.parse(mapping);
  const accepted = new Accepted(rules, { batch: "b", source: "s", receivedAtMs: nowMs }, 0, parsed);
  for (const message of messages) accepted.value(message);
  const ids = accepted.indexes.map((_, at) => accepted.lines.event(at).event_id);
  return { ids, indexes: accepted.indexes, errors: accepted.errors, notes: accepted.notes, size: accepted.size };
}

test("a change that is two events has both under its index, and the next one the next", () => {
  const refunded = { ...ROW, state: "refunded", refunded_at: nowMs - 1_000 };
  const messages = [postgresChange("u", refunded), postgresChange("d", null), postgresChange("c", { ...ROW, id: 8 })];
  expect(accept(messages, BOTH)).toMatchObject({
    ids: ["p-7", "p-7-refund", "p-8"],
    indexes: [0, 0, 2],
    errors: [],
    notes: [{ index: 1, code: "delete" }],
    size: 3,
  });
});

test("a change of which one event is refused gives none: its sink would never send the other again", () => {
  const halfBad = { ...ROW, state: "refunded", refunded_at: null };
  expect(accept([postgresChange("u", halfBad)], BOTH)).toMatchObject({
    ids: [],
    errors: [{ index: 0, event_id: "p-7-refund", code: "missing_field", path: "occurred_at" }],
  });
});

test("time and merchant are judged as of any event, after the mapping", () => {
  const old = postgresChange("r", { ...ROW, paid_at: nowMs - 2 * 86_400_000 });
  expect(accept([old], BOTH).errors).toMatchObject([{ event_id: "p-7", code: "too_old" }]);
});

test("a source without a mapping is told so, in either format, and nothing else is called a change", () => {
  const messages = [postgresChange("c", ROW), postgresCloudEvent("c", ROW), null, { amount: 1 }];
  expect(accept(messages, null).errors.map(({ code }) => code)).toEqual([
    "no_mapping",
    "no_mapping",
    "invalid_type",
    "missing_field",
  ]);
});

test("a mapped source may send payments and CloudEvents of payments, too", () => {
  const plain = { ...ROW, event_id: "own", merchant_id: "shop-1", type: "payment", occurred_at: nowMs };
  const event = { ...plain, currency: "JPY", payment_method: "card" };
  const cloud = { specversion: "1.0", id: "ce", source: "/", type: "payment", data: { ...event, event_id: null } };
  // No `merchant_id` outside: that would be a payment with unknown fields.
  expect(accept([event, cloud], BOTH).ids).toEqual(["own", "ce"]);
});
