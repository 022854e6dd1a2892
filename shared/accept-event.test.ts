import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { acceptCommon, acceptEvent } from "./accept-event.ts";
import { MARK, paymentEvent, sentEvent } from "./event.arbitrary.ts";
import { paymentEventSchema } from "./event.ts";

const plain = {
  event_id: "e-1",
  type: "payment",
  merchant_id: "shop-1",
  occurred_at: Date.UTC(2026, 2, 29, 10),
  amount: 1_200,
  currency: "JPY",
  payment_method: "qr",
};

/** Values at or beyond the edge of what some field may be, and such as only a hostile sender makes up. */
const hostile = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, true, "", " ", "0", -0, 0, -1, 0.5, 2 ** 53, 1e21, Infinity, NaN, [], {}),
  fc.constantFrom("\u0000", "a\nb", "\u007f", "\u0085", "\ud800", "😀\udc00", "😀".repeat(32), "😀".repeat(33)),
  fc.constantFrom("a".repeat(32), "a".repeat(33), "a".repeat(64), "a".repeat(65), "é".repeat(128), "a".repeat(129)),
  fc.constantFrom(
    "payment",
    "jpy",
    "GBP",
    "AA",
    "2026-02-29",
    "1969-12-31",
    "2026-02-29T10:00:00Z",
    "1960-01-01T00:00:00Z",
  ),
  fc.constantFrom("1972-06-30T23:59:60Z", "2026-03-29T10:00:00", 8_640_000_000_000_000, 8_640_000_000_000_001),
  fc.constantFrom("__proto__", "constructor").map((key) => JSON.parse(`{"${key}": {"grade": "x"}}`)),
  fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "a")),
    fc.oneof(fc.string({ unit: "binary" }), fc.anything()),
    { maxKeys: 18 },
  ),
  fc.constantFrom({ a: "x".repeat(1_023) }, { a: "x".repeat(1_024) }, { a: "é".repeat(511) }, { a: "é".repeat(512) }),
  fc.anything({ withNullPrototype: true }),
);
const PATHS = [
  ...["event_id", "type", "merchant_id", "occurred_at", "amount", "currency", "payment_method", "points_used"],
  ...["points_earned", "refund_of", "attributes", "user", "merchant", "__proto__", "toJSON"],
  ...["id", "grade", "gender", "country", "device", "age_band", "date_of_birth"].map((key) => `user.${key}`),
  ...["grade", "location", "business_type"].map((key) => `merchant.${key}`),
];

