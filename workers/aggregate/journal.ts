import { z } from "zod";
import { decodeShardBatch } from "../../shared/messages/shard-batch.ts";
import { WINDOW_MS } from "../../shared/window.ts";
import { checksum } from "./checksum.ts";
import { emptyState, fold, type ShardState } from "./engine.ts";
import { decodePages, encodePages } from "./page.ts";
import type { Slice } from "./slice.ts";

/** Batches between two checkpoints: their slots are written over and over, since a delete would cost another row. */
export const JOURNAL_SLOTS = 256;
/** A checkpoint is also taken once the journal holds this much, which bounds recovery. */
export const JOURNAL_BYTES_MAX = 16_000_000;
/** Pages of one slice; with their size, the largest window a shard can keep. */
const PAGES_PER_SLICE_MAX = 1024;

const batchRowSchema = z.object({ seq: z.int(), at_ms: z.int(), sum: z.int(), batch: z.instanceof(ArrayBuffer) });
const pageRowSchema = z.object({ id: z.int(), data: z.instanceof(ArrayBuffer) });
const storedRowSchema = z.object({ window: z.int(), revision: z.int() });
const checkpointRowSchema = z.object({ seq: z.int(), at_ms: z.int(), dropped_to_ms: z.int() });

/**
 * The durable half of a shard, in the object's SQLite: one row per batch, overwritten in turn, and checkpoint pages of whole
 * slices. `docs/storage.md` lists the tables. What it holds, folded again, is the state.
 */
export class Journal {
  readonly #storage: DurableObjectStorage;
  #bytes = 0;
  #batches = 0;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    const { sql } = storage;
    sql.exec(`CREATE TABLE IF NOT EXISTS journal (slot INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, sum INTEGER NOT NULL, batch BLOB NOT NULL);
      CREATE TABLE IF NOT EXISTS page (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
      CREATE TABLE IF NOT EXISTS stored (window INTEGER PRIMARY KEY, revision INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, dropped_to_ms INTEGER NOT NULL);`);
  }

  /** True when the next batch must wait for a checkpoint. */
  get isFull(): boolean {
    return this.#batches >= JOURNAL_SLOTS - 1 || this.#bytes >= JOURNAL_BYTES_MAX;
  }

  get isEmpty(): boolean {
    return this.#batches === 0;
  }

  /** Writes the batch that will be folded in as `seq`. Throws when it cannot be written; nothing has changed then. */
  append(seq: number, atMs: number, batch: Uint8Array): void {
    this.#storage.sql.exec(
      "INSERT OR REPLACE INTO journal (slot, seq, at_ms, sum, batch) VALUES (?, ?, ?, ?, ?)",
      seq % JOURNAL_SLOTS,
      seq,
      atMs,
      checksum(batch),
      batch,
    );
    this.#batches += 1;
    this.#bytes += batch.byteLength;
  }

  /**
   * Writes the pages of every slice changed since it was last paged, and forgets `dropped`, in one transaction with the mark
   * from which recovery reads the journal. A batch older than the mark is never folded again, so a dropped slice stays dropped.
   */
  checkpoint(state: ShardState, dropped: readonly Slice[]): void {
    const changed = [...state.slices.values()].filter((slice) => slice.revision > slice.pagedRevision);
    const droppedToMs = dropped.reduce((to, { startMs }) => Math.max(to, startMs + WINDOW_MS), state.droppedToMs);
    this.#storage.transactionSync(() => {
      for (const slice of changed) this.#writePages(slice);
      for (const { startMs } of dropped) {
        this.#deletePages(startMs, 0);
        this.#storage.sql.exec("DELETE FROM stored WHERE window = ?", startMs / WINDOW_MS);
      }
      this.#storage.sql.exec(
        "INSERT OR REPLACE INTO checkpoint (one, seq, at_ms, dropped_to_ms) VALUES (1, ?, ?, ?)",
        state.seq,
        state.atMs,
        droppedToMs,
      );
    });
    for (const slice of changed) slice.pagedRevision = slice.revision;
    for (const { startMs } of dropped) state.slices.delete(startMs);
    state.droppedToMs = droppedToMs;
    this.#batches = 0;
    this.#bytes = 0;
  }

  /** Notes how far a slice is known to stand in history. */
  store({ startMs, storedRevision }: Slice): void {
    this.#storage.sql.exec(
      "INSERT OR REPLACE INTO stored (window, revision) VALUES (?, ?)",
      startMs / WINDOW_MS,
      storedRevision,
    );
  }

  /** The state that checkpoint and journal add up to, through the same `fold` that live batches take. */
  recover(): ShardState {
    const { sql } = this.#storage;
    const state = emptyState();
    const mark = checkpointRowSchema
      .optional()
      .parse(sql.exec("SELECT seq, at_ms, dropped_to_ms FROM checkpoint").toArray()[0]);
    state.seq = mark?.seq ?? 0;
    state.atMs = mark?.at_ms ?? 0;
    state.droppedToMs = mark?.dropped_to_ms ?? 0;
    for (const slice of this.#readSlices()) state.slices.set(slice.startMs, slice);
    for (const row of sql.exec("SELECT seq, at_ms, sum, batch FROM journal WHERE seq > ? ORDER BY seq", state.seq)) {
      const { seq, at_ms, sum, batch } = batchRowSchema.parse(row);
      if (seq !== state.seq + 1) throw new Error(`journal goes from ${state.seq} to ${seq}`);
      if (sum !== checksum(new Uint8Array(batch))) throw new Error(`journal row ${seq} is damaged`);
      const decoded = decodeShardBatch(new Uint8Array(batch));
      if (!decoded.ok) throw new Error(`journal row ${seq}: ${decoded.error.reason}`);
      fold(state, decoded.value, at_ms);
      this.#batches += 1;
      this.#bytes += batch.byteLength;
    }
    for (const row of sql.exec("SELECT window, revision FROM stored")) {
      const { window, revision } = storedRowSchema.parse(row);
      const slice = state.slices.get(window * WINDOW_MS);
      if (slice === undefined) continue;
      slice.storedRevision = revision;
      slice.emittedRevision = revision;
    }
    return state;
  }

  *#readSlices(): Generator<Slice> {
    let pages: Uint8Array[] = [];
    let window = -1;
    for (const row of this.#storage.sql.exec("SELECT id, data FROM page ORDER BY id")) {
      const { id, data } = pageRowSchema.parse(row);
      const owner = Math.floor(id / PAGES_PER_SLICE_MAX);
      if (owner !== window && pages.length > 0) {
        yield decodePages(pages);
        pages = [];
      }
      window = owner;
      pages.push(new Uint8Array(data));
    }
    if (pages.length > 0) yield decodePages(pages);
  }

  #writePages(slice: Slice): void {
    const pages = encodePages(slice);
    if (pages.length > PAGES_PER_SLICE_MAX) throw new Error(`window ${slice.startMs} takes ${pages.length} pages`);
    const first = (slice.startMs / WINDOW_MS) * PAGES_PER_SLICE_MAX;
    pages.forEach((data, part) => {
      this.#storage.sql.exec("INSERT OR REPLACE INTO page (id, data) VALUES (?, ?)", first + part, data);
    });
    this.#deletePages(slice.startMs, pages.length);
  }

  #deletePages(startMs: number, fromPart: number): void {
    const first = (startMs / WINDOW_MS) * PAGES_PER_SLICE_MAX;
    this.#storage.sql.exec("DELETE FROM page WHERE id >= ? AND id < ?", first + fromPart, first + PAGES_PER_SLICE_MAX);
  }
}
