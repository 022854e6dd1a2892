import { z } from "zod";
import { WINDOW_MS } from "../../shared/window.ts";
import { rowChecksum } from "./checksum.ts";
import { DamagedWindow } from "./damage.ts";
import { filterWords, IdFilter } from "./id-filter.ts";
import { IdSet } from "./id-set.ts";
import { type PackedRun, packRuns, partsOf, type RunHead, SealedRun } from "./sealed-run.ts";

/** Runs of one window; what it has beyond them stays in memory, and in its pages. */
export const RUNS_PER_SLICE_MAX = 256;
/** Rows of one run. */
const ROWS_PER_RUN_MAX = 128;
/** The row of the filter, after those of the parts. */
const FILTER = ROWS_PER_RUN_MAX - 1;

const rowSchema = z.object({ sum: z.int(), data: z.instanceof(ArrayBuffer) });

/** The table `sealed`: identities of large windows, by window, run and part (`docs/storage.md`). A row is written once and read when an event asks. */
export class SealedStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS sealed (id INTEGER PRIMARY KEY, sum INTEGER NOT NULL, data BLOB NOT NULL)");
  }

  /** Writes a set's words as runs of a window, from the number `first` on, in the place of any that an earlier state of it has left there. */
  write(startMs: number, first: number, words: Uint32Array, revision: number): SealedRun[] {
    const runs: SealedRun[] = [];
    for (const packed of packRuns(words, revision)) {
      const run = first + runs.length;
      this.#writeRun(startMs, run, packed);
      runs.push(this.#run(startMs, run, packed.head, packed.filter));
    }
    this.delete(startMs, first + runs.length);
    return runs;
  }

  /** A window's runs. Throws when one of them is not what was written. */
  open(startMs: number, heads: readonly RunHead[]): SealedRun[] {
    return heads.map((head, run) => {
      const words = new Uint32Array(this.#read(startMs, run, FILTER, head));
      if (words.length !== filterWords(head.events)) throw new Error("a filter is of another size");
      return this.#run(startMs, run, head, new IdFilter(words));
    });
  }

  /** Deletes a window's runs, from a number on. */
  delete(startMs: number, fromRun = 0): void {
    this.#sql.exec(
      "DELETE FROM sealed WHERE id >= ? AND id < ?",
      idOf(startMs, fromRun),
      idOf(startMs, RUNS_PER_SLICE_MAX),
    );
  }

  #run(startMs: number, run: number, head: RunHead, filter: IdFilter): SealedRun {
    return new SealedRun(head, filter, (part) => {
      try {
        return IdSet.fromSlots(new Uint32Array(this.#read(startMs, run, part, head)));
      } catch (cause) {
        throw new DamagedWindow(startMs, { cause });
      }
    });
  }

  #writeRun(startMs: number, run: number, { head, filter, parts }: PackedRun): void {
    const write = (part: number, { buffer }: Uint32Array<ArrayBuffer>) => {
      const id = idOf(startMs, run, part);
      const sum = rowChecksum([id, head.revision], new Uint8Array(buffer));
      this.#sql.exec("INSERT OR REPLACE INTO sealed (id, sum, data) VALUES (?, ?, ?)", id, sum, buffer);
    };
    for (const [part, ids] of parts.entries()) write(part, ids.slots);
    write(FILTER, filter.words);
  }

  #read(startMs: number, run: number, part: number, { events, revision }: RunHead): ArrayBuffer {
    if (part !== FILTER && part >= partsOf(events)) throw new Error(`no part ${part} of ${events} events`);
    const id = idOf(startMs, run, part);
    const { sum, data } = rowSchema.parse(this.#sql.exec("SELECT sum, data FROM sealed WHERE id = ?", id).toArray()[0]);
    if (sum !== rowChecksum([id, revision], new Uint8Array(data)))
      throw new Error(`sealed identities ${id} are damaged`);
    return data;
  }
}

function idOf(startMs: number, run: number, part = 0): number {
  return ((startMs / WINDOW_MS) * RUNS_PER_SLICE_MAX + run) * ROWS_PER_RUN_MAX + part;
}
