import type { EventBatch } from "../../shared/event-batch.ts";
import type { MerchantWindow } from "../../shared/window-row.ts";
import { Identities } from "./identities.ts";
import { WindowTable } from "./window-table.ts";

/** The events a slice has seen, and what they add up to. */
export interface SliceContents {
  readonly ids: Identities;
  readonly table: WindowTable;
}

/** The contents of a slice while they are not in memory. Reading them throws `DamagedWindow` when they are not what was written. */
export interface SlicePages {
  contents(): SliceContents;
  /** The windows alone: most of the work is the identity set, which only an event needs. */
  table(): WindowTable;
  /** What the contents take in memory. */
  readonly bytes: number;
  /** How many merchants' windows there are. */
  readonly windows: number;
}

/**
 * Everything a shard knows of one ten-minute window: the events it has seen and what they add up to, by merchant. Its contents are in
 * memory, or paged out and brought back when an event asks for them; no answer depends on which.
 */
export class Slice {
  readonly startMs: number;
  /** Revision of the last change to any of its merchants; 0 before the first. */
  revision = 0;
  /** Changes up to here have been sent to history. Kept in memory only: after a restart they are sent again, which is harmless. */
  emittedRevision = 0;
  /** Changes up to here are known to stand in history. */
  storedRevision = 0;
  /** Changes up to here are in checkpoint pages. */
  pagedRevision = 0;
  /** Moment of its first event; 0 for a slice that was read from pages. */
  firstAtMs = 0;
  /** When the oldest change not yet emitted was made, in epoch milliseconds. */
  dirtySinceMs: number | undefined;
  /** Moment of the last batch that needed it: the slice unused for longest is paged out first. */
  usedAtMs = 0;
  /** One of the two is there. */
  #contents: SliceContents | undefined;
  #pages: SlicePages | undefined;
  #measured = { revision: -1, bytes: 0 };

  constructor(startMs: number, ids = new Identities(), table = new WindowTable()) {
    this.startMs = startMs;
    this.#contents = { ids, table };
  }

  /** A slice whose contents are in these pages. */
  static pagedOut(startMs: number, revision: number, pages: SlicePages): Slice {
    const slice = new Slice(startMs);
    slice.revision = revision;
    slice.pagedRevision = revision;
    slice.pageOut(pages);
    return slice;
  }

  get ids(): Identities {
    return this.bringBack().ids;
  }

  get table(): WindowTable {
    return this.bringBack().table;
  }

  get isResident(): boolean {
    return this.#contents !== undefined;
  }

  /** What its contents take in memory, or would. */
  get bytes(): number {
    if (this.#contents === undefined) return this.#pages?.bytes ?? 0;
    // A shard adds this up for each batch, and most of its slices have not changed.
    if (this.#measured.revision !== this.revision) {
      const bytes = this.#contents.ids.byteLength + this.#contents.table.byteLength;
      this.#measured = { revision: this.revision, bytes };
    }
    return this.#measured.bytes;
  }

  /** The contents, read from their pages if need be. Throws `DamagedWindow`; the slice is as it was then. */
  bringBack(): SliceContents {
    if (this.#contents === undefined) {
      if (this.#pages === undefined) throw new Error("a slice has neither contents nor pages");
      this.#contents = this.#pages.contents();
      this.#pages = undefined;
      this.#measured.revision = -1;
    }
    return this.#contents;
  }

  /** Takes the same identities as they stand in its pages now: some of them sealed. */
  takeStored(ids: Identities): void {
    const { table } = this.bringBack();
    this.#contents = { ids, table };
    this.#measured.revision = -1;
  }

  /** Lets go of the contents, which must be in these pages to the last change. */
  pageOut(pages: SlicePages): void {
    if (this.pagedRevision !== this.revision) throw new Error("a slice with changes cannot be paged out");
    this.#pages = pages;
    this.#contents = undefined;
  }

  /** Counts an event of a batch; its merchant's window changes under `revision` by it. */
  count(batch: EventBatch, i: number, revision: number): void {
    this.table.add(batch, i, revision);
    if (this.revision === 0) this.firstAtMs = revision;
    this.revision = revision;
    this.dirtySinceMs ??= revision;
  }

  /**
   * The windows changed after `revision`, all of them by default. A report is only made of those: a correction is one among thousands.
   * A slice that is paged out stays so.
   */
  *windows(afterRevision = -1): Generator<MerchantWindow> {
    yield* this.#readable().windows(this.startMs, afterRevision);
  }

  /** How many windows changed after `revision`; of a slice that is paged out, how many there are, which is not less. */
  changes(afterRevision: number): number {
    return this.#pages?.windows ?? this.table.changes(afterRevision);
  }

  /** One merchant's windows, a currency each. A slice that is paged out stays so. */
  windowsOf(merchantId: string): Generator<MerchantWindow> {
    return this.#readable().windowsOf(this.startMs, merchantId);
  }

  /** Revision of the last change to a merchant's windows; of a slice that is paged out, to anybody's, which takes no page to be read. */
  revisionOf(merchantId: string): number {
    return this.#contents === undefined ? this.revision : this.#contents.table.revisionOf(merchantId);
  }

  #readable(): WindowTable {
    return this.#pages?.table() ?? this.table;
  }
}
