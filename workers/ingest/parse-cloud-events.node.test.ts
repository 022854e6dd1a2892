import { CloudEvent, HTTP } from "cloudevents";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EventFault } from "../../shared/accept-event.ts";
import { EVENTS_PER_REQUEST_MAX } from "./limits.ts";
import { contentModeOf, decodeHeader, readCloudEvents } from "./parse-cloud-events.ts";
import type { EventSink } from "./parse-events.ts";

/** Keeps what comes as a CloudEvent, and faults. */
class CloudEvents implements EventSink {
  readonly parse = JSON.parse;
  readonly items: unknown[] = [];

  get size(): number {
    return this.items.length;
  }

  scanned(): boolean {
    throw new Error("a CloudEvent is no payment of the common form");
  }

  value(): void {
    throw new Error("whatever comes in these modes is a CloudEvent");
  }

  cloudEvent(raw: unknown): void {
    this.items.push(raw);
  }

  fault(fault: EventFault): void {
    this.items.push({ fault });
  }
}

function read(body: string, header: HeadersInit) {
  const headers = new Headers(header);
  const mode = contentModeOf(headers);
  if (mode === undefined) return undefined;
  const sink = readCloudEvents(new TextEncoder().encode(body), headers, mode, new CloudEvents());
  return sink.ok ? sink.value.items : sink.error;
}

const payment = { merchant_id: "shop-1", amount: 550, currency: "JPY", payment_method: "card" };
const event = new CloudEvent({
  id: "p-1",
  source: "/pos/%E6%B8%8B%E8%B0%B7",
  type: "com.example.payment",
  time: "2026-11-23T10:04:05.000Z",
  subject: 'a "quoted" 100 % 😀',
  data: payment,
});
/** What the SDK sends, as `fetch` would. */
const sent = ({ headers, body }: ReturnType<typeof HTTP.binary>): [string, HeadersInit] => [
  String(body),
  headers as HeadersInit,
];
const asJson = JSON.parse(JSON.stringify(event));

describe("what the CloudEvents SDK sends is read,", () => {
  test("in structured mode", () => {
    expect(read(...sent(HTTP.structured(event)))).toEqual([asJson]);
  });

  test("in binary mode, with its attributes as they were", () => {
    const { datacontenttype: _, ...attributes } = asJson;
    // The SDK leaves characters beyond ASCII to whoever sends the headers: percent-encoded, as the binding has it.
    const [body, headers] = sent(HTTP.binary(event));
    const encoded = Object.entries(headers as Record<string, string>).map(([name, value]) => [
      name,
      encodeHeader(value),
    ]);
    expect(read(body, Object.fromEntries(encoded))).toEqual([attributes]);
  });

  test("in batches", () => {
    const batch = `[${[1, 2, 3].map(() => HTTP.structured(event).body).join(",")}]`;
    const headers = { "content-type": "application/cloudevents-batch+json; charset=utf-8" };
    expect(HTTP.toEvent({ headers, body: batch })).toHaveLength(3);
    expect(read(batch, headers)).toEqual([asJson, asJson, asJson]);
    expect(read("[]", headers)).toEqual([]);
  });
});

describe("in binary mode", () => {
  const ce = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/", "ce-type": "payment" };

  test("the body is the data whatever attributes are called", () => {
    const headers = { ...ce, "ce-data": "x", "ce-data_base64": "eA==", "content-type": "application/json" };
    expect(read('{"amount":1}', headers)).toEqual([
      { specversion: "1.0", id: "1", source: "/", type: "payment", data: { amount: 1 } },
    ]);
  });

  test("without a body there is no data, and without a Content-Type it is JSON", () => {
    expect(read("", ce)).toEqual([{ specversion: "1.0", id: "1", source: "/", type: "payment" }]);
    expect(read("[]", ce)).toMatchObject([{ data: [] }]);
  });

  test("one required header is enough to be a CloudEvent of which the others are missing", () => {
    expect(read("{}", { "ce-id": "1", "content-type": "application/json" })).toEqual([{ id: "1", data: {} }]);
  });

  test("data that is not JSON is refused", () => {
    expect(read("<p/>", { ...ce, "content-type": "application/xml" })).toMatchObject({ status: 415 });
    expect(read("{", ce)).toMatchObject({ status: 400, code: "malformed_json" });
  });

  test("an attribute that is no UTF-8 is named", () => {
    expect(read("{}", { ...ce, "ce-subject": "%ff" })).toMatchObject([
      { fault: { code: "invalid_value", path: "subject" } },
    ]);
  });

  test("percent-encoding is undone once, for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(decodeHeader(encodeHeader(text))).toBe(text);
      }),
    );
  });

  test.each([
    ["%E6%B8%8B%e8%b0%b7", "渋谷"],
    ['"quoted \\"text\\" with \\\\"', 'quoted "text" with \\'],
    ['"%22"', '"'],
    ["100% of %2525", "100% of %25"],
    ['"open', '"open'],
    ["", ""],
  ])("the header %s is %s", (header, text) => {
    expect(decodeHeader(header)).toBe(text);
  });
});

describe("a body", () => {
  const BATCH = { "content-type": "application/cloudevents-batch+json" };
  const ONE = { "content-type": "Application/CloudEvents+JSON" };

  test("of another shape than its media type says is refused, with the one that would be right", () => {
    expect(read("[{}]", ONE)).toMatchObject({ code: "not_an_event", detail: expect.stringContaining("batch+json") });
    expect(read("{}", BATCH)).toMatchObject({ code: "not_a_batch", detail: expect.stringContaining("array") });
    expect(read("{", ONE)).toMatchObject({ code: "malformed_json" });
  });

  test("holds 10,000 events, not one more", () => {
    const batch = (count: number) => `[${Array(count).fill("{}").join(",")}]`;
    expect(read(batch(EVENTS_PER_REQUEST_MAX), BATCH)).toHaveLength(10_000);
    expect(read(batch(10_001), BATCH)).toMatchObject({ status: 413, code: "too_many_events" });
  });

  test("is none of CloudEvents by its media type or any other header alone", () => {
    expect(read("{}", { "content-type": "application/json", "ce-subject": "x" })).toBeUndefined();
    expect(read("{}", { "content-type": "application/x-ndjson" })).toBeUndefined();
  });

  test("that says it is structured is, whatever headers there are", () => {
    expect(read('{"id":"body"}', { ...ONE, "ce-id": "header" })).toEqual([{ id: "body" }]);
  });
});

/** HTTP Protocol Binding for CloudEvents 1.0.2, section 3.1.3.2. */
function encodeHeader(value: string): string {
  return [...value]
    .map((character) => (/^[\x21\x23\x24\x26-\x7e]$/.test(character) ? character : percent(character)))
    .join("");
}

function percent(character: string): string {
  const bytes = new TextEncoder().encode(character);
  return Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}
