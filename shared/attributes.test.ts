import { describe, expect, test } from "vitest";
import { acceptCommon, acceptEvent } from "./accept-event.ts";
import { paymentEventSchema } from "./event.ts";

const withAttributes = (attributes: unknown) => ({
  event_id: "e-1",
  type: "payment",
  merchant_id: "shop-1",
  occurred_at: 1_795_000_000_000,
  amount: 1_200,
  currency: "JPY",
  payment_method: "qr",
  attributes,
});
const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`key-${n}`, "x"]));

describe("attributes", () => {
  test.each<[string, unknown]>([
    ["16 pairs", pairs(16)],
    ["1,024 bytes of ASCII, keys included", { abcd: "x".repeat(1_020) }],
    ["1,024 bytes in characters of two", { ab: "é".repeat(511) }],
    ["1,024 bytes in characters of three", { a: "漢".repeat(341) }],
    ["1,024 bytes in characters of four", { "😀": "😀".repeat(255) }],
    ["control characters", { "a\n": "\u0000" }],
    ["nothing", {}],
  ])("may hold %s", (_, attributes) => {
    expect(acceptEvent(withAttributes(attributes))).toMatchObject({ ok: true, value: { attributes } });
  });

  test.each<[string, unknown]>([
    ["17 pairs", pairs(17)],
    ["1,025 bytes of ASCII", { abcd: "x".repeat(1_021) }],
    ["1,025 bytes in characters of two", { abc: "é".repeat(511) }],
    ["1,025 bytes in characters of three", { ab: "漢".repeat(341) }],
    ["1,025 bytes in characters of four", { a: "😀".repeat(256) }],
    ["half a character", { a: "\ud83d" }],
    ["half a character for a key", { "\ude00": "a" }],
    ["a number", { a: 1 }],
    ["a null", { a: null }],
    ["a list", ["a"]],
  ])("may not hold %s", (_, attributes) => {
    expect(acceptCommon(withAttributes(attributes))).toBeUndefined();
    expect(acceptEvent(withAttributes(attributes))).toMatchObject({ ok: false, error: { path: "attributes" } });
  });

  test("lose a pair called __proto__, whichever way they are read", () => {
    const raw = withAttributes(JSON.parse('{"__proto__": "x", "a": "b"}'));
    expect(JSON.stringify(acceptEvent(raw))).not.toContain("__proto__");
    expect(acceptEvent(raw)).toMatchObject({ ok: true, value: { attributes: { a: "b" } } });
  });

  test("with the names of what every object has are attributes like any other", () => {
    const attributes = { constructor: "a", toString: "b", hasOwnProperty: "c" };
    expect(acceptCommon(withAttributes(attributes))).toMatchObject({ attributes });
    expect(paymentEventSchema.parse(withAttributes(attributes)).attributes).toEqual(attributes);
  });
});
