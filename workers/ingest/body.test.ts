import { describe, expect, test, vi } from "vitest";
import { gzip } from "../gzip.ts";
import { DRAIN_MS_MAX, drain } from "../http/sent-body.ts";
import { readBody } from "./body.ts";
import { BODY_BYTES_MAX } from "./limits.ts";

const utf8 = new TextEncoder();
const megabyte = new Uint8Array(1_000_000).fill(0x20);

/** A request that sends its chunks one by one, and counts how many were asked for. */
function requestOf(chunks: Iterable<Uint8Array>, headers: Record<string, string> = {}) {
  // A stream of bytes has no empty chunks.
  const iterator = Array.from(chunks)
    .filter(({ byteLength }) => byteLength > 0)
    [Symbol.iterator]();
  const pulled = { count: 0, isCancelled: false };
  const body = new ReadableStream(
    {
      type: "bytes",
      pull(controller) {
        const { value, done } = iterator.next();
        if (done) {
          controller.close();
          // Whoever reads into a buffer of its own is answered only then.
          controller.byobRequest?.respond(0);
          return;
        }
        pulled.count += 1;
        controller.enqueue(value.slice());
      },
      cancel() {
        pulled.isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const init = { method: "POST", body, headers, duplex: "half" };
  return { request: new Request("http://ingest/v1/events", init), pulled };
}
/** What is read, as text: nothing is lost of what was sent. */
async function readText(request: Request) {
  const body = await readBody(request);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return body.ok ? { ok: true, value: decoder.decode(body.value) } : body;
}
const read = (bytes: Uint8Array, headers?: Record<string, string>) => readText(requestOf([bytes], headers).request);
const gzipped = { "Content-Encoding": "gzip" };
const problem = (status: number, code: string) => ({ ok: false, error: { status, code } });

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe("a body", () => {
  test("is its text, however it is cut into chunks, in the middle of a character too", async () => {
    const text = '{"a":"漢字 😀"}\r\n';
    const bytes = utf8.encode(text);
    for (const size of [1, 2, 3, 100]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.slice(i * size, (i + 1) * size),
      );
      expect(await readText(requestOf(chunks).request)).toEqual({ ok: true, value: text });
    }
  });

  test("that is empty or absent is an empty text", async () => {
    expect(await read(new Uint8Array())).toEqual({ ok: true, value: "" });
    expect(await readText(new Request("http://ingest/", { method: "POST" }))).toEqual({ ok: true, value: "" });
  });

  test("keeps its byte order marks: which of them is text is not its to say", async () => {
    for (const text of ["\ufeff{}", '"\ufeff"', "\ufeff\ufeff"]) {
      expect(await read(utf8.encode(text))).toEqual({ ok: true, value: text });
    }
  });

  test("of a length that was said is read the same, and refused unread when that is beyond the limit", async () => {
    const headers = { "Content-Length": "2" };
    expect(await read(utf8.encode("{}"), headers)).toEqual({ ok: true, value: "{}" });
    const { request, pulled } = requestOf(Array(20).fill(megabyte), { "Content-Length": "20000000" });
    expect(await readBody(request)).toMatchObject(problem(413, "body_too_large"));
    expect(pulled.count).toBeLessThanOrEqual(11);
  });

  test.each([[[0xff]], [[0xc3]], [[0xed, 0xa0, 0x80]], [[0x22, 0xe6, 0xbc]]])(
    "of bytes that are no UTF-8 is refused: %j",
    async (bytes) => {
      expect(await read(Uint8Array.from(bytes))).toMatchObject(problem(400, "malformed_text"));
      expect(await read(utf8.encode("fine again"))).toMatchObject({ ok: true });
    },
  );

  test("of gzip that does not say so is refused, and told what it lacks", async () => {
    expect(await read(gzip("{}"))).toMatchObject(problem(400, "malformed_text"));
    expect(await read(gzip("{}"))).toMatchObject({
      error: { detail: expect.stringContaining("Content-Encoding: gzip") },
    });
  });

  test("of the limit is read; of a larger one no more is asked for than shows it, and the rest can be drained", async () => {
    const full = await readBody(requestOf(Array(10).fill(megabyte)).request);
    expect(full.ok && full.value.length).toBe(BODY_BYTES_MAX);
    const { request, pulled } = requestOf([
      ...Array(10).fill(megabyte),
      new Uint8Array(1),
      ...Array(20).fill(megabyte),
    ]);
    expect(await readBody(request)).toMatchObject(problem(413, "body_too_large"));
    expect(pulled).toEqual({ count: 11, isCancelled: false });
    await drain(request, BODY_BYTES_MAX);
    expect(pulled).toEqual({ count: 31, isCancelled: false });
  });

  test("without an end is drained to ten times the limit, then cut off", async () => {
    const { request, pulled } = requestOf(Array(1_000).fill(megabyte));
    await drain(request, BODY_BYTES_MAX);
    expect(pulled).toEqual({ count: 101, isCancelled: true });
  });

  test("that was read to its end, or is absent, has nothing to drain", async () => {
    const { request } = requestOf([utf8.encode("{}")]);
    await readBody(request);
    await expect(drain(request, BODY_BYTES_MAX)).resolves.toBeUndefined();
    await expect(drain(new Request("http://ingest/", { method: "POST" }), BODY_BYTES_MAX)).resolves.toBeUndefined();
  });

  test("that nobody has begun to read is drained, whether it says its length or not", async () => {
    for (const headers of [{ "Content-Length": "3000000" }, { "Content-Length": "100" }, {}]) {
      const { request, pulled } = requestOf(Array(3).fill(megabyte), headers);
      await drain(request, BODY_BYTES_MAX);
      expect(pulled).toEqual({ count: 3, isCancelled: false });
    }
  });

  test("that is drained as a whole does not wait for the collector", async () => {
    const { request } = requestOf([utf8.encode("{}")], { "Content-Length": "2" });
    const read = vi.spyOn(request, "arrayBuffer");
    await drain(request, BODY_BYTES_MAX);
    expect(await read.mock.results[0]?.value).toMatchObject({ detached: true });
  });

  test.each([{ "Content-Length": "3000000" }, { "Content-Length": "100" }, {}])(
    "that never comes keeps nobody from an answer: %j",
    async (headers: Record<string, string>) => {
      vi.useFakeTimers();
      const body = new ReadableStream({ type: "bytes", pull: () => new Promise(() => {}) });
      const request = new Request("http://ingest/", { method: "POST", body, headers, duplex: "half" } as RequestInit);
      const drained = drain(request, BODY_BYTES_MAX);
      await vi.advanceTimersByTimeAsync(DRAIN_MS_MAX);
      await expect(drained).resolves.toBeUndefined();
      vi.useRealTimers();
    },
  );

  test.each(["br", "deflate", "zstd", "gzip, gzip"])("encoded as %s is refused", async (encoding) => {
    expect(await read(utf8.encode("{}"), { "Content-Encoding": encoding })).toMatchObject(
      problem(415, "unsupported_encoding"),
    );
  });
});

describe("a gzip body", () => {
  test("is its text, in one member or several, the name in whatever case", async () => {
    expect(await read(gzip("漢"), gzipped)).toEqual({ ok: true, value: "漢" });
    expect(await read(joined(gzip("a\n"), gzip("b\n")), { "Content-Encoding": " GZIP" })).toEqual({
      ok: true,
      value: "a\nb\n",
    });
  });

  test("may unpack to the limit; of a bomb no more than that is ever unpacked", async () => {
    const full = await read(gzip(new Uint8Array(BODY_BYTES_MAX).fill(0x20)), gzipped);
    expect(full.ok && full.value.length).toBe(BODY_BYTES_MAX);
    const bomb = gzip(new Uint8Array(BODY_BYTES_MAX + 1));
    expect(await read(bomb, gzipped)).toMatchObject(problem(413, "body_too_large"));
  });

  test("of many members that are small each is a bomb all the same", async () => {
    const member = gzip(new Uint8Array(1_000_000));
    expect(await read(joined(...Array(11).fill(member)), gzipped)).toMatchObject(problem(413, "body_too_large"));
  });

  test("that is cut off, damaged, no gzip at all or followed by something else is refused", async () => {
    const packed = gzip("some text that is long enough to be cut");
    const damaged = packed.slice();
    damaged[packed.length - 6] = (damaged[packed.length - 6] ?? 0) ^ 1;
    for (const bytes of [packed.slice(0, -1), packed.slice(0, 12), damaged, utf8.encode("{}"), new Uint8Array()]) {
      expect(await read(bytes, gzipped)).toMatchObject(problem(400, "malformed_gzip"));
    }
    expect(await read(joined(packed, utf8.encode("rest")), gzipped)).toMatchObject(problem(400, "malformed_gzip"));
  });
});
