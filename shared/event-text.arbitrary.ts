import fc from "fast-check";
import { MARK, sentEvent } from "./event.arbitrary.ts";

/** Events as JSON text, for property tests: every way there is to write one, and values that are nearly right. */

/** A value written as it stands; an object's fields one after another, so that a key may come twice. */
type Value = { readonly raw: string } | { readonly fields: Fields } | { readonly json: unknown };
type Fields = readonly (readonly [key: string, value: Value])[];

const raw = (text: string): Value => ({ raw: text });
const json = (value: unknown): Value => ({ json: value });

const NUMBERS =
  `0 7 00 01 1.0 1e3 1E3 -1 -0 -0.0 1.5 1e-1 123456789012345 999999999999999 1234567890123456 9007199254740991 9007199254740992
  1e400 8640000000000000 8640000000000001 1795000000000 true null "1200" [] {}`.split(/\s+/);
const MOMENTS = [
  ...["2026-11-23T11:00:00Z", "2026-11-23t11:00:00.123456z", "2026-11-23T20:00:00+09:00", "2016-12-31T23:59:60Z"],
  ...[
    "2026-02-30T00:00:00Z",
    "2026-11-23T11:00:00",
    "2026-11-23",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00Z",
    "",
    " ",
  ],
];
const TEXTS = [
  ...[
    "x".repeat(32),
    "x".repeat(33),
    "x".repeat(64),
    "x".repeat(65),
    "x".repeat(128),
    "x".repeat(129),
    "é".repeat(32),
    "é".repeat(33),
  ],
  ...[
    "漢".repeat(21),
    "漢".repeat(22),
    "😀".repeat(16),
    "😀".repeat(17),
    "😀".repeat(32),
    "😀".repeat(33),
    "",
    " ",
    "\u007f",
    "a\u0080",
    "\u009fa",
  ],
  ...[
    "\u00a0",
    "\u00c2",
    "\u0002",
    "\ufeff",
    "\u2028",
    "null",
    "JP",
    "jp",
    "ZZ",
    "JPY",
    "JPYJPY",
    "AJPY",
    "AAJP",
    "payment",
    "refund",
  ],
  ...[
    "Payment",
    "payments",
    "e:1",
    "e 1",
    "__proto__",
    "constructor",
    "65+",
    "1940-02-29",
    "2035-01-01",
    "1940-2-29",
    "\ud800",
    '"',
    "\\",
  ],
];

/** Every value that is odd for one field or another, as JSON. */
export const ODD_VALUES: readonly string[] = [
  ...NUMBERS,
  ...[...MOMENTS, ...TEXTS].map((value) => JSON.stringify(value)),
];

const number = fc.constantFrom(...NUMBERS).map(raw);
const moment = fc.constantFrom(...MOMENTS).map(json);
const text = fc.constantFrom(...TEXTS).map(json);
const unknown = fc.oneof(
  text,
  number,
  fc.constantFrom(...["true", "false", "null", "nul", "tru", '{"a":[{"b":"}"}]}', "[[]]"]).map(raw),
);
const anything = fc.oneof(number, moment, text, unknown);

const NUMBER_KEYS = ["amount", "points_used", "points_earned", "occurred_at"];
const TEXT_KEYS = ["event_id", "type", "merchant_id", "currency", "payment_method", "refund_of", "occurred_at"];
const NESTED_KEYS = [
  "id",
  "grade",
  "gender",
  "country",
  "device",
  "age_band",
  "date_of_birth",
  "location",
  "business_type",
];
const UNKNOWN_KEYS = ["specversion", "data", "time", "events_id", "typo", "", "__proto__", "漢", 'a"b', "amounT", MARK];

