import { z } from "zod";
import type { EventBatch } from "../../shared/event-batch.ts";
import { decodeShardBatch } from "../../shared/messages/shard-batch.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { WINDOW_MS } from "../../shared/window.ts";
import { rowChecksum } from "./checksum.ts";
import type { ShardState } from "./engine.ts";
import type { Identities } from "./identities.ts";
import { PageStore } from "./page-store.ts";
import type { Slice } from "./slice.ts";

/** Batches between two checkpoints: their slots are written over and over, since a delete would cost another row. They go with their windows at the latest. */
export const JOURNAL_SLOTS = 1_024;
/** A checkpoint is also taken once the journal holds this much, which bounds recovery. */
export const JOURNAL_BYTES_MAX = 16_000_000;

/** All of a row but the batch, which is only read to be folded again. */
const ENTRY_COLUMNS = "slot, seq, at_ms, windows, stored, conflicts, sum";
const entrySchema = z
  .object({
    slot: z.int(),
    seq: z.int().min(1),
    at_ms: z.int().min(1),
    windows: z.string(),
    stored: z.string(),
    conflicts: z.string(),
    sum: z.int(),
  })
  .refine((row) => row.slot === row.seq % JOURNAL_SLOTS && row.sum === entrySum(row));
const batchRowSchema = z.object({ batch_sum: z.int(), batch: z.instanceof(ArrayBuffer) });
const damagedRowSchema = z.object({ window: z.int().min(0) });
const markSchema = z
  .object({
    seq: z.int().min(0),
    at_ms: z.int().min(0),
    dropped_to_ms: z.int().min(0),
    stored: z.string(),
    sum: z.int(),
  })
  .refine(
    (mark) => mark.sum === markSum({ seq: mark.seq, atMs: mark.at_ms, droppedToMs: mark.dropped_to_ms }, mark.stored),
  );

/** What is told of a batch beside it. */
export interface Entry {
  readonly seq: number;
  readonly atMs: number;
  /** Starts of the windows its events fall in: should it be lost, these and no others have to be rebuilt. */
  readonly windows: readonly number[];
  /**
   * Positions of the events that were refused as conflicts. What they repeat may be damaged when the batch is folded again, and they would be
   * counted then, beside what the rebuild brings back.
   */
  readonly conflicts: readonly number[];
}

/** From where on the journal counts. */
export interface Mark {
  readonly seq: number;
  readonly atMs: number;
  readonly droppedToMs: number;
}

/**
 * The durable half of a shard, in the object's SQLite: one row per batch, overwritten in turn, and checkpoint pages of whole
 * slices. `docs/storage.md` lists the tables. What it holds, folded again (`recovery.ts`), is the state.
 */
export class Journal {
  readonly pages: PageStore;
  readonly #storage: DurableObjectStorage;
  #bytes = 0;
  #batches = 0;
  /** How far windows are known to stand in history that no row says yet. */
  readonly #storedSince = new Map<number, number>();

  constructor(storage: DurableObjectStorage, sealedEventsMin: number) {
    this.#storage = storage;
    const { sql } = storage;
    sql.exec(`CREATE TABLE IF NOT EXISTS journal (slot INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, windows TEXT NOT NULL, stored TEXT NOT NULL, conflicts TEXT NOT NULL, sum INTEGER NOT NULL, batch_sum INTEGER NOT NULL, batch BLOB NOT NULL);
      CREATE TABLE IF NOT EXISTS damaged (window INTEGER PRIMARY KEY, noted_at_ms INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, dropped_to_ms INTEGER NOT NULL, stored TEXT NOT NULL, sum INTEGER NOT NULL);`);
    this.pages = new PageStore(sql, sealedEventsMin);
  }

  /** True when the next batch must wait for a checkpoint. */
  get isFull(): boolean {
    return this.#batches >= JOURNAL_SLOTS - 1 || this.#bytes >= JOURNAL_BYTES_MAX;
  }

