import { z } from "zod";
import { checksum } from "./checksum.ts";
import { IdSet } from "./id-set.ts";
import { Identities } from "./identities.ts";
import type { RunHead, SealedRun } from "./sealed-run.ts";
import { joinSections, jsonSection, SectionReader } from "./sections.ts";
import { Slice } from "./slice.ts";
import { WindowTable } from "./window-table.ts";

/** A row of the object's SQLite holds 2 MB; a slice is cut into pages below that. */
export const PAGE_BYTES_MAX = 1_900_000;

const VERSION = 3;
/** Without `runs`. */
const VERSION_BEFORE = 2;

const headerSchema = z.object({
  v: z.literal([VERSION_BEFORE, VERSION]),
  window_start: z.int().min(0),
  revision: z.int().min(0),
  id_words: z.int().min(0),
  runs: z.array(z.object({ events: z.int().min(1), revision: z.int().min(1) })).default([]),
});

/** Checksum and length of what follows, little-endian uint32 each. */
const PREFIX_BYTES = 8;

/**
 * A slice as checkpoint pages: checksum and length, then sections: a JSON header, the words of the identities that are not sealed, the merchants'
 * windows as they are in memory; cut into pages of at most 1.9 MB.
 */
export function encodePages(slice: Pick<Slice, "startMs" | "revision" | "ids" | "table">): Uint8Array<ArrayBuffer>[] {
  const words = slice.ids.fresh.words();
  const header: z.input<typeof headerSchema> = {
    v: VERSION,
    window_start: slice.startMs,
    revision: slice.revision,
    id_words: words.length,
    runs: slice.ids.runs.map(({ head }) => head),
  };
  const sections = joinSections([jsonSection(header), words, ...slice.table.sections()]);
  const bytes = new Uint8Array(PREFIX_BYTES + sections.byteLength);
  bytes.set(sections, PREFIX_BYTES);
  const prefix = new DataView(bytes.buffer, 0, PREFIX_BYTES);
  prefix.setUint32(4, sections.byteLength, true);
  prefix.setUint32(0, checksum(bytes.subarray(4)), true);
  const pages: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.byteLength; at += PAGE_BYTES_MAX) pages.push(bytes.subarray(at, at + PAGE_BYTES_MAX));
  return pages;
}

/** A window's sealed identities, where its page says which there are. */
export type OpenRuns = (startMs: number, heads: readonly RunHead[]) => readonly SealedRun[];

/** The slice that these pages, in order, hold. Throws when they are not whole: a guess would be a wrong number. */
export function decodePages(pages: readonly Uint8Array[], openRuns: OpenRuns): Slice {
  const { header, reader } = openPages(pages);
  const words = reader.uint32();
  if (words.length !== header.id_words)
    throw new Error(`${words.length} identity words where ${header.id_words} belong`);
  const ids = new Identities(IdSet.fromWords(words), openRuns(header.window_start, header.runs));
  const slice = new Slice(header.window_start, ids, WindowTable.fromSections(reader));
  slice.revision = header.revision;
  slice.pagedRevision = header.revision;
  return slice;
}

/** The merchants' windows of these pages, without the identity set. Checked as `decodePages` does. */
export function decodeTable(pages: readonly Uint8Array[]): {
  readonly startMs: number;
  readonly revision: number;
  readonly table: WindowTable;
} {
  const { header, reader } = openPages(pages);
  reader.skip();
  return { startMs: header.window_start, revision: header.revision, table: WindowTable.fromSections(reader) };
}

function openPages(pages: readonly Uint8Array[]) {
  const bytes = new Uint8Array(pages.reduce((sum, page) => sum + page.byteLength, 0));
  let at = 0;
  for (const page of pages) {
    bytes.set(page, at);
    at += page.byteLength;
  }
  const prefix = new DataView(bytes.buffer, 0, PREFIX_BYTES);
  if (prefix.getUint32(0, true) !== checksum(bytes.subarray(4))) throw new Error("checkpoint pages are damaged");
  const length = prefix.getUint32(4, true);
  if (length !== bytes.byteLength - PREFIX_BYTES) throw new Error("checkpoint pages are missing");
  const reader = new SectionReader(bytes.subarray(PREFIX_BYTES));
  return { header: headerSchema.parse(reader.json()), reader };
}
