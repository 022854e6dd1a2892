import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EVENTS_PER_REQUEST_MAX, LINE_LENGTH_MAX } from "./limits.ts";
import { parseEvents } from "./parse-events.ts";

const NDJSON = "application/x-ndjson";
const JSON_TYPE = "application/json";
const ok = (value: unknown) => ({ ok: true, value });
const fault = (code: string) => ({ ok: false, error: expect.objectContaining({ code }) });

function itemsOf(text: string, contentType: string | null) {
  const items = parseEvents(text, contentType);
  if (!items.ok) throw new Error(items.error.code);
  return items.value;
}
const problemOf = (text: string, contentType: string | null) => {
  const items = parseEvents(text, contentType);
  return items.ok ? undefined : items.error;
};

describe("the same events", () => {
  test("come out of a JSON array and of NDJSON, with any line ends and blank lines in between", () => {
    const lineEnd = fc.constantFrom("\n", "\r\n", "\n\n", "\r\n \t\r\n");
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.jsonValue(), lineEnd), { maxLength: 20 }), fc.boolean(), (lines, isEnded) => {
        const values = lines.map(([value]) => JSON.parse(JSON.stringify(value)));
        const text = lines.map(([, end], at) => `${JSON.stringify(values[at])}${end}`).join("");
        expect(itemsOf(isEnded ? text : text.trimEnd(), NDJSON)).toEqual(values.map(ok));
        expect(itemsOf(JSON.stringify(values, null, "\r\n"), JSON_TYPE)).toEqual(values.map(ok));
      }),
    );
  });

  test("a JSON object is one event; nothing is none", () => {
    expect(itemsOf('{"a": 1}', JSON_TYPE)).toEqual([ok({ a: 1 })]);
    expect(itemsOf("[]", JSON_TYPE)).toEqual([]);
    expect(itemsOf("", NDJSON)).toEqual([]);
    expect(itemsOf(" \r\n\n", NDJSON)).toEqual([]);
  });

  test("line separators of Unicode inside a text are no line ends", () => {
    expect(itemsOf('{"a":"\u2028\u2029\u0085"}\n{}', NDJSON)).toEqual([ok({ a: "\u2028\u2029\u0085" }), ok({})]);
  });
});

describe("a bad line", () => {
  test("spoils nothing else, and its index is its place among the events", () => {
    expect(itemsOf('{"a":1}\n\n{"a":\n{"a":2}\nx', NDJSON)).toEqual([
      ok({ a: 1 }),
      fault("malformed_json"),
      ok({ a: 2 }),
      fault("malformed_json"),
    ]);
  });

  test("of a character too many is refused unread, one of the limit is read; neither is repeated to the sender", () => {
    const line = (length: number) => JSON.stringify("x".repeat(length - 2));
    const items = itemsOf(`${line(LINE_LENGTH_MAX)}\n${line(LINE_LENGTH_MAX + 1)}\n{}`, NDJSON);
    expect(items.map((item) => item.ok)).toEqual([true, false, true]);
    expect(items[1]).toEqual(fault("line_too_long"));
    expect(JSON.stringify(items[1])).not.toContain("xx");
  });
});

describe("a request", () => {
  const array = (count: number) => `[${Array(count).fill("{}").join(",")}]`;
  const lines = (count: number) => "{}\n\n".repeat(count);

  test("holds 10,000 events, not one more", () => {
    expect(itemsOf(array(EVENTS_PER_REQUEST_MAX), JSON_TYPE).length).toBe(10_000);
    expect(itemsOf(lines(EVENTS_PER_REQUEST_MAX), NDJSON).length).toBe(10_000);
    expect(problemOf(array(10_001), JSON_TYPE)).toMatchObject({
      status: 413,
      code: "too_many_events",
      detail: "A request takes 10000 events and this one has 10001; send it in several.",
    });
    expect(problemOf(lines(10_001), NDJSON)).toMatchObject({ status: 413, code: "too_many_events" });
  });

  test("of ten million line feeds is no events, and costs no more than looking at them", () => {
    expect(itemsOf("\n".repeat(10_000_000), NDJSON)).toEqual([]);
  });

  test("whose JSON is broken is refused as a whole, with a hint if it looks like lines", () => {
    expect(problemOf('[{"a":1},', JSON_TYPE)).toMatchObject({ status: 400, code: "malformed_json" });
    expect(problemOf("", JSON_TYPE)).toMatchObject({ status: 400, code: "malformed_json" });
    expect(problemOf('{"a":1}\n{"a":2}', JSON_TYPE)?.detail).toContain("application/x-ndjson");
    expect(problemOf("[1,", JSON_TYPE)?.detail).not.toContain("application/x-ndjson");
  });

  test.each([
    ["application/json"],
    ["application/json; charset=utf-8"],
    ["Application/JSON ; charset=UTF-8"],
    ["application/cloudevents+json"],
    ["application/cloudevents-batch+json"],
    ["application/x-ndjson"],
    ["application/ndjson"],
    ["application/jsonl;charset=utf-8"],
  ])("of type %s is read", (type) => {
    expect(itemsOf("{}", type)).toEqual([ok({})]);
  });

  test.each([
    [null],
    [""],
    ["text/plain"],
    ["application/jsonp"],
    ["multipart/form-data"],
    ["application/xml, application/json"],
  ])("of type %j is refused as a type nobody reads", (type) => {
    expect(problemOf("{}", type)).toMatchObject({ status: 415, code: "unsupported_type" });
  });
});