  /** Writes the batch that will be folded in. Throws when it cannot be written; nothing has changed then. */
  append({ seq, atMs, windows }: Omit<Entry, "conflicts">, batch: Uint8Array): void {
    const row = {
      seq,
      at_ms: atMs,
      windows: windows.map((startMs) => startMs / WINDOW_MS).join(),
      stored: storedText(this.#storedSince),
      conflicts: "",
    };
    this.#storage.sql.exec(
      "INSERT OR REPLACE INTO journal (slot, seq, at_ms, windows, stored, conflicts, sum, batch_sum, batch) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      seq % JOURNAL_SLOTS,
      seq,
      atMs,
      row.windows,
      row.stored,
      row.conflicts,
      entrySum(row),
      rowChecksum([seq], batch),
      batch,
    );
    this.#storedSince.clear();
    this.#count(batch);
  }

  /** Adds to the row of a batch which of its events were conflicts, once that is known: rarely, so that most batches are one write. */
  noteConflicts(seq: number, conflicts: readonly number[]): void {
    const slot = seq % JOURNAL_SLOTS;
    const row = this.#storage.sql.exec(`SELECT ${ENTRY_COLUMNS} FROM journal WHERE slot = ?`, slot).one();
    const text = conflicts.join();
    const sum = entrySum({ ...entrySchema.parse(row), conflicts: text });
    this.#storage.sql.exec("UPDATE journal SET conflicts = ?, sum = ? WHERE slot = ?", text, sum, slot);
  }