/** `event` with another value at a path; as `JSON.parse` does, a `__proto__` becomes a field like any other. */
function withValue(event: Readonly<Record<string, unknown>>, path: string, value: unknown): Record<string, unknown> {
  const [key = "", inner] = path.split(".");
  const at = event[key];
  const next =
    inner === undefined ? value : withValue(typeof at === "object" && at !== null ? { ...at } : {}, inner, value);
  return Object.defineProperty({ ...event }, key, {
    value: next,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
const disturbed = fc
  .tuple(sentEvent, fc.array(fc.tuple(fc.constantFrom(...PATHS), hostile), { maxLength: 2 }))
  .map(([event, changes]) => changes.reduce((at, [path, value]) => withValue(at, path, value), event));
const anyInput = fc.oneof({ weight: 8, arbitrary: disturbed }, { weight: 1, arbitrary: hostile });

describe("the hand-written acceptance and the schema", () => {
  test("accept the same events as the same events, whatever is sent", () => {
    fc.assert(
      fc.property(anyInput, (raw) => {
        const parsed = paymentEventSchema.safeParse(raw);
        const common = acceptCommon(raw);
        if (common !== undefined)
          expect({ ok: parsed.success, value: common }).toEqual({ ok: true, value: parsed.data });
        expect(acceptEvent(raw).ok).toBe(parsed.success);
      }),
      { numRuns: 2_000 },
    );
  });

  test("accept whatever the contract allows, in whichever form", () => {
    fc.assert(
      fc.property(sentEvent, (raw) => {
        expect(acceptEvent(raw)).toMatchObject({ ok: true });
      }),
    );
  });

  test("of what is accepted nothing changes when it is accepted again, as the log's consumer does", () => {
    fc.assert(
      fc.property(fc.oneof(paymentEvent, sentEvent), (raw) => {
        const first = acceptEvent(raw);
        if (!first.ok) throw new Error(JSON.stringify(first.error));
        expect(acceptEvent(JSON.parse(JSON.stringify(first.value)))).toEqual(first);
      }),
    );
  });

  test("the -0 that JSON can spell is 0 to both", () => {
    const zeros = { occurred_at: -0, amount: -0, points_used: -0, points_earned: -0 };
    for (const read of [acceptCommon, (raw: unknown) => paymentEventSchema.parse(raw)]) {
      expect(read({ ...plain, ...zeros })).toMatchObject({
        occurred_at: 0,
        amount: 0,
        points_used: 0,
        points_earned: 0,
      });
    }
  });

  test("an ordinary event does not need the schema", () => {
    expect(acceptCommon(plain)).toEqual({ ...plain, points_used: 0, points_earned: 0 });
    const user = { id: "42", country: "JP", age_band: "25-34" };
    expect(acceptCommon({ ...plain, user, attributes: { till: "3" } })).toMatchObject({ user });
  });
});

describe("what is personal", () => {
  test("and what is unknown never leaves: email, name, phone, birthday and invented fields vanish", () => {
    fc.assert(
      fc.property(sentEvent, (raw) => {
        const kept = JSON.stringify(acceptEvent(raw));
        expect(kept).not.toContain(MARK);
        expect(kept).not.toMatch(/date_of_birth|1940-02-29|1969-12-31/);
      }),
    );
  });

  test("a birthday becomes an age band, unless the source names one itself", () => {
    const born = (user: object) => acceptEvent({ ...plain, user: { date_of_birth: "1996-03-28", ...user } });
    expect(born({})).toMatchObject({ value: { user: { age_band: "25-34" } } });
    expect(born({ age_band: "30s" })).toMatchObject({ value: { user: { age_band: "30s" } } });
    expect(born({ date_of_birth: "2026-04-01" })).toMatchObject({ error: { path: "user.date_of_birth" } });
    expect(born({ date_of_birth: "1996-02-30", age_band: "30s" })).toMatchObject({
      error: { path: "user.date_of_birth" },
    });
  });

  test("a fault names a code and the field, never what was sent", () => {
    const values = fc.constantFrom<unknown>(
      `${MARK}\n`,
      `${MARK}!`.repeat(20),
      [MARK],
      { [MARK]: 1, x: MARK },
      `${MARK}\ud800`,
    );
    fc.assert(
      fc.property(sentEvent, fc.constantFrom(...PATHS.slice(0, 13)), values, (raw, path, value) => {
        const verdict = acceptEvent(withValue(raw, path, value));
        if (verdict.ok) return;
        expect(verdict.error.code).toMatch(/^(missing_field|invalid_type|invalid_value)$/);
        expect(PATHS).toContain(verdict.error.path);
        expect(JSON.stringify(verdict.error)).not.toContain(MARK);
      }),
      { numRuns: 1_000 },
    );
  });
});

test.each([
  [
    { ...plain, amount: undefined },
    { code: "missing_field", path: "amount", message: "amount is required" },
  ],
  [
    { ...plain, amount: "12" },
    { code: "invalid_type", path: "amount" },
  ],
  [
    { ...plain, amount: -1 },
    { code: "invalid_value", path: "amount" },
  ],
  [{ ...plain, amount: 2 ** 53 }, { path: "amount" }],
  [
    { ...plain, currency: "EURO" },
    { code: "invalid_value", path: "currency" },
  ],
  [
    { ...plain, occurred_at: "2026-03-29T10:00:00" },
    { code: "invalid_value", path: "occurred_at" },
  ],
  [
    { ...plain, user: { country: "UK" } },
    { code: "invalid_value", path: "user.country" },
  ],
  [
    { ...plain, attributes: { a: 1 } },
    { path: "attributes", message: "each value is a string" },
  ],
  [[plain], { code: "invalid_type", message: "an event is a JSON object" }],
  [null, { code: "invalid_type", message: "an event is a JSON object" }],
])("case %#: the fault says where and what would be right", (raw, fault) => {
  expect(acceptEvent(raw)).toMatchObject({ ok: false, error: fault });
});
