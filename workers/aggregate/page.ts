import { z } from "zod";
import { fromRow, toRow, type WindowRow } from "../../shared/window-row.ts";
import { checksum } from "./checksum.ts";
import { IdSet } from "./id-set.ts";
import { Slice } from "./slice.ts";

/** A row of the object's SQLite holds 2 MB; a slice is cut into pages below that. */
export const PAGE_BYTES_MAX = 1_900_000;

const VERSION = 1;

const headerSchema = z.object({
  v: z.literal(VERSION),
  window_start: z.int().min(0),
  revision: z.int().min(0),
  id_words: z.int().min(0),
  rows: z.array(z.unknown()),
});

/** Checksum and length of the header, little-endian uint32 each. */
const PREFIX_BYTES = 8;

/**
 * A slice as checkpoint pages: checksum of all that follows it, length of the header, a JSON header with the merchants' rows, then
 * the identity set's words; cut into pages of at most 1.9 MB.
 */
export function encodePages(slice: Slice): Uint8Array<ArrayBuffer>[] {
  const rows: WindowRow[] = [];
  for (const window of slice.windows()) rows.push(toRow(window));
  const words = slice.ids.words();
  const header = new TextEncoder().encode(
    JSON.stringify({
      v: VERSION,
      window_start: slice.startMs,
      revision: slice.revision,
      id_words: words.length,
      rows,
    } satisfies z.input<typeof headerSchema>),
  );
  const bytes = new Uint8Array(PREFIX_BYTES + header.byteLength + words.byteLength);
  bytes.set(header, PREFIX_BYTES);
  bytes.set(new Uint8Array(words.buffer), PREFIX_BYTES + header.byteLength);
  const prefix = new DataView(bytes.buffer, 0, PREFIX_BYTES);
  prefix.setUint32(4, header.byteLength, true);
  prefix.setUint32(0, checksum(bytes.subarray(4)), true);
  const pages: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.byteLength; at += PAGE_BYTES_MAX) pages.push(bytes.subarray(at, at + PAGE_BYTES_MAX));
  return pages;
}

/** The slice that these pages, in order, hold. Throws when they are not whole: a guess would be a wrong number. */
export function decodePages(pages: readonly Uint8Array[]): Slice {
  const bytes = new Uint8Array(pages.reduce((sum, page) => sum + page.byteLength, 0));
  let at = 0;
  for (const page of pages) {
    bytes.set(page, at);
    at += page.byteLength;
  }
  const prefix = new DataView(bytes.buffer, 0, PREFIX_BYTES);
  if (prefix.getUint32(0, true) !== checksum(bytes.subarray(4))) throw new Error("checkpoint pages are damaged");
  const headerEnd = PREFIX_BYTES + prefix.getUint32(4, true);
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
    bytes.subarray(PREFIX_BYTES, headerEnd),
  );
  const header = headerSchema.parse(JSON.parse(text));
  const words = new Uint32Array(bytes.slice(headerEnd).buffer);
  if (words.length !== header.id_words)
    throw new Error(`${words.length} identity words where ${header.id_words} belong`);
  const slice = new Slice(header.window_start, IdSet.fromWords(words));
  for (const row of header.rows) slice.restore(fromRow(row));
  slice.revision = header.revision;
  slice.pagedRevision = header.revision;
  return slice;
}