  /**
   * Writes the pages of every slice changed since it was last paged, forgets `dropped` without, and puts `rebuilt` in the place of damaged
   * windows, all in one transaction with the mark from which recovery reads the journal. A batch older than the mark is never folded
   * again, so a dropped slice stays dropped, a rebuilt one is not counted on from before, and what is damaged has to be noted by then. Throws
   * when it cannot be written; nothing has changed then, in memory either.
   */
  checkpoint(state: ShardState, dropped: readonly Slice[], rebuilt: ReadonlyMap<number, Slice> = new Map()): void {
    const filled = [...rebuilt.values()].filter(({ revision }) => revision > 0);
    const leaving = new Set(dropped);
    const changed = [...state.slices.values(), ...filled].filter(
      (slice) => slice.revision > slice.pagedRevision && !leaving.has(slice),
    );
    const droppedToMs = dropped.reduce((to, { startMs }) => Math.max(to, startMs + WINDOW_MS), state.droppedToMs);
    const atMs = filled.reduce((at, { revision }) => Math.max(at, revision), state.atMs);
    const stored = new Map<Slice, Identities>();
    this.#storage.transactionSync(() => {
      for (const [startMs, { revision }] of rebuilt) {
        if (revision === 0) this.#forget(startMs);
        this.#storage.sql.exec("DELETE FROM damaged WHERE window = ?", startMs / WINDOW_MS);
      }
      // What could not be noted when it was found: after this mark the next start no longer reads what shows it.
      this.noteDamaged(
        [...state.damaged.keys()].filter((startMs) => !rebuilt.has(startMs)),
        atMs,
      );
      for (const slice of changed) stored.set(slice, this.pages.write(slice));
      for (const { startMs } of dropped) this.#forget(startMs);
      if (dropped.length + rebuilt.size > 0) this.#forgetBatches(startsKept(state, leaving, rebuilt));
      this.#writeMark({ seq: state.seq, atMs, droppedToMs }, storedOf(state, dropped));
    });
    this.#storedSince.clear();
    for (const [slice, ids] of stored) {
      slice.pagedRevision = slice.revision;
      slice.takeStored(ids);
    }
    for (const { startMs } of dropped) state.slices.delete(startMs);
    for (const slice of filled) replaceDamaged(state, slice);
    for (const startMs of rebuilt.keys()) state.damaged.delete(startMs);
    state.atMs = atMs;
    state.droppedToMs = droppedToMs;
    this.#clear();
  }

  /**
   * Notes how far a slice is known to stand in history. It costs no row: the next one that is written says it. What a restart forgets is
   * sent again, with the same revisions.
   */
  store({ startMs, storedRevision }: Slice): void {
    this.#storedSince.set(startMs, storedRevision);
  }

  /** The mark of the last checkpoint, `undefined` before the first; an error when what is there is none. */
  readMark(): Result<Mark | undefined, { readonly reason: string }> {
    const [row] = this.#storage.sql.exec("SELECT seq, at_ms, dropped_to_ms, stored, sum FROM checkpoint").toArray();
    const mark = markSchema.optional().safeParse(row);
    if (!mark.success) return err({ reason: "the checkpoint is damaged" });
    if (mark.data === undefined) return ok(undefined);
    return ok({ seq: mark.data.seq, atMs: mark.data.at_ms, droppedToMs: mark.data.dropped_to_ms });
  }

  /** What is told of every batch, by number. `hasUnreadable` says whether the row of a number is there and does not tell it, `isAnyUnreadable` whether any is. */
  entries(): {
    readonly entries: readonly Entry[];
    readonly isAnyUnreadable: boolean;
    readonly hasUnreadable: (seq: number) => boolean;
  } {
    const entries: Entry[] = [];
    const unreadable = new Set<unknown>();
    const rows = this.#storage.sql.exec(`SELECT ${ENTRY_COLUMNS} FROM journal ORDER BY seq`).toArray();
    for (const row of rows) {
      const entry = entrySchema.safeParse(row);
      if (entry.success) {
        const { seq, at_ms: atMs, windows, conflicts } = entry.data;
        const starts = windows.split(",").map((number) => Number(number) * WINDOW_MS);
        entries.push({
          seq,
          atMs,
          windows: starts,
          conflicts: conflicts === "" ? [] : conflicts.split(",").map(Number),
        });
      } else {
        unreadable.add(row.slot);
      }
    }
    return {
      entries,
      isAnyUnreadable: unreadable.size > 0,
      hasUnreadable: (seq) => unreadable.has(seq % JOURNAL_SLOTS),
    };
  }

  /** The batch of an entry, checked, to be folded in again. */
  replay({ seq }: Entry): Result<EventBatch, { readonly reason: string }> {
    const [row] = this.#storage.sql
      .exec("SELECT batch_sum, batch FROM journal WHERE slot = ?", seq % JOURNAL_SLOTS)
      .toArray();
    const parsed = batchRowSchema.safeParse(row);
    if (!parsed.success) return err({ reason: "it is none" });
    const bytes = new Uint8Array(parsed.data.batch);
    this.#count(bytes);
    return parsed.data.batch_sum === rowChecksum([seq], bytes)
      ? decodeShardBatch(bytes)
      : err({ reason: "it is damaged" });
  }

  /** Up to which revision each window is known to stand in history, by its start; what cannot be read costs a repeat of emissions. */
  storedRevisions(): Map<number, number> {
    const revisions = new Map<number, number>();
    const [mark] = this.#storage.sql.exec("SELECT seq, at_ms, dropped_to_ms, stored, sum FROM checkpoint").toArray();
    const rows = this.#storage.sql.exec(`SELECT ${ENTRY_COLUMNS} FROM journal`).toArray();
    const texts = [markSchema.safeParse(mark), ...rows.map((row) => entrySchema.safeParse(row))];
    for (const text of texts) {
      for (const [startMs, revision] of text.success ? storedIn(text.data.stored) : []) {
        revisions.set(startMs, Math.max(revision, revisions.get(startMs) ?? 0));
      }
    }
    return revisions;
  }

  /** Starts of the windows that wait to be rebuilt. */
  damagedWindows(): number[] {
    return this.#storage.sql
      .exec("SELECT window FROM damaged")
      .toArray()
      .flatMap((row) => {
        const damaged = damagedRowSchema.safeParse(row);
        return damaged.success ? [damaged.data.window * WINDOW_MS] : [];
      });
  }

  /** Notes windows to be rebuilt. A repeat keeps the moment of the first note. */
  noteDamaged(starts: Iterable<number>, nowMs: number): void {
    for (const startMs of starts) {
      this.#storage.sql.exec(
        "INSERT OR IGNORE INTO damaged (window, noted_at_ms) VALUES (?, ?)",
        startMs / WINDOW_MS,
        nowMs,
      );
    }
  }

  /** Begins a new journal at the state's mark: what is left of the old one is not read again. The windows it may have changed are noted. */
  restart(state: ShardState, damaged: Iterable<number>, nowMs: number): void {
    this.#storage.transactionSync(() => {
      this.noteDamaged(damaged, nowMs);
      this.#storage.sql.exec("DELETE FROM journal");
      this.#writeMark(state, storedOf(state, []));
    });
    this.#clear();
  }

  #writeMark({ seq, atMs, droppedToMs }: Mark, stored: string): void {
    this.#storage.sql.exec(
      "INSERT OR REPLACE INTO checkpoint (one, seq, at_ms, dropped_to_ms, stored, sum) VALUES (1, ?, ?, ?, ?, ?)",
      seq,
      atMs,
      droppedToMs,
      stored,
      markSum({ seq, atMs, droppedToMs }, stored),
    );
  }

  #forget(startMs: number): void {
    this.pages.delete(startMs);
  }

  /**
   * Batches of which no window is kept any more: in a shard that counts little their slots would hold events, users' hashes among them, for months before they
   * are written over. Not by the horizon alone: a batch also names windows of events that it brought and that were refused, for which nobody may ever come. A
   * busy shard has written over them long before, so it pays for no delete. At a checkpoint none of them is needed any more.
   */
  #forgetBatches(kept: ReadonlySet<number>): void {
    for (const { slot, windows } of this.#storage.sql.exec("SELECT slot, windows FROM journal").toArray()) {
      const isKept = String(windows)
        .split(",")
        .some((number) => kept.has(Number(number) * WINDOW_MS));
      if (!isKept) this.#storage.sql.exec("DELETE FROM journal WHERE slot = ?", slot ?? null);
    }
  }

  #count(batch: Uint8Array): void {
    this.#batches += 1;
    this.#bytes += batch.byteLength;
  }

  #clear(): void {
    this.#batches = 0;
    this.#bytes = 0;
  }
}

