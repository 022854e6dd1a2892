import { expect, test } from "vitest";
import { fromCloudEvent } from "./cloud-event.ts";

const data = { merchant_id: "shop-1", amount: 100, currency: "JPY", payment_method: "qr" };
const envelope = {
  specversion: "1.0",
  id: "A234",
  source: "/pos",
  type: "com.example.refund",
  time: "2026-03-29T10:00:00Z",
};

test("id, time and the last part of the type fill in what the data lacks", () => {
  expect(fromCloudEvent({ ...envelope, data })).toEqual({
    ...data,
    event_id: "A234",
    occurred_at: "2026-03-29T10:00:00Z",
    type: "refund",
  });
});

test("what the data says itself counts, null is nothing said", () => {
  const own = { ...data, event_id: "own", occurred_at: 1, type: "payment" };
  expect(fromCloudEvent({ ...envelope, data: own })).toEqual(own);
  const nulls = { ...data, event_id: null, occurred_at: null, type: null };
  expect(fromCloudEvent({ ...envelope, data: nulls })).toMatchObject({ event_id: "A234", type: "refund" });
});

test("nothing else of the envelope gets in, whatever its types", () => {
  const strange = { ...envelope, id: 7, type: ["refund"], subject: "Miyazaki", data };
  expect(fromCloudEvent(strange)).toEqual({ ...data, event_id: 7, occurred_at: envelope.time, type: undefined });
});

test("a field called __proto__ stays a field", () => {
  const raw = JSON.parse('{"specversion":"1.0","data":{"__proto__":{"amount":1}}}');
  expect(fromCloudEvent(raw)).not.toHaveProperty("amount");
});

test.each([[null], [undefined], ["text"], [7], [[{ specversion: "1.0", data: {} }]], [data], [{ specversion: "1.0" }]])(
  "what is no CloudEvent comes back as it was: %j",
  (raw) => {
    expect(fromCloudEvent(raw)).toBe(raw);
  },
);

test.each([
  [{ ...envelope, data: [data] }],
  [{ ...envelope, data_base64: "e30=" }],
  [{ ...envelope, specversion: 1, data }],
])("nor is one whose data is no object: %#", (raw) => {
  expect(fromCloudEvent(raw)).toBe(raw);
});
