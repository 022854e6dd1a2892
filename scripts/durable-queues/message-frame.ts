const LENGTH_BYTES = 4;

/** What JSON can say of messages, and their bodies as bytes. */
export interface Frame {
  readonly head: unknown;
  readonly bodies: readonly Uint8Array<ArrayBuffer>[];
}

/** Little-endian uint32 length of a JSON text `{head, lengths}`, the text, then the bodies one after another. */
export function encodeFrame(head: unknown, bodies: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify({ head, lengths: bodies.map((body) => body.byteLength) }));
  const length = bodies.reduce((sum, body) => sum + body.byteLength, LENGTH_BYTES + text.byteLength);
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, text.byteLength, true);
  bytes.set(text, LENGTH_BYTES);
  let at = LENGTH_BYTES + text.byteLength;
  for (const body of bodies) {
    bytes.set(body, at);
    at += body.byteLength;
  }
  return bytes;
}

/** Each body is bytes of its own. Throws on bytes that are no whole frame. */
export function decodeFrame(buffer: ArrayBuffer): Frame {
  let at = LENGTH_BYTES + new DataView(buffer).getUint32(0, true);
  const text = new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer.slice(LENGTH_BYTES, at)));
  const { head, lengths } = JSON.parse(text) as { head: unknown; lengths: readonly number[] };
  const bodies = lengths.map((length) => {
    at += length;
    return new Uint8Array(buffer.slice(at - length, at));
  });
  if (at !== buffer.byteLength) throw new Error(`${buffer.byteLength} bytes where the frame has ${at}`);
  return { head, bodies };
}
