/** The server's limits for a request are 10,000 events and 10 MB after decompression (design §2); we stay below both. */
export const BATCH_EVENTS_MAX = 10_000;
export const BATCH_BYTES_MAX = 8 * 1024 * 1024;
/** A longer line could not be sent in any batch, and reading on for its end would hold the whole file. */
export const LINE_BYTES_MAX = BATCH_BYTES_MAX;

export type NdjsonBatch = {
  /** The lines, each ended by one newline. */
  body: Buffer<ArrayBuffer>;
  /** Line number in the file, from 1, of each event of the body, in order: blank lines are left out of the body. */
  lineNumbers: readonly number[];
};

/**
 * Cuts a stream of bytes into batches of whole lines, holding no more than one batch and one chunk.
 * Throws when a line is longer than `LINE_BYTES_MAX`.
 */
export async function* ndjsonBatches(
  chunks: AsyncIterable<Buffer>,
  { eventsMax, bytesMax = BATCH_BYTES_MAX }: { eventsMax: number; bytesMax?: number },
): AsyncGenerator<NdjsonBatch> {
  let parts: Buffer[] = [];
  let partsBytes = 0;
  let lineNumbers: number[] = [];
  const cut = (): NdjsonBatch => {
    const batch = { body: Buffer.concat(parts), lineNumbers };
    parts = [];
    partsBytes = 0;
    lineNumbers = [];
    return batch;
  };
  for await (const { bytes, lineNumber } of lines(chunks)) {
    if (isBlank(bytes)) continue;
    const size = bytes.length + NEWLINE.length;
    if (lineNumbers.length > 0 && partsBytes + size > bytesMax) yield cut();
    parts.push(bytes, NEWLINE);
    partsBytes += size;
    lineNumbers.push(lineNumber);
    if (lineNumbers.length >= eventsMax) yield cut();
  }
  if (lineNumbers.length > 0) yield cut();
}

const NEWLINE = Buffer.from("\n");

async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<{ bytes: Buffer; lineNumber: number }> {
  let lineNumber = 1;
  let begun: Buffer[] = [];
  let begunBytes = 0;
  const ended = (tail: Buffer) => {
    const bytes = begun.length === 0 ? tail : Buffer.concat([...begun, tail]);
    begun = [];
    begunBytes = 0;
    const line = { bytes: lineNumber === 1 ? withoutByteOrderMark(bytes) : bytes, lineNumber };
    lineNumber += 1;
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      yield ended(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start === chunk.length) continue;
    begun.push(chunk.subarray(start));
    begunBytes += chunk.length - start;
    if (begunBytes > LINE_BYTES_MAX) {
      throw new Error(`line ${lineNumber} is longer than ${LINE_BYTES_MAX} bytes: is this NDJSON, one event a line?`);
    }
  }
  if (begun.length > 0) yield ended(Buffer.alloc(0));
}

function withoutByteOrderMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
