import { isUtf8 } from "node:buffer";
import { err, ok, type Result } from "../../shared/result.ts";
import { gunzip } from "../gzip.ts";
import type { Problem } from "../http/problem.ts";
import { BODY_BYTES_MAX } from "./limits.ts";

const tooLarge: Problem = {
  status: 413,
  code: "body_too_large",
  title: "The body is too large",
  detail: `A request takes ${BODY_BYTES_MAX} bytes after decompression; send it in several.`,
};

/** A request's body, unpacked if need be; it is UTF-8. No more than the limit is ever held, however much is sent or would unpack. */
export async function readBody(request: Request): Promise<Result<Uint8Array, Problem>> {
  const encoding = request.headers.get("Content-Encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip") {
    return err({
      status: 415,
      code: "unsupported_encoding",
      title: "Unknown Content-Encoding",
      detail: "A body comes as it is, or with Content-Encoding: gzip.",
    });
  }
  const sent = await readBytes(request);
  if (sent === undefined) return err(tooLarge);
  const bytes = encoding === "gzip" ? unpack(sent) : ok(sent);
  if (!bytes.ok || isUtf8(bytes.value)) return bytes;
  return err({ status: 400, code: "malformed_text", title: "The body is not UTF-8" });
}

/**
 * Reads what is left of a body and forgets it, so that a sender that is still sending gets the answer instead of a broken
 * connection: the runtime closes it behind an answer to what it has not read. Beyond ten times the limit it is cut off after all.
 */
export async function drain(request: Request): Promise<void> {
  const { body, bodyUsed, headers } = request;
  if (body === null || body.locked) return;
  const length = Number(headers.get("Content-Length") ?? Number.NaN);
  // Read at all, it was read as a whole.
  if (bodyUsed && length <= BODY_BYTES_MAX) return;
  if (length <= DRAINED_PIECE_BYTES) await request.arrayBuffer();
  else await drainPieces(body);
}

const DRAINED_BYTES_MAX = 10 * BODY_BYTES_MAX;
const DRAINED_PIECE_BYTES = 65_536;

/** Into a piece of our own, always the same one: those that are handed out are of 4 KB, and each costs a turn. */
async function drainPieces(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader({ mode: "byob" });
  let piece = new Uint8Array(DRAINED_PIECE_BYTES);
  for (let length = 0; length <= DRAINED_BYTES_MAX; ) {
    const { done, value } = await reader.read(piece);
    if (done) return;
    length += value.byteLength;
    piece = new Uint8Array(value.buffer);
  }
  await reader.cancel();
}

/** The bytes of a body, `undefined` when there are more than the limit; the rest is left unread then. */
async function readBytes(request: Request): Promise<Uint8Array | undefined> {
  const length = request.headers.get("Content-Length");
  // The runtime reads no more of a body than it said it would be.
  if (length !== null && Number(length) <= BODY_BYTES_MAX) return new Uint8Array(await request.arrayBuffer());
  return request.body === null ? new Uint8Array() : await readChunks(request.body);
}

async function readChunks(body: ReadableStream<Uint8Array>): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // The stream outlives the loop, so that it can be drained.
  for await (const chunk of body.values({ preventCancel: true })) {
    length += chunk.byteLength;
    if (length > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function unpack(bytes: Uint8Array): Result<Uint8Array, Problem> {
  try {
    return ok(gunzip(bytes, BODY_BYTES_MAX));
  } catch (error) {
    if (error instanceof RangeError) return err(tooLarge);
    return err({
      status: 400,
      code: "malformed_gzip",
      title: "The body is not gzip",
      detail: "Content-Encoding says gzip, but the body cannot be unpacked.",
    });
  }
}
