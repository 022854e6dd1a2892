import { err, ok, type Result } from "../../shared/result.ts";
import { concat } from "../bytes.ts";
import type { Problem } from "./problem.ts";

/** A body is waited for so long when nobody wants it: who says more than is sent gets an answer all the same. */
export const DRAIN_MS_MAX = 5_000;
/** Beyond so many times what is taken a body is cut off, wanted or not. */
const DRAINED_TIMES_MAX = 10;
const DRAINED_PIECE_BYTES = 65_536;
/** A body that says to have no more is read in one go. */
const DRAINED_WHOLE_BYTES_MAX = DRAINED_PIECE_BYTES;

/** What reading a body gives, unless it is no body, or is not there `msMax` later. */
export async function arrived<T>(reading: Promise<T>, msMax: number): Promise<Result<T, Problem>> {
  const late = Promise.withResolvers<Result<T, Problem>>();
  const timer = setTimeout(() => late.resolve(err(tooSlow(msMax))), msMax);
  try {
    return await Promise.race([reading.then(ok, () => err(malformed)), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

const malformed: Problem = {
  status: 400,
  code: "malformed_body",
  title: "The body cannot be read",
  detail: "It ends before its length, or its chunks are not what HTTP says of them.",
};

const tooSlow = (msMax: number): Problem => ({
  status: 408,
  code: "body_too_slow",
  title: "The body did not arrive in time",
  detail: `It has ${msMax / 1_000} s; nothing of it was taken.`,
});

/** The bytes of a body, `undefined` when there are more than `bytesMax`; the rest is left unread then. */
export async function readWithin(
  body: ReadableStream<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // The stream outlives the loop, so that it can be drained.
  for await (const chunk of body.values({ preventCancel: true })) {
    length += chunk.byteLength;
    if (length > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return concat(chunks);
}

/**
 * Reads what is left of a body and forgets it, so that a sender that is still sending gets the answer instead of a broken connection: the runtime closes it
 * behind an answer to what it has not read. `bytesMax` is what a body may have that is read as a whole. What is ten times that, or does not come, is cut off after all.
 */
export async function drain(request: Request, bytesMax: number): Promise<void> {
  const length = Number(request.headers.get("Content-Length") ?? Number.NaN);
  // Read at all, it was read as a whole.
  if (length === 0 || (request.bodyUsed && length <= bytesMax)) return;
  // A stream and its reader would be more for the collector, and everybody waits for that (docs/decisions/0104-a-refusal-leaves-less-behind.md).
  if (length <= DRAINED_WHOLE_BYTES_MAX && !request.bodyUsed) return await endOf(request.arrayBuffer().then(release));
  const { body } = request;
  if (body === null || body.locked) return;
  const late = Promise.withResolvers<void>();
  await endOf(drainPieces(body, bytesMax, late.promise), late.resolve);
}

/** Waits until a body is read, has broken off (a sender that breaks off gets no answer anyway), or is late, which `onLate` is told. */
function endOf(draining: Promise<void>, onLate?: () => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      onLate?.();
      resolve();
    }, DRAIN_MS_MAX);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    draining.then(end, end);
  });
}

/** Gives its memory back at once: left to the collector, a flood's bodies take half of what an isolate may have (docs/decisions/0106-a-crowd-pays-when-it-comes.md). */
function release(buffer: ArrayBuffer): void {
  buffer.transfer(0);
}

const PIECES_KEPT_MAX = 64;
/** For the bodies to come: of a flood's, a piece each would have to be collected, and everybody waits for that. */
const pieces: Uint8Array<ArrayBuffer>[] = [];

/** Into a piece of our own: those that are handed out are of 4 KB, and each costs a turn. */
async function drainPieces(body: ReadableStream<Uint8Array>, bytesMax: number, late: Promise<void>): Promise<void> {
  const reader = body.getReader({ mode: "byob" });
  late.then(() => reader.cancel()).catch(() => {});
  let piece = pieces.pop() ?? new Uint8Array(DRAINED_PIECE_BYTES);
  for (let length = 0; length <= DRAINED_TIMES_MAX * bytesMax; ) {
    const { done, value } = await reader.read(piece);
    if (value !== undefined) piece = new Uint8Array(value.buffer);
    if (done) {
      if (value !== undefined && pieces.length < PIECES_KEPT_MAX) pieces.push(piece);
      return;
    }
    length += value.byteLength;
  }
  await reader.cancel();
}