const field = (keys: readonly string[], value: fc.Arbitrary<Value>) => fc.tuple(fc.constantFrom(...keys), value);
const unknownField = field(UNKNOWN_KEYS, unknown);
const nestedChange = fc.oneof(field(NESTED_KEYS, text), field(NESTED_KEYS, anything), unknownField);
const nested: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom("{}", "null", "[]", '"x"', "7").map(raw),
  fc.array(nestedChange, { maxLength: 3 }).map((fields) => ({ fields })),
);
/** Whatever their names, attributes are kept. */
const attributes: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom("{}", "null", "[]", '"x"').map(raw),
  fc
    .array(field(["till", "__proto__", "漢", ""], fc.oneof(text, anything)), { maxLength: 3 })
    .map((fields) => ({ fields })),
);
const change = fc.oneof(
  { weight: 3, arbitrary: field(NUMBER_KEYS, number) },
  { weight: 3, arbitrary: field(TEXT_KEYS, fc.oneof(text, moment)) },
  { weight: 3, arbitrary: unknownField },
  { weight: 2, arbitrary: field(["user", "merchant"], nested) },
  { weight: 1, arbitrary: field(["attributes"], attributes) },
  { weight: 1, arbitrary: field([...NUMBER_KEYS, ...TEXT_KEYS, "user", "merchant", "attributes"], anything) },
);

/** A field put in place of the event's own, or beside it, before or after. */
const changes = fc.array(fc.tuple(change, fc.constantFrom("instead", "first", "last"), fc.boolean()), { maxLength: 3 });

function changed(event: Fields, made: typeof changes extends fc.Arbitrary<infer T> ? T : never): Fields {
  let fields = event;
  for (const [[key, value], where, isNested] of made) {
    const own = fields.find(([name]) => name === (isNested ? "user" : key))?.[1];
    if (isNested && own !== undefined && "fields" in own) {
      const user: Value = { fields: [...own.fields, [key, value]] };
      fields = fields.map((one) => (one[1] === own ? [one[0], user] : one));
    } else if (where === "first") {
      fields = [[key, value], ...fields];
    } else {
      fields = [...fields.filter(([name]) => where === "last" || name !== key), [key, value]];
    }
  }
  return fields;
}

function fieldsOf(value: Readonly<Record<string, unknown>>): Fields {
  return Object.entries(value).map(([key, inner]) => {
    const isNested = (key === "user" || key === "merchant") && typeof inner === "object" && inner !== null;
    return [key, isNested ? { fields: fieldsOf(inner as Record<string, unknown>) } : json(inner)];
  });
}

/** How a value is written: choices one after another, from the beginning again when they are used up; 0 is the plain way. */
class Writer {
  readonly #choices: readonly number[];
  #next = 0;

  constructor(choices: readonly number[]) {
    this.#choices = choices;
  }

  write(value: Value): string {
    if ("raw" in value) return value.raw;
    if ("json" in value) return typeof value.json === "string" ? this.#string(value.json) : JSON.stringify(value.json);
    const fields = value.fields.map(
      ([key, inner]) => `${this.#space()}${this.#string(key)}${this.#space()}:${this.#space()}${this.write(inner)}`,
    );
    return `{${fields.join(`${this.#space()},`)}${this.#space()}}`;
  }

  #choose(): number {
    return this.#choices[this.#next++ % this.#choices.length] ?? 0;
  }

  #space(): string {
    return ["", "", "", "", " ", "\t", "\r", "  "][this.#choose() % 8] ?? "";
  }

