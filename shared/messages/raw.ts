import { z } from "zod";
import { err, ok, type Result } from "../result.ts";
import { HOUR_MS } from "../window.ts";
import { TOKEN_PATTERN } from "./shard-batch.ts";

/** A message on the RAW queue: the platform's limit is 128,000 bytes, of which its own overhead takes some 100 (Cloudflare Queues, "Limits"). */
export const RAW_MESSAGE_BYTES_MAX = 127_500;

/** A gzip member: the NDJSON lines of one event hour, as they will stand in the archive. */
export interface RawMember {
  /** Epoch milliseconds of the hour's start. */
  readonly hourMs: number;
  readonly events: number;
  readonly gzip: Uint8Array;
}

/** Accepted events of one request (or a part of one), which ask to be archived and counted. */
export interface RawMessage {
  /** The request's id; lines, logs and archive keys carry it. */
  readonly batch: string;
  readonly receivedAtMs: number;
  readonly members: readonly RawMember[];
  /** The same events as a shard counts them, packed (`shard-batch.ts`), so that nothing has to be unpacked and parsed to count them. */
  readonly columns: Uint8Array;
  /** When the request has its events counted directly too: what the shards know it by (`Shard.counted`). Else empty. */
  readonly token: string;
}

const MAGIC = 0x31524c54; // "TLR1"
const PREFIX_BYTES = 8;

const headerSchema = z.object({
  v: z.literal(2),
  batch: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  received_at: z.int().min(0),
  members: z.array(
    z.object({ hour: z.int().min(0).multipleOf(HOUR_MS), events: z.int().min(1), bytes: z.int().min(1) }),
  ),
  columns: z.int().min(1),
  token: z.string().regex(TOKEN_PATTERN),
});

/**
 * Frame: magic and header length as little-endian uint32, a JSON header, then the members' gzip bytes one after another, then the
 * columns.
 */
export function encodeRawMessage(message: RawMessage): Uint8Array<ArrayBuffer> {
  const { batch, receivedAtMs, members, columns, token } = message;
  const header = new TextEncoder().encode(
    JSON.stringify({
      v: 2,
      batch,
      received_at: receivedAtMs,
      members: members.map(({ hourMs, events, gzip }) => ({ hour: hourMs, events, bytes: gzip.byteLength })),
      columns: columns.byteLength,
      token,
    } satisfies z.input<typeof headerSchema>),
  );
  const total = members.reduce((sum, { gzip }) => sum + gzip.byteLength, PREFIX_BYTES + header.byteLength);
  const bytes = new Uint8Array(total + columns.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, header.byteLength, true);
  bytes.set(header, PREFIX_BYTES);
  let at = PREFIX_BYTES + header.byteLength;
  for (const { gzip } of members) {
    bytes.set(gzip, at);
    at += gzip.byteLength;
  }
  bytes.set(columns, at);
  return bytes;
}

/** Reads a frame; what is inside the gzip members is not looked at. */
export function decodeRawMessage(body: unknown): Result<RawMessage, { readonly reason: string }> {
  const bytes = asBytes(body);
  if (bytes === undefined || bytes.byteLength < PREFIX_BYTES) return err({ reason: "not a raw message" });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) return err({ reason: "not a raw message" });
  const headerEnd = PREFIX_BYTES + view.getUint32(4, true);
  if (headerEnd > bytes.byteLength) return err({ reason: "cut off within its header" });
  const header = parseHeader(bytes.subarray(PREFIX_BYTES, headerEnd));
  if (header === undefined) return err({ reason: "its header is not of version 2" });
  let at = headerEnd;
  const members = header.members.map(({ hour, events, bytes: length }) => {
    at += length;
    return { hourMs: hour, events, gzip: bytes.subarray(at - length, at) };
  });
  const columns = bytes.subarray(at, at + header.columns);
  at += header.columns;
  if (at !== bytes.byteLength) return err({ reason: `${bytes.byteLength} bytes where its header promises ${at}` });
  return ok({ batch: header.batch, receivedAtMs: header.received_at, members, columns, token: header.token });
}

function asBytes(body: unknown): Uint8Array | undefined {
  if (body instanceof Uint8Array) return body;
  return body instanceof ArrayBuffer ? new Uint8Array(body) : undefined;
}

function parseHeader(bytes: Uint8Array): z.output<typeof headerSchema> | undefined {
  try {
    return headerSchema.safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)))
      .data;
  } catch {
    return undefined; // Not UTF-8 or not JSON: the same verdict as a header of another shape.
  }
}
