import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EventFault } from "../../shared/accept-event.ts";
import { EVENTS_PER_REQUEST_MAX, LINE_LENGTH_MAX } from "./limits.ts";
import { type EventSink, readEvents } from "./parse-events.ts";

const NDJSON = "application/x-ndjson";
const JSON_TYPE = "application/json";
const ok = (value: unknown) => ({ ok: true, value });

/** Keeps whatever comes, in order; what the scanner has found is parsed after all. */
class Items implements EventSink {
  readonly items: unknown[] = [];
  readonly parse = JSON.parse;

  get size(): number {
    return this.items.length;
  }

  scanned(): boolean {
    return false;
  }

  value(value: unknown): void {
    this.items.push(ok(value));
  }

  cloudEvent(): void {
    throw new Error("nothing is sent as a CloudEvent here");
  }

  fault(error: EventFault): void {
    this.items.push({ ok: false, error });
  }
}
const read = (text: string, contentType: string | null) =>
  readEvents(new TextEncoder().encode(text), contentType, () => new Items());
const fault = (code: string) => ({ ok: false, error: expect.objectContaining({ code }) });

function itemsOf(text: string, contentType: string | null) {
  const sink = read(text, contentType);
  if (!sink.ok) throw new Error(sink.error.code);
  return sink.value.items;
}
const problemOf = (text: string, contentType: string | null) => {
  const sink = read(text, contentType);
  return sink.ok ? undefined : sink.error;
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
    expect(items[0]).toEqual(ok("x".repeat(LINE_LENGTH_MAX - 2)));
    expect(items[2]).toEqual(ok({}));
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
    expect(itemsOf(` \r\n{}${"\n \r".repeat(3_000_000)}`, NDJSON)).toEqual([ok({})]);
  });

  test("whose JSON is broken is refused as a whole, with a hint if it looks like lines", () => {
    expect(problemOf('[{"a":1},', JSON_TYPE)).toMatchObject({ status: 400, code: "malformed_json" });
    expect(problemOf("", JSON_TYPE)).toMatchObject({ code: "malformed_json", extensions: { parameter: "body" } });
    expect(problemOf('{"a":1}\n{"a":2}', JSON_TYPE)?.detail).toContain("application/x-ndjson");
    expect(problemOf("[1,", JSON_TYPE)?.detail).not.toContain("application/x-ndjson");
  });

  test("loses its byte order mark, but none that is text", () => {
    for (const type of [JSON_TYPE, NDJSON]) {
      expect(itemsOf("\ufeff{}", type)).toEqual([ok({})]);
      expect(itemsOf('\ufeff{"a":"\ufeff"}', type)).toEqual([ok({ a: "\ufeff" })]);
    }
    expect(problemOf("\ufeff\ufeff{}", JSON_TYPE)).toMatchObject({ code: "malformed_json" });
    expect(itemsOf("\ufeff\ufeff{}\n{}", NDJSON)).toEqual([fault("malformed_json"), ok({})]);
  });

  test.each([
    ["application/json"],
    ["application/json; charset=utf-8"],
    ["Application/JSON ; charset=UTF-8"],
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
