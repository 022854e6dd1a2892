import { isUtf8 } from "node:buffer";
import { err, ok, type Result } from "../../shared/result.ts";
import { concat } from "../bytes.ts";
import { gunzip } from "../gzip.ts";
import type { Problem } from "../http/problem.ts";
import { arrived } from "../http/sent-body.ts";
import { Arriving, type ArrivingBody } from "./arriving.ts";
import { BODY_BYTES_MAX, BODY_MS_MAX } from "./limits.ts";
import { overloaded } from "./overloaded.ts";

/** A body that says it has no more is read by the runtime, and all of it is held from the first byte on: a thousand events are below it. */
const WHOLE_BYTES_MAX = 524_288;
/** Any other is read by pieces, which grow with it: what has not been sent is not held. */
const PIECE_BYTES_MIN = 16_384;
const PIECE_BYTES_MAX = 262_144;

/** RFC 1952, 2.3.1. */
const GZIP_MAGIC = [0x1f, 0x8b] as const;

const tooLarge: Problem = {
  status: 413,
  code: "body_too_large",
  title: "The body is too large",
  detail: `A request takes ${BODY_BYTES_MAX} bytes after decompression; send it in several.`,
};

/** This isolate's. */
const arriving = new Arriving();

/** A request's body, unpacked if need be; it is UTF-8. No more than the limit is ever held, however much is sent or would unpack, and of all bodies together no more than there is room for. */
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
  const read = await arrived(readBytes(request), BODY_MS_MAX);
  if (!read.ok || !read.value.ok) return read.ok ? read.value : read;
  const sent = read.value.value;
  const bytes = encoding === "gzip" ? unpack(sent) : ok(sent);
  if (!bytes.ok || isUtf8(bytes.value)) return bytes;
  return err(notUtf8(bytes.value));
}

function notUtf8([first, second]: Uint8Array): Problem {
  const isGzip = first === GZIP_MAGIC[0] && second === GZIP_MAGIC[1];
  return {
    status: 400,
    code: "malformed_text",
    title: "The body is not UTF-8",
    detail: isGzip ? "It begins as gzip does: send it with Content-Encoding: gzip." : "Events are text in UTF-8.",
  };
}

/** The bytes of a body, unless there are more than the limit, or others need the room; the rest is left unread then. */
async function readBytes(request: Request): Promise<Result<Uint8Array, Problem>> {
  const { body } = request;
  if (body === null) return ok(new Uint8Array());
  const givenUp = Promise.withResolvers<Result<never, Problem>>();
  const held = arriving.begin(Date.now(), () => givenUp.resolve(err(overloaded)));
  try {
    return await Promise.race([readHeld(request, body, held, givenUp.promise), givenUp.promise]);
  } finally {
    arriving.end(held);
  }
}

async function readHeld(
  request: Request,
  body: ReadableStream<Uint8Array>,
  held: ArrivingBody,
  givenUp: Promise<unknown>,
): Promise<Result<Uint8Array, Problem>> {
  const length = Number(request.headers.get("Content-Length") ?? Number.NaN);
  if (!(length <= WHOLE_BYTES_MAX)) return await readPieces(body, held, givenUp);
  // The runtime reads no more of a body than it said it would be.
  if (!arriving.hold(held, length, Date.now())) return err(overloaded);
  return ok(new Uint8Array(await request.arrayBuffer()));
}

/** Into pieces of our own: those that are handed out are of 4 KB, and each costs a turn. The stream outlives it, so that it can be drained. */
async function readPieces(
  body: ReadableStream<Uint8Array>,
  held: ArrivingBody,
  givenUp: Promise<unknown>,
): Promise<Result<Uint8Array<ArrayBuffer>, Problem>> {
  const reader = body.getReader({ mode: "byob" });
  givenUp.then(() => reader.cancel()).catch(() => {});
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (let isDone = false; !isDone; ) {
    const pieceBytes = Math.min(PIECE_BYTES_MAX, Math.max(PIECE_BYTES_MIN, length), BODY_BYTES_MAX + 1 - length);
    if (!arriving.hold(held, pieceBytes, Date.now())) return err(overloaded);
    const piece = await readPiece(reader, pieceBytes);
    isDone = piece.byteLength < pieceBytes;
    pieces.push(piece);
    length += piece.byteLength;
    if (length <= BODY_BYTES_MAX) continue;
    reader.releaseLock();
    return err(tooLarge);
  }
  reader.releaseLock();
  return ok(concat(pieces));
}

/** A full piece, or what there is before the end. */
async function readPiece(reader: ReadableStreamBYOBReader, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  let buffer = new ArrayBuffer(bytes);
  for (let filled = 0; ; ) {
    const { done, value } = await reader.read(new Uint8Array(buffer, filled));
    if (value !== undefined) buffer = value.buffer;
    if (!done) filled += value.byteLength;
    if (done || filled === bytes) return new Uint8Array(buffer, 0, value === undefined ? 0 : filled);
  }
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