  #string(text: string): string {
    const plain = JSON.stringify(text);
    if (this.#choices.length % 8 !== 7 || this.#choose() % 8 !== 7) return plain;
    const escaped = Array.from(
      { length: text.length },
      (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`,
    );
    return `"${escaped.join("")}"`;
  }
}

const choices = fc.oneof(fc.constant([0]), fc.array(fc.nat(15), { minLength: 1, maxLength: 60 }));

/** Without what has to be parsed in any case, so that most of an event's other fields are seen to in the bytes too. */
function plain(event: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields = Object.entries(event).flatMap(([key, value]): [string, unknown][] => {
    if (typeof value === "number") return [[key, value % 1e14]];
    if (typeof value !== "object" || value === null) return [[key, value]];
    return key === "user" || key === "merchant" ? [[key, plain(value as Record<string, unknown>)]] : [];
  });
  return Object.fromEntries(fields);
}
const sent = fc.oneof({ weight: 5, arbitrary: sentEvent.map(plain) }, { weight: 1, arbitrary: sentEvent });

/** One event as JSON on a single line, mostly acceptable: its keys in any order, with white space, escapes, repeated and unknown keys, values nearly right. */
export const eventText: fc.Arbitrary<string> = fc
  .tuple(
    sent,
    fc.oneof(
      changes.map(() => []),
      changes,
    ),
    choices,
    fc.boolean(),
  )
  .chain(([event, made, way, isShuffled]) => {
    const fields = changed(fieldsOf(event), made);
    const ordered = isShuffled ? fc.shuffledSubarray([...fields], { minLength: fields.length }) : fc.constant(fields);
    return ordered.map((inOrder) => new Writer(way).write({ fields: inOrder }));
  });

/** The same as a CloudEvent, and texts that are no event at all. */
const otherText = fc.oneof(
  eventText.map(
    (data) =>
      `{"specversion":"1.0","id":"ce-1","source":"/pos","type":"app.refund","time":"2026-11-23T11:00:00Z","data":${data}}`,
  ),
  fc.constantFrom(
    "{}",
    "7",
    "null",
    '"{}"',
    "[]",
    "{",
    "}",
    "[",
    "x",
    '{"a":1}}',
    "{}{}",
    '{"a":}',
    "{,}",
    "{} ,",
    "\u00a0{}",
  ),
);
const itemText = fc.oneof({ weight: 40, arbitrary: eventText }, { weight: 1, arbitrary: otherText });

/** Damage to a text: cut off at its beginning or end, or a few characters in it replaced. Shares of its length, so that they fit any. */
const damage = fc.oneof(
  { weight: 15, arbitrary: fc.constant((body: string) => body) },
  { weight: 1, arbitrary: share().map((at) => (body: string) => body.slice(0, at * body.length)) },
  { weight: 1, arbitrary: share().map((at) => (body: string) => body.slice(at * body.length)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        share(),
        fc.nat(2),
        fc.constantFrom("", " ", ",", '"', "{", "}", "[", "]", ":", "0", "-", "\\", "\n", "\u0000", "漢", "e"),
      )
      .map(([where, length, put]) => (body: string) => {
        const at = Math.floor(where * body.length);
        return `${body.slice(0, at)}${put}${body.slice(at + length)}`;
      }),
  },
);

function share(): fc.Arbitrary<number> {
  return fc.double({ min: 0, max: 1, noNaN: true });
}

/** A body and the type it is sent as. */
export interface SentBody {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

const lineEnd = fc.constantFrom("\n", "\r\n", "\n\n", " \r\n\t\n", "\n\u00a0\n");
const itemEnd = fc.constantFrom(",", ",", " , ", ",\r\n");
const joined = (items: readonly string[], ends: readonly string[]) =>
  items.map((item, at) => `${item}${ends[at % ends.length] ?? ""}`).join("");

const lines = fc
  .tuple(fc.array(itemText, { maxLength: 8 }), fc.array(lineEnd, { minLength: 1, maxLength: 8 }), fc.boolean())
  .map(([items, ends, isEnded]) => (isEnded ? joined(items, ends) : joined(items, ends).trimEnd()));
const array = fc
  .tuple(fc.array(itemText, { maxLength: 8 }), fc.array(itemEnd, { minLength: 1, maxLength: 8 }))
  .map(([items, ends]) => `[ ${joined(items, ends).replace(/[\s,]+$/, "")} ]`);

/** Bodies of all kinds, whole and damaged, with and without a byte order mark. */
export const sentBody: fc.Arbitrary<SentBody> = fc
  .tuple(
    fc.oneof(
      lines.map((body) => ["application/x-ndjson", body] as const),
      array.map((body) => ["application/json", body] as const),
      itemText.map((body) => ["application/json", body] as const),
      // Taken for the other kind.
      fc
        .oneof(array, lines)
        .chain((body) =>
          fc.constantFrom("application/x-ndjson", "application/json").map((type) => [type, body] as const),
        ),
    ),
    damage,
    fc.constantFrom("", "", "", "\ufeff", "\ufeff\ufeff", " \ufeff"),
  )
  .map(([[contentType, body], damaged, mark]) => ({
    contentType,
    bytes: new TextEncoder().encode(mark + damaged(body)),
  }));
