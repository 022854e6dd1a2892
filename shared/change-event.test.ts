import { describe, expect, test } from "vitest";
import { readChange, readCloudEventChange } from "./change-event.ts";
import { readCloudEvent } from "./cloud-event.ts";
import { mongoChange, PAYMENT_DOCUMENT, PAYMENT_ROW, postgresChange, postgresCloudEvent } from "./debezium-messages.ts";

/** A CloudEvent that came as JSON. */
function cloudChange(raw: unknown) {
  const event = readCloudEvent(raw);
  if (!event.ok) throw new Error(event.error.message);
  return readCloudEventChange(event.value);
}
const ignored = (code: string) => ({ ignored: { code, message: expect.any(String) } });
const POSTGRES = { tables: ["public.payments", "shop.payments", "payments"], row: PAYMENT_ROW };

describe("a row is found", () => {
  test.each(["c", "u", "r"])(
    "in a change of PostgreSQL (%s), with its schema or without, as JSON or as a CloudEvent",
    (op) => {
      const change = postgresChange(op, PAYMENT_ROW);
      expect(readChange(change)).toEqual(POSTGRES);
      expect(readChange({ schema: { type: "struct" }, payload: change })).toEqual(POSTGRES);
      expect(cloudChange(postgresCloudEvent(op, PAYMENT_ROW))).toEqual(POSTGRES);
      expect(cloudChange(postgresCloudEvent(op, PAYMENT_ROW, { schemas: true }))).toEqual(POSTGRES);
    },
  );

  test("in a document of MongoDB, which comes as text, without losing a digit", () => {
    for (const schemas of [false, true]) {
      const change = readChange(mongoChange("u", PAYMENT_DOCUMENT, { schemas }));
      expect(change).toMatchObject({
        tables: ["shop.payments", "payments"],
        row: { state: "PAID", payer: { id: { $numberLong: "9007199254740993" } } },
      });
    }
  });

  test("in a CloudEvent whose extension attributes are turned off", () => {
    const { specversion, id, source, type, data } = postgresCloudEvent("c", PAYMENT_ROW);
    const envelope = { ...data, source: { schema: "public", table: "payments" } };
    expect(cloudChange({ specversion, id, source, type, data: envelope })).toMatchObject({ row: PAYMENT_ROW });
    expect(cloudChange({ specversion, id, source, type, data: { before: PAYMENT_ROW, after: null } })).toEqual(
      ignored("delete"),
    );
  });

  test("only where the change says how the whole of it is", () => {
    expect(readChange(mongoChange("u", null))).toMatchObject({ row: undefined });
    expect(readChange(mongoChange("c", "{"))).toMatchObject({ row: undefined });
    expect(readChange(mongoChange("c", "[]"))).toMatchObject({ row: undefined });
  });
});

describe("nothing is made of", () => {
  test("a delete or a tombstone", () => {
    expect(readChange(postgresChange("d", null, PAYMENT_ROW))).toEqual(ignored("delete"));
    expect(cloudChange(postgresCloudEvent("d", null, { before: PAYMENT_ROW }))).toEqual(ignored("delete"));
    expect(readChange(mongoChange("d", null, { schemas: true }))).toEqual(ignored("delete"));
    expect(readChange(null)).toEqual(ignored("tombstone"));
    expect(readChange({ schema: null, payload: null })).toEqual(ignored("tombstone"));
    expect(cloudChange({ ...postgresCloudEvent("d", null), data: null })).toEqual(ignored("tombstone"));
  });

  test.each([
    ["a truncate", postgresChange("t", null)],
    ["a logical message", { ...postgresChange("m", null), message: { prefix: "x", content: "eA==" } }],
    ["a heartbeat", { ts_ms: 1_795_395_845_461 }],
    ["a heartbeat with more digits", { ts_ms: 1, ts_us: 1_000, ts_ns: 1_000_000 }],
    ["a heartbeat with its schema", { schema: {}, payload: { ts_ms: 1 } }],
    ["the begin of a transaction", { status: "BEGIN", id: "774:23836216", event_count: null, ts_ms: 1 }],
    ["a change of a schema", { source: {}, ts_ms: 1, databaseName: "shop", ddl: "ALTER TABLE", tableChanges: [] }],
  ])("%s", (_, message) => {
    expect(readChange(message)).toEqual(ignored("not_a_row"));
  });
});

test("a payment, another CloudEvent or anything else is no change", () => {
  for (const raw of [{}, [], "text", 7, { event_id: "p-1", type: "payment" }, { op: "c" }, { payload: {} }]) {
    expect(readChange(raw)).toBeUndefined();
  }
  expect(cloudChange({ specversion: "1.0", id: "1", source: "/", type: "payment", data: {} })).toBeUndefined();
});
