import { describe, expect, test } from "vitest";
import { isCloudEvent, isJsonType, paymentOf, readCloudEvent } from "./cloud-event.ts";

const data = { merchant_id: "shop-1", amount: 100, currency: "JPY", payment_method: "qr" };
const envelope = {
  specversion: "1.0",
  id: "A234",
  source: "/pos",
  type: "com.example.refund",
  time: "2026-03-29T10:00:00Z",
};
const base64 = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/** The payment of a CloudEvent, or the fault of either step. */
function read(raw: unknown) {
  const event = readCloudEvent(raw);
  const payment = event.ok ? paymentOf(event.value) : event;
  return payment.ok ? payment.value : { fault: payment.error };
}

describe("a CloudEvent", () => {
  test("gives its payment what that lacks: id, time and the last part of the type", () => {
    const filled = { ...data, event_id: "A234", occurred_at: "2026-03-29T10:00:00Z", type: "refund" };
    expect(read({ ...envelope, data })).toEqual(filled);
    expect(read({ ...envelope, datacontenttype: "application/vnd.pos+json; charset=utf-8", data })).toEqual(filled);
  });

  test("leaves alone what the payment says itself; null is nothing said", () => {
    const own = { ...data, event_id: "own", occurred_at: 1, type: "payment" };
    expect(read({ ...envelope, data: own })).toEqual(own);
    const nulls = { ...data, event_id: null, occurred_at: null, type: null };
    expect(read({ ...envelope, data: nulls })).toMatchObject({ event_id: "A234", type: "refund" });
    expect(read({ ...envelope, time: null, data })).toMatchObject({ occurred_at: undefined });
  });

  test("lets nothing else of the envelope in", () => {
    expect(read({ ...envelope, subject: "Miyazaki", user: { id: "x" }, data })).not.toHaveProperty("user");
  });

  test("may have its data in base64", () => {
    const text = JSON.stringify({ ...data, payment_method: "現金" });
    expect(read({ ...envelope, data_base64: base64(text) })).toMatchObject({
      payment_method: "現金",
      event_id: "A234",
    });
  });

  test("does not get a prototype from its data", () => {
    const raw = JSON.parse('{"specversion":"1.0","id":"1","source":"/","type":"t","data":{"__proto__":{"amount":1}}}');
    expect(read(raw)).not.toHaveProperty("amount");
  });
});

describe("what is wrong with a CloudEvent is named:", () => {
  test.each([
    ["missing_field", "specversion", { specversion: undefined }],
    ["missing_field", "specversion", { specversion: null }],
    ["invalid_value", "specversion", { specversion: "0.3" }],
    ["invalid_value", "specversion", { specversion: "1.0.2" }],
    ["invalid_type", "specversion", { specversion: 1 }],
    ["missing_field", "id", { id: undefined }],
    ["invalid_value", "id", { id: "" }],
    ["invalid_type", "id", { id: 7 }],
    ["missing_field", "source", { source: undefined }],
    ["missing_field", "type", { type: null }],
    ["invalid_value", "time", { time: "yesterday" }],
    ["invalid_value", "time", { time: 1 }],
    ["invalid_value", "datacontenttype", { datacontenttype: "application/xml" }],
    ["invalid_value", "data_base64", { data_base64: "e30=" }],
    ["missing_field", "data", { data: undefined }],
    ["missing_field", "data", { data: null }],
    ["invalid_type", "data", { data: [data] }],
    ["invalid_type", "data", { data: JSON.stringify(data) }],
    ["invalid_value", "data_base64", { data: undefined, data_base64: "?" }],
    ["invalid_value", "data_base64", { data: undefined, data_base64: 1 }],
    ["invalid_value", "data_base64", { data: undefined, data_base64: base64("{") }],
    ["invalid_value", "data_base64", { data: undefined, data_base64: btoa("\xff") }],
  ])("%s at %s", (code, path, over) => {
    expect(read({ ...envelope, data, ...over })).toEqual({ fault: { code, path, message: expect.any(String) } });
  });

  test("what is no object at all", () => {
    for (const raw of [null, "text", 7, [envelope]])
      expect(read(raw)).toMatchObject({ fault: { code: "invalid_type" } });
  });
});

test("what calls itself a CloudEvent is one, a payment never", () => {
  expect(isCloudEvent({ ...envelope, data })).toBe(true);
  expect(isCloudEvent({ specversion: 0.3, data_base64: "" })).toBe(true);
  for (const raw of [null, "text", [{ ...envelope, data }], data, { specversion: "1.0" }, { data: {} }]) {
    expect(isCloudEvent(raw)).toBe(false);
  }
  expect(isCloudEvent({ ...data, specversion: "1.0", data: {} })).toBe(false);
});

test.each([
  ["application/json", true],
  ["text/json;charset=utf-8", true],
  ["application/vnd.x+JSON ; a=b", true],
  ["application/jsonl", false],
  ["application/xml", false],
  ["json", false],
])("%s is JSON: %s", (type, isJson) => {
  expect(isJsonType(type)).toBe(isJson);
});