/** Starts of the windows that a shard has after a checkpoint, damaged ones among them. */
function startsKept(
  { slices, damaged }: ShardState,
  leaving: ReadonlySet<Slice>,
  rebuilt: ReadonlyMap<number, Slice>,
): Set<number> {
  const kept = new Set([...slices.keys(), ...damaged.keys()]);
  for (const { startMs } of leaving) kept.delete(startMs);
  for (const [startMs, { revision }] of rebuilt) if (revision === 0) kept.delete(startMs);
  return kept;
}

/** What history has of the window stays known; the rebuilt state is newer than all of it, and is sent. */
function replaceDamaged(state: ShardState, slice: Slice): void {
  slice.storedRevision = state.damaged.get(slice.startMs)?.storedRevision ?? 0;
  slice.emittedRevision = slice.storedRevision;
  state.slices.set(slice.startMs, slice);
}

function entrySum(row: {
  readonly seq: number;
  readonly at_ms: number;
  readonly windows: string;
  readonly stored: string;
  readonly conflicts: string;
}): number {
  return rowChecksum([row.seq, row.at_ms], new TextEncoder().encode(`${row.windows};${row.stored};${row.conflicts}`));
}

function markSum({ seq, atMs, droppedToMs }: Mark, stored: string): number {
  return rowChecksum([seq, atMs, droppedToMs], new TextEncoder().encode(stored));
}

/** Every window of the state that is known to stand in history, but those that leave it. */
function storedOf(state: ShardState, dropped: readonly Slice[]): string {
  const revisions = new Map<number, number>();
  for (const [startMs, { storedRevision }] of [...state.slices, ...state.damaged]) {
    if (storedRevision > 0) revisions.set(startMs, storedRevision);
  }
  for (const { startMs } of dropped) revisions.delete(startMs);
  return storedText(revisions);
}

/** As a row has it: number of the window, a colon, its revision, separated by commas. */
function storedText(revisions: ReadonlyMap<number, number>): string {
  return [...revisions].map(([startMs, revision]) => `${startMs / WINDOW_MS}:${revision}`).join();
}

function storedIn(text: string): [startMs: number, revision: number][] {
  if (text === "") return [];
  return text.split(",").map((entry) => {
    const [window = 0, revision = 0] = entry.split(":").map(Number);
    return [window * WINDOW_MS, revision];
  });
}
