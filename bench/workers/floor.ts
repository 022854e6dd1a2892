import { gzipSync } from "node:zlib";

/**
 * The least that can be done with a body: parse it and compress it, once, at the default level. `/zlib` and `/stream` are the two
 * ways a Worker can compress.
 */
export default {
  async fetch(request: Request): Promise<Response> {
    const bytes = new Uint8Array(await request.arrayBuffer());
    const text = new TextDecoder().decode(bytes);
    const isLines = request.headers.get("Content-Type") === "application/x-ndjson";
    const parsed: unknown = isLines ? text.split("\n").map((line) => JSON.parse(line)) : JSON.parse(text);
    const packed = new URL(request.url).pathname === "/zlib" ? gzipSync(bytes).byteLength : await streamed(bytes);
    return Response.json({ events: Array.isArray(parsed) ? parsed.length : 1, packed });
  },
};

async function streamed(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).arrayBuffer()).byteLength;
}
