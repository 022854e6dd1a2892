import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeFrame, encodeFrame } from "./message-frame.ts";

test("bodies of any bytes and lengths come back, each its own", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), fc.string(), (bodies, name) => {
      const frame = decodeFrame(encodeFrame({ name }, bodies).buffer);
      expect(frame.head).toEqual({ name });
      expect(frame.bodies.map((body) => [...new Uint8Array(body.buffer)])).toEqual(bodies.map((body) => [...body]));
    }),
  );
});

test("a frame that was cut off is refused", () => {
  const bytes = encodeFrame({}, [new Uint8Array(9)]);
  for (let length = 0; length < bytes.byteLength; length += 1) {
    expect(() => decodeFrame(bytes.slice(0, length).buffer)).toThrow();
  }
});
