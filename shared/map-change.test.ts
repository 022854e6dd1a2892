import { describe, expect, test } from "vitest";
import { acceptEvent } from "./accept-event.ts";
import { readChange } from "./change-event.ts";
import { mongoChange, PAYMENT_DOCUMENT, PAYMENT_ROW, postgresChange } from "./debezium-messages.ts";
import { parseExactJson } from "./exact-json.ts";
import { mapChange } from "./map-change.ts";
import { type SourceMappingInput, sourceMappingSchema } from "./source-mapping.ts";

type Rule = Exclude<SourceMappingInput["tables"][string], readonly unknown[]>;

const FIELDS: Rule["fields"] = {
  event_id: { template: "pay-{id}" },
  merchant_id: "shop",
  type: { constant: "payment" },
  occurred_at: "created_at",
  amount: { column: "amount", decimals: "currency" },
  currency: "currency",
  payment_method: "method",
  user: { id: "details.payer", device: "details.channel.device" },
  attributes: { order: "id" },
};
const REFUND: Rule = {
  when: { status: ["refunded"] },
  fields: {
    ...FIELDS,
    event_id: { template: "pay-{id}-refund" },
    type: { constant: "refund" },
    occurred_at: { column: "updated_at", unit: "us" },
    refund_of: { template: "pay-{id}" },
  },
};
const POSTGRES: SourceMappingInput = {
  tables: { "public.payments": [{ when: { status: ["captured", "refunded"] }, fields: FIELDS }, REFUND] },
};

/** The events that a message is by a mapping, as they are counted; or why it is none. */
function map(message: unknown, mapping: SourceMappingInput) {
  const change = readChange(parseExactJson(JSON.stringify(message)));
  if (change === undefined) throw new Error("no change");
  const mapped = mapChange(change, sourceMappingSchema.parse(JSON.parse(JSON.stringify(mapping))));
  if ("ignored" in mapped) return mapped.ignored.code;
  return mapped.payments.map((payment) => {
    const event = payment.ok ? acceptEvent(payment.value) : payment;
    return event.ok ? event.value : event.error;
  });
}
/** One field of a row that is otherwise well, by another rule for it. */
const mapField = (row: object, fields: Partial<Rule["fields"]>) =>
  map(postgresChange("c", { ...PAYMENT_ROW, ...row }), {
    tables: { payments: { fields: { ...FIELDS, ...fields } } },
  })[0] as unknown as Record<string, unknown>;

const PAYMENT = {
  event_id: "pay-1017",
  type: "payment",
  merchant_id: "cafe-hoshino",
  occurred_at: Date.UTC(2026, 10, 23, 1, 4, 5, 123),
  amount: 123_450,
  currency: "USD",
  payment_method: "card",
  user: { id: "c-7", device: "ios" },
  attributes: { order: "1017" },
};

describe("a row of PostgreSQL", () => {
  test("is its payment, whether inserted, updated or read by a snapshot: the same one each time", () => {
    for (const op of ["c", "u", "r"]) {
      expect(map(postgresChange(op, PAYMENT_ROW), POSTGRES)).toMatchObject([PAYMENT]);
    }
  });

  test("that was given back is its payment and its refund, so that a snapshot loses neither", () => {
    const refunded = { ...PAYMENT_ROW, status: "refunded" };
    const refund = {
      event_id: "pay-1017-refund",
      type: "refund",
      refund_of: "pay-1017",
      occurred_at: 1_795_395_845_123,
      amount: 123_450,
    };
    expect(map(postgresChange("u", refunded, PAYMENT_ROW), POSTGRES)).toMatchObject([PAYMENT, refund]);
  });

  test("for which no rule is, or of another table, is ignored", () => {
    expect(map(postgresChange("c", { ...PAYMENT_ROW, status: "pending" }), POSTGRES)).toBe("not_a_payment");
    expect(map(postgresChange("c", { ...PAYMENT_ROW, status: null }), POSTGRES)).toBe("not_a_payment");
    expect(map(postgresChange("c", PAYMENT_ROW, null, { table: "shops" }), POSTGRES)).toBe("unmapped_table");
    expect(map(postgresChange("c", PAYMENT_ROW, null, { table: "constructor" }), POSTGRES)).toBe("unmapped_table");
  });
});

