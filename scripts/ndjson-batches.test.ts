import fc from "fast-check";
import { expect, test } from "vitest";
import { LINE_BYTES_MAX, type NdjsonBatch, ndjsonBatches } from "./ndjson-batches.ts";

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function batches(text: string, options: { eventsMax: number; bytesMax?: number }, size = 7) {
  const all: NdjsonBatch[] = [];
  for await (const batch of ndjsonBatches(inPieces(Buffer.from(text), size), options)) all.push(batch);
  return all.map(({ body, lineNumbers }) => ({ body: body.toString(), lineNumbers }));
}

test("batches are cut by count, and keep the line numbers of the file", async () => {
  expect(await batches("a\nb\nc\n", { eventsMax: 2 })).toEqual([
    { body: "a\nb\n", lineNumbers: [1, 2] },
    { body: "c\n", lineNumbers: [3] },
  ]);
});

test("batches are cut by bytes before they grow too large; a line too large for any goes alone", async () => {
  expect(await batches("aaaa\nbb\ncc\nddddddddddd\ne", { eventsMax: 9, bytesMax: 8 })).toEqual([
    { body: "aaaa\nbb\n", lineNumbers: [1, 2] },
    { body: "cc\n", lineNumbers: [3] },
    { body: "ddddddddddd\n", lineNumbers: [4] },
    { body: "e\n", lineNumbers: [5] },
  ]);
});

test("blank lines are left out but counted; CRLF, a byte order mark and a missing last newline do no harm", async () => {
  expect(await batches('\ufeff{"a":1}\r\n\r\n \t\n{"b":2}', { eventsMax: 9 })).toEqual([
    { body: '{"a":1}\r\n{"b":2}\n', lineNumbers: [1, 4] },
  ]);
  expect(await batches("\n\r\n", { eventsMax: 9 })).toEqual([]);
});

test("however the bytes are cut into pieces, every line comes once, in order, under its own number", async () => {
  const line = fc.string({ unit: "binary", maxLength: 12 }).map((text) => text.replace(/[\r\n\ufeff]/g, "_"));
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 30 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 4, max: 60 }),
      async (lines, size, eventsMax, bytesMax) => {
        const all = await batches(lines.join("\n"), { eventsMax, bytesMax }, size);
        const sent = all.flatMap(({ body, lineNumbers }) => {
          const bodies = body.split("\n").slice(0, -1);
          expect(bodies).toHaveLength(lineNumbers.length);
          expect(bodies.length).toBeLessThanOrEqual(eventsMax);
          expect(bodies.length === 1 || Buffer.byteLength(body) <= bytesMax).toBe(true);
          return bodies.map((text, index) => [lineNumbers[index], text]);
        });
        const utf8 = (text: string) => Buffer.from(text).toString();
        const expected = lines.map((text, index) => [index + 1, utf8(text)] as const);
        expect(sent).toEqual(expected.filter(([, text]) => !/^[ \t]*$/.test(text)));
      },
    ),
  );
});

test("a file without newlines is refused before it fills the memory", async () => {
  async function* endless(): AsyncGenerator<Buffer> {
    yield Buffer.from("{}\n");
    for (let bytes = 0; bytes <= LINE_BYTES_MAX; bytes += 1024 * 1024) yield Buffer.alloc(1024 * 1024, "x");
    throw new Error("read on");
  }
  const read = async () => {
    for await (const _ of ndjsonBatches(endless(), { eventsMax: 10 }));
  };
  await expect(read()).rejects.toThrow(/line 2 is longer than/);
});
