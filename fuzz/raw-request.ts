import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { gunzipSync } from "node:zlib";

/** A request as it goes over the wire: `fetch` would refuse half of them, and mend the other half. */
export interface RawRequest {
  readonly method: string;
  /** As it stands in the request line, one byte a character. */
  readonly target: string;
  /** In this order, repeated ones too; one byte a character. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array | undefined;
  /** `cut off` ends the connection within the body, and expects no answer; `malformed` says chunks of a size that is none. */
  readonly delivery: Delivery;
}
export type Delivery = "whole" | "chunked" | "malformed" | "dribbled" | "cut off";

export interface RawAnswer {
  readonly status: number;
  /** Names in small letters; of repeated ones the values joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
  /** Unpacked; of an event stream, what came first. */
  readonly text: string;
}

/** Pieces of a dribbled body, and the time between them. */
const DRIBBLE_PIECES = 5;
const DRIBBLE_MS = 30;
/** A table that is long flows for longer than an answer may be waited for: as long as more of it comes, so many times. */
const FLOWING_TIMES_MAX = 6;
/** A stream is left when it has sent its first event, or nothing for so long. */
const STREAM_MS_MAX = 2_000;

/** Sends a request over a connection of its own. Throws `NoAnswer` when none has come whole `answerMsMax` after the last byte was sent. */
export async function sendRaw(
  url: string,
  request: RawRequest,
  answerMsMax: number,
  onSent: (bodyBytes: number) => void = () => {},
): Promise<RawAnswer | undefined> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  try {
    const answering = readAnswer(socket, request.method === "HEAD");
    answering.catch(() => {});
    await opened(socket);
    const sending = write(socket, request, `${hostname}:${port}`, onSent);
    // An answer may come before the body has been sent, and end the sending.
    await Promise.race([sending, answering]).catch(() => {});
    if (request.delivery === "cut off") return undefined;
    return await Promise.race([answering, expired(socket, answerMsMax)]);
  } finally {
    socket.destroy();
  }
}

export class NoAnswer extends Error {
  /** Of an answer that began, and ended before it was whole. */
  readonly requestId: string | undefined;

  constructor(message: string, requestId?: string) {
    super(message);
    this.requestId = requestId;
  }
}

async function expired(socket: Socket, ms: number): Promise<never> {
  for (let seen = 0, times = 0; ; times += 1) {
    await delay(ms, undefined, { ref: false });
    if (socket.bytesRead === seen || times === FLOWING_TIMES_MAX) throw new NoAnswer(`no whole answer within ${ms} ms`);
    seen = socket.bytesRead;
  }
}

function opened(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.on("error", reject);
  });
}

async function write(
  socket: Socket,
  { method, target, headers, body, delivery }: RawRequest,
  host: string,
  onSent: (bodyBytes: number) => void,
) {
  const isChunked = delivery === "chunked" || delivery === "malformed";
  const length = body === undefined || isChunked ? [] : [["Content-Length", String(body.byteLength)] as const];
  const coding = isChunked ? [["Transfer-Encoding", "chunked"] as const] : [];
  const named = headers.some(([name]) => name.toLowerCase() === "host") ? [] : [["Host", host] as const];
  const all = [...named, ...headers, ...length, ...coding, ["Connection", "close"] as const];
  const head = `${method} ${target} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  socket.write(Buffer.from(head, "latin1"));
  if (body === undefined) {
    if (isChunked) socket.write("0\r\n\r\n");
    return;
  }
  switch (delivery) {
    case "whole":
      socket.write(body);
      return;
    case "chunked":
      for (const piece of piecesOf(body)) {
        socket.write(`${piece.byteLength.toString(16)}\r\n`);
        socket.write(piece, (error) => onSent(error ? 0 : piece.byteLength));
        socket.write("\r\n");
      }
      socket.write("0\r\n\r\n");
      return;
    case "malformed":
      socket.write('3\r\n{"a\r\nzz\r\n');
      socket.write(body);
      return;
    case "dribbled":
      for (const piece of piecesOf(body)) {
        socket.write(piece, (error) => onSent(error ? 0 : piece.byteLength));
        await delay(DRIBBLE_MS);
      }
      return;
    case "cut off":
      socket.write(body.subarray(0, body.byteLength >> 1));
      await delay(DRIBBLE_MS);
  }
}

function piecesOf(body: Uint8Array): Uint8Array[] {
  const size = Math.max(1, Math.ceil(body.byteLength / DRIBBLE_PIECES));
  return Array.from({ length: Math.ceil(body.byteLength / size) }, (_, at) =>
    body.subarray(at * size, (at + 1) * size),
  );
}

function readAnswer(socket: Socket, isHead: boolean): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const settle = () => {
      try {
        resolve(parseAnswer(Buffer.concat(chunks), isHead));
      } catch (error) {
        reject(error);
      }
    };
    let isStream = false;
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (!isStream && isEventStream(chunks)) {
        isStream = true;
        setTimeout(settle, STREAM_MS_MAX).unref();
      }
      if (isStream && chunk.includes("data:")) settle();
    });
    socket.on("end", settle);
    socket.on("error", (error) => (chunks.length > 0 ? settle() : reject(error)));
  });
}

/** Its head comes as one, but after a 100 that the sender may have asked for. */
function isEventStream(chunks: readonly Buffer[]): boolean {
  const start = Buffer.concat(chunks.slice(0, 2)).toString("latin1");
  return /^(?:HTTP\/1\.1 1\d\d[^\r]*\r\n\r\n)?HTTP\/1\.1 200[\s\S]*\r\ncontent-type: text\/event-stream/i.test(start);
}

const HEAD_END = "\r\n\r\n";

/** Throws when the bytes are no whole answer. */
export function parseAnswer(bytes: Buffer, isHead: boolean): RawAnswer {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) throw new NoAnswer(`the connection ended after ${bytes.byteLength} bytes`);
  const [line = "", ...fields] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1]);
  if (!Number.isInteger(status)) throw new NoAnswer(`no status line: ${line.slice(0, 100)}`);
  const rest = bytes.subarray(end + HEAD_END.length);
  // 100 Continue, before the answer itself.
  if (status < 200) return parseAnswer(rest, isHead);
  const headers = new Map<string, string>();
  for (const field of fields) {
    const at = field.indexOf(":");
    const name = field.slice(0, at).toLowerCase();
    const value = field.slice(at + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  const isStream = headers.get("content-type")?.startsWith("text/event-stream") === true;
  const brokenOff = (what: string) =>
    new NoAnswer(`${what}: ${status} ${headers.get("content-type")}`, headers.get("x-request-id"));
  const sent = headers.get("transfer-encoding") === "chunked" && !isHead ? dechunk(rest, isStream, brokenOff) : rest;
  const length = headers.get("content-length");
  if (length !== undefined && !isHead && status !== 304 && Number(length) !== sent.byteLength) {
    throw brokenOff(`${sent.byteLength} of ${length} bytes came`);
  }
  const isPacked = headers.get("content-encoding") === "gzip" && sent.byteLength > 0;
  return { status, headers, text: (isPacked ? gunzipSync(sent) : sent).toString() };
}

function dechunk(bytes: Buffer, isOpenEnded: boolean, brokenOff: (what: string) => NoAnswer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(bytes.subarray(at, lineEnd).toString("latin1"), 16);
    const isWhole = size >= 0 && lineEnd + 2 + size <= bytes.byteLength;
    if (size === 0 || (!isWhole && isOpenEnded)) return Buffer.concat(pieces);
    if (!isWhole) throw brokenOff(`the last chunk is missing after ${bytes.byteLength} bytes`);
    pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