test("a document of MongoDB is its payment, Extended JSON and all", () => {
  const mapping: SourceMappingInput = {
    tables: {
      "shop.payments": {
        fields: {
          event_id: "_id",
          merchant_id: "shop",
          type: { column: "state", values: { PAID: "payment", RETURNED: "refund" } },
          occurred_at: "paidAt",
          amount: { column: "total", decimals: 2 },
          currency: "currency",
          payment_method: "method",
          user: { id: "payer.id", country: "payer.country" },
        },
      },
    },
  };
  expect(map(mongoChange("c", PAYMENT_DOCUMENT), mapping)).toMatchObject([
    {
      event_id: "67f4675b8126ee23e2e79ec1",
      type: "payment",
      occurred_at: 1_795_395_845_123,
      amount: 1_250,
      user: { id: "9007199254740993", country: "DE" },
    },
  ]);
  expect(map(mongoChange("u", null), mapping)).toMatchObject([{ code: "missing_field", path: "after" }]);
  for (const date of ['{"$numberLong": "1795395845123"}', '"2026-11-23T01:04:05.123Z"']) {
    const canonical = PAYMENT_DOCUMENT.replace("1795395845123", date);
    expect(map(mongoChange("c", canonical), mapping)).toMatchObject([{ event_id: "67f4675b8126ee23e2e79ec1" }]);
  }
});

describe("an amount", () => {
  test.each([
    ["12.5", { decimals: 2 }, 1250],
    [12.5, { decimals: 2 }, 1250],
    [1200, {}, 1200],
    ["1200.00", {}, 1200],
    ["-12.50", { decimals: 2, absolute: true }, 1250],
    ["AeJA", { decimals: 2, base64_scale: 2 }, 123_456],
    [{ scale: 2, value: "AeJA" }, { decimals: 2 }, 123_456],
    ["90071992547409.91", { decimals: 2 }, Number.MAX_SAFE_INTEGER],
  ])("%j by %j is %i minor units", (amount, over, units) => {
    expect(mapField({ amount }, { amount: { column: "amount", ...over } })).toMatchObject({ amount: units });
  });

  test.each([
    ["JPY", "550", 550],
    ["KWD", "1.234", 1234],
    ["EUR", "5.5", 550],
  ])("in %s of %s has the decimals of its currency", (currency, amount, units) => {
    expect(mapField({ currency, amount }, {})).toMatchObject({ amount: units });
  });

  test.each([
    [{ amount: "12.345" }, "at most 2 places"],
    [{ amount: "90071992547409.92" }, "beyond 9007199254740991"],
    [{ amount: "twelve" }, "a decimal"],
    [{ amount: {} }, "a text or a number"],
    [{ currency: "yen" }, "a currency that is not known"],
  ])("of %j is refused, naming the column and not what is in it", (row, said) => {
    const fault = mapField(row, {});
    expect(fault).toMatchObject({ code: "invalid_value", path: "amount", message: expect.stringContaining(said) });
    expect(fault.message).toContain("column amount");
    expect(fault.message).not.toMatch(/12\.345|twelve/);
  });

  test("that is negative is a refund by its sign, and invalid otherwise", () => {
    const signed = { type: { sign_of: "amount" }, amount: { column: "amount", decimals: 2, absolute: true } } as const;
    expect(mapField({ amount: "-0.50" }, signed)).toMatchObject({ type: "refund", amount: 50 });
    expect(mapField({ amount: "-0.00" }, signed)).toMatchObject({ type: "payment", amount: 0 });
    expect(mapField({ amount: "0.50" }, signed)).toMatchObject({ type: "payment", amount: 50 });
    expect(mapField({ amount: "-0.50" }, {})).toMatchObject({ code: "invalid_value", path: "amount" });
  });
});

