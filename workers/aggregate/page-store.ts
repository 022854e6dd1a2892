import { z } from "zod";
import { WINDOW_MS } from "../../shared/window.ts";
import { rowChecksum } from "./checksum.ts";
import { DamagedWindow } from "./damage.ts";
import { IdSet } from "./id-set.ts";
import { Identities } from "./identities.ts";
import { decodePages, decodeTable, encodePages } from "./page.ts";
import { runsOf } from "./sealed-run.ts";
import { RUNS_PER_SLICE_MAX, SealedStore } from "./sealed-store.ts";
import { Slice, type SliceContents, type SlicePages } from "./slice.ts";
import type { WindowTable } from "./window-table.ts";

/** Pages of one slice; with their size, the largest window a shard can keep. */
const PAGES_PER_SLICE_MAX = 1024;

/** What stands beside each page of a slice, so that a start need not read the pages themselves. */
const metaSchema = z
  .object({
    id: z.int(),
    revision: z.int().min(1),
    windows: z.int().min(0),
    bytes: z.int().min(0),
    sum: z.int(),
  })
  .refine(({ id, revision, windows, bytes, sum }) => sum === rowChecksum([id, revision, windows, bytes]));

type Meta = z.output<typeof metaSchema>;

/** The table `page`: checkpoint pages of slices, by window and part (`docs/storage.md`). */
export class PageStore {
  readonly #sql: SqlStorage;
  readonly #sealed: SealedStore;
  readonly #sealedEventsMin: number;

  /** `sealedEventsMin`: of a window with so many new events all are sealed when it is written. */
  constructor(sql: SqlStorage, sealedEventsMin: number) {
    this.#sql = sql;
    this.#sealedEventsMin = sealedEventsMin;
    // The blob is the last column: what stands before it is read without it.
    sql.exec(`CREATE TABLE IF NOT EXISTS page (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, windows INTEGER NOT NULL,
      bytes INTEGER NOT NULL, sum INTEGER NOT NULL, data BLOB NOT NULL);`);
    this.#sealed = new SealedStore(sql);
  }

  /** Answers the slice's identities as they stand there: of many new ones all are sealed, and what is written stays the same from then on. */
  write(slice: Slice): Identities {
    const { startMs, revision, table } = slice;
    const ids = this.seal(slice);
    const pages = encodePages({ startMs, revision, ids, table });
    if (pages.length > PAGES_PER_SLICE_MAX) throw new Error(`window ${slice.startMs} takes ${pages.length} pages`);
    pages.forEach((data, part) => {
      const meta = [firstId(startMs) + part, revision, table.size, ids.byteLength + table.byteLength];
      this.#sql.exec(
        "INSERT OR REPLACE INTO page (id, revision, windows, bytes, sum, data) VALUES (?, ?, ?, ?, ?, ?)",
        ...meta,
        rowChecksum(meta),
        data,
      );
    });
    this.#delete(startMs, pages.length);
    return ids;
  }

  /** Deletes all that is kept of a slice. */
  delete(startMs: number): void {
    this.#delete(startMs, 0);
    this.#sealed.delete(startMs);
  }

  /** Deletes a slice's pages, from a part on. */
  #delete(startMs: number, fromPart: number): void {
    const first = firstId(startMs);
    this.#sql.exec("DELETE FROM page WHERE id >= ? AND id < ?", first + fromPart, first + PAGES_PER_SLICE_MAX);
  }

  /** A slice's identities, of which many new ones are sealed. They are no part of the window before pages say so: until then a start passes them over. */
  seal({ startMs, revision, ids }: Slice): Identities {
    const { fresh, runs } = ids;
    if (fresh.size < this.#sealedEventsMin || runs.length + runsOf(fresh.size) > RUNS_PER_SLICE_MAX) return ids;
    return new Identities(new IdSet(), [...runs, ...this.#sealed.write(startMs, runs.length, fresh.words(), revision)]);
  }

  /** Every slice that has pages, paged out; and the windows of which not even that can be told. */
  slices(): { readonly slices: Slice[]; readonly damaged: number[] } {
    const slices: Slice[] = [];
    const damaged = new Set<number>();
    const seen = new Set<number>();
    for (const row of this.#sql.exec("SELECT id, revision, windows, bytes, sum FROM page ORDER BY id").toArray()) {
      const startMs = Math.floor(Number(row.id) / PAGES_PER_SLICE_MAX) * WINDOW_MS;
      if (seen.has(startMs)) continue;
      seen.add(startMs);
      const meta = metaSchema.safeParse(row);
      if (meta.success) slices.push(Slice.pagedOut(startMs, meta.data.revision, this.#pagesAt(startMs, meta.data)));
      else damaged.add(startMs);
    }
    return { slices, damaged: [...damaged] };
  }

  /** The pages of a slice that has no changes since they were written. */
  pagesOf({ startMs, revision, bytes, table }: Slice): SlicePages {
    return this.#pagesAt(startMs, { revision, bytes, windows: table.size });
  }

  #pagesAt(startMs: number, { revision, bytes, windows }: Pick<Meta, "revision" | "bytes" | "windows">): SlicePages {
    const expect = (found: { readonly startMs: number; readonly revision: number }) => {
      if (found.startMs !== startMs || found.revision !== revision) throw new Error("pages of another window or state");
    };
    const read = <T>(decode: (pages: readonly Uint8Array[]) => T): T => {
      try {
        return decode(this.#read(startMs));
      } catch (cause) {
        throw new DamagedWindow(startMs, { cause });
      }
    };
    return {
      bytes,
      windows,
      contents: (): SliceContents =>
        read((pages) => {
          const slice = decodePages(pages, (startMs, heads) => this.#sealed.open(startMs, heads));
          expect(slice);
          return slice.bringBack();
        }),
      table: (): WindowTable =>
        read((pages) => {
          const found = decodeTable(pages);
          expect(found);
          return found.table;
        }),
    };
  }

  #read(startMs: number): Uint8Array[] {
    const first = firstId(startMs);
    const rows = this.#sql
      .exec("SELECT data FROM page WHERE id >= ? AND id < ? ORDER BY id", first, first + PAGES_PER_SLICE_MAX)
      .toArray();
    return rows.map(({ data }) => new Uint8Array(z.instanceof(ArrayBuffer).parse(data)));
  }
}

const firstId = (startMs: number) => (startMs / WINDOW_MS) * PAGES_PER_SLICE_MAX;
