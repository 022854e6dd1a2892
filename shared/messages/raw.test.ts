import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HOUR_MS } from "../window.ts";
import { decodeRawMessage, encodeRawMessage, type RawMessage } from "./raw.ts";

const member = fc.record({
  hourMs: fc.nat(1_000_000).map((hour) => hour * HOUR_MS),
  events: fc.integer({ min: 1, max: 10_000 }),
  gzip: fc.uint8Array({ minLength: 1, maxLength: 50 }),
});
const messages: fc.Arbitrary<RawMessage> = fc.record({
  batch: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
  receivedAtMs: fc.nat(),
  members: fc.array(member, { maxLength: 5 }),
  columns: fc.uint8Array({ minLength: 1, maxLength: 50 }),
  token: fc.oneof(fc.constant(""), fc.stringMatching(/^[0-9a-f]{32}$/)),
});
const sample: RawMessage = {
  batch: "9b2-0",
  receivedAtMs: 1,
  members: [{ hourMs: 0, events: 2, gzip: Uint8Array.of(1, 2, 3) }],
  columns: Uint8Array.of(4, 5),
  token: "0123456789abcdef0123456789abcdef",
};

/** A frame whose header is this JSON. */
function framed(header: unknown, body: Uint8Array = Uint8Array.of(1, 2, 3, 4, 5)): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x31524c54, true);
  view.setUint32(4, text.length, true);
  bytes.set(text, 8);
  bytes.set(body, 8 + text.length);
  return bytes;
}

describe("a raw message", () => {
  test("comes back as it was sent, as an array or a buffer, and from within a larger one", () => {
    fc.assert(
      fc.property(messages, fc.nat(9), (message, offset) => {
        const bytes = encodeRawMessage(message);
        const within = new Uint8Array(offset + bytes.length + 3);
        within.set(bytes, offset);
        for (const body of [bytes, bytes.buffer, within.subarray(offset, offset + bytes.length)]) {
          expect(decodeRawMessage(body)).toEqual({ ok: true, value: message });
        }
      }),
    );
  });

  test("cut off anywhere, or with anything after its end, is an error", () => {
    fc.assert(
      fc.property(messages, fc.nat(9), (message, more) => {
        const bytes = encodeRawMessage(message);
        for (let end = 0; end < bytes.length; end++) {
          expect(decodeRawMessage(bytes.subarray(0, end))).toMatchObject({
            ok: false,
            error: { reason: expect.any(String) },
          });
        }
        expect(decodeRawMessage(Uint8Array.of(...bytes, ...new Uint8Array(more + 1))).ok).toBe(false);
      }),
    );
  });

  test("with bytes changed is an error or a whole message, never a crash and never members or columns of other lengths", () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(messages, changes, (message, at) => {
        const bytes = encodeRawMessage(message);
        for (const [position, value] of at) bytes[position % bytes.length] = value;
        const read = decodeRawMessage(bytes);
        if (!read.ok) return;
        const headerBytes = new DataView(bytes.buffer).getUint32(4, true);
        const gzipBytes = read.value.members.reduce((sum, { gzip }) => sum + gzip.length, 0);
        expect(8 + headerBytes + gzipBytes + read.value.columns.length).toBe(bytes.length);
      }),
      { numRuns: 2_000 },
    );
  });

  test("random bytes behind the magic are an error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(decodeRawMessage(Uint8Array.of(0x54, 0x4c, 0x52, 0x31, ...bytes)).ok).toBe(false);
      }),
    );
  });
});

const header = {
  v: 2,
  batch: "9b2-0",
  received_at: 1,
  members: [{ hour: 0, events: 2, bytes: 3 }],
  columns: 2,
  token: "0123456789abcdef0123456789abcdef",
};

test("the frame of the tests is the frame of the code", () => {
  expect(framed(header)).toEqual(encodeRawMessage(sample));
});

test.each<[string, unknown]>([
  ["another version", { ...header, v: 1 }],
  ["a batch that could not stand in a key", { ...header, batch: "a/b" }],
  ["an hour that is none", { ...header, members: [{ hour: 1, events: 2, bytes: 3 }] }],
  ["a member without events", { ...header, members: [{ hour: 0, events: 0, bytes: 3 }] }],
  [
    "a member without bytes",
    {
      ...header,
      members: [
        { hour: 0, events: 1, bytes: 0 },
        { hour: 0, events: 1, bytes: 3 },
      ],
    },
  ],
  ["members or columns of other lengths", { ...header, members: [{ hour: 0, events: 2, bytes: 2 }] }],
  ["members beyond all bytes", { ...header, members: [{ hour: 0, events: 2, bytes: Number.MAX_SAFE_INTEGER }] }],
  ["no members", { ...header, members: undefined }],
  ["no columns", { ...header, columns: undefined }],
  ["empty columns", { ...header, columns: 0 }],
  ["more columns than bytes", { ...header, columns: 3 }],
  ["fewer columns than bytes", { ...header, columns: 1 }],
  ["no token", { ...header, token: undefined }],
  ["a token that is none", { ...header, token: "0123" }],
  ["a token in capitals", { ...header, token: "0123456789ABCDEF0123456789ABCDEF" }],
  ["no JSON", "{"],
])("a header with %s is an error", (_, wrong) => {
  expect(decodeRawMessage(framed(wrong)).ok).toBe(false);
});

test.each([[undefined], [null], ["text"], [{}], [[84, 76, 82, 49]], [7]])(
  "a body that is no bytes is an error: %j",
  (body) => {
    expect(decodeRawMessage(body)).toEqual({ ok: false, error: { reason: "not a raw message" } });
  },
);