describe("a moment", () => {
  const MS = 1_795_395_845_123;
  test.each([
    [1_795_395_845, "s", 1_795_395_845_000],
    [MS, "ms", MS],
    [1_795_395_845_123_456, "us", MS],
    ["1795395845123456789", "ns", MS],
    ["2026-11-23T10:04:05.123456+09:00", "us", Date.UTC(2026, 10, 23, 1, 4, 5, 123)],
  ] as const)("of %s in %s is %i", (created_at, unit, ms) => {
    expect(mapField({ created_at }, { occurred_at: { column: "created_at", unit } })).toMatchObject({
      occurred_at: ms,
    });
  });

  test("without offset is refused", () => {
    const fault = { code: "invalid_value", path: "occurred_at" };
    expect(mapField({ created_at: "2026-11-23T10:04:05" }, {})).toMatchObject(fault);
    expect(mapField({ created_at: [] }, {})).toMatchObject(fault);
  });
});

describe("a text", () => {
  test("is a column's value, an integer with all its digits, or what its value is called", () => {
    expect(mapField({ id: 9_007_199_254_740_993n.toString() }, {})).toMatchObject({ event_id: "pay-9007199254740993" });
    const method = { column: "method", values: { "4": "card", true: "cash" }, otherwise: "other" };
    expect(mapField({ method: 4 }, { payment_method: method })).toMatchObject({ payment_method: "card" });
    expect(mapField({ method: true }, { payment_method: method })).toMatchObject({ payment_method: "cash" });
    expect(mapField({ method: "x" }, { payment_method: method })).toMatchObject({ payment_method: "other" });
    expect(mapField({ method: null }, { payment_method: method })).toMatchObject({ payment_method: "other" });
    expect(mapField({}, { payment_method: { column: "method", values: {} } })).toMatchObject({
      payment_method: "card",
    });
  });

  test("that is not there is missing, and an optional field absent", () => {
    const missing = (path: string) => ({ code: "missing_field", path });
    expect(mapField({ shop: null }, {})).toMatchObject(missing("merchant_id"));
    expect(mapField({ id: undefined }, {})).toMatchObject(missing("event_id"));
    expect(mapField({ details: "__debezium_unavailable_value" }, {})).toMatchObject({ user: {} });
    expect(mapField({ details: "no JSON" }, {}).user).toEqual({ id: undefined, device: undefined });
    expect(mapField({}, { merchant_id: "constructor" })).toMatchObject(missing("merchant_id"));
  });

  test("that is an object or a moment is refused", () => {
    expect(mapField({ shop: { $date: 1 } }, {})).toMatchObject({ code: "invalid_value", path: "merchant_id" });
    expect(mapField({ shop: ["a"] }, {})).toMatchObject({ code: "invalid_value", path: "merchant_id" });
  });
});

describe("a mapping", () => {
  const wrong = (change: (mapping: Record<string, never>) => unknown) => {
    const copy = JSON.parse(JSON.stringify({ tables: { t: { fields: FIELDS } } }));
    change(copy);
    return sourceMappingSchema.safeParse(copy);
  };

  test.each<[string, (mapping: Record<string, never>) => unknown]>([
    ["an unknown member", (mapping) => Object.assign(mapping, { table: {} })],
    [
      "a field no event has",
      (mapping) => Object.assign((mapping as never as Shape).tables.t.fields, { email: "email" }),
    ],
    ["without event_id", (mapping) => Reflect.deleteProperty((mapping as never as Shape).tables.t.fields, "event_id")],
    ["a unit for an amount", (mapping) => set(mapping, "amount", { column: "amount", unit: "ms" })],
    ["a constant type there is not", (mapping) => set(mapping, "type", { constant: "sale" })],
    ["a template that is not closed", (mapping) => set(mapping, "event_id", { template: "{id" })],
  ])("with %s is refused", (_, change) => {
    expect(wrong(change).success).toBe(false);
  });

  test("is the same when it is stored and read again", () => {
    const once = sourceMappingSchema.parse(POSTGRES);
    expect(sourceMappingSchema.parse(JSON.parse(JSON.stringify(once)))).toEqual(once);
  });

  type Shape = { tables: { t: { fields: Record<string, unknown> } } };
  const set = (mapping: Record<string, never>, field: string, value: unknown) => {
    (mapping as never as Shape).tables.t.fields[field] = value;
  };
});
