import type { EventBatch } from "../../shared/event-batch.ts";
import type { MerchantWindow } from "../../shared/window-row.ts";
import { IdSet } from "./id-set.ts";
import { WindowTable } from "./window-table.ts";

/** Everything a shard knows of one ten-minute window: the events it has seen and what they add up to, by merchant. */
export class Slice {
  readonly startMs: number;
  readonly ids: IdSet;
  readonly table: WindowTable;
  /** Revision of the last change to any of its merchants; 0 before the first. */
  revision = 0;
  /** Changes up to here have been sent to history. Kept in memory only: after a restart they are sent again, which is harmless. */
  emittedRevision = 0;
  /** Changes up to here are known to stand in history. */
  storedRevision = 0;
  /** Changes up to here are in checkpoint pages. */
  pagedRevision = 0;
  /** When the oldest change not yet emitted was made, in epoch milliseconds. */
  dirtySinceMs: number | undefined;

  constructor(startMs: number, ids = new IdSet(), table = new WindowTable()) {
    this.startMs = startMs;
    this.ids = ids;
    this.table = table;
  }

  /** Counts an event of a batch; its merchant's window changes under `revision` by it. */
  count(batch: EventBatch, i: number, revision: number): void {
    this.table.add(batch, i, revision);
    this.revision = revision;
    this.dirtySinceMs ??= revision;
  }

  /** The windows changed after `revision`, all of them by default. A report is only made of those: a correction is one among thousands. */
  windows(afterRevision = -1): Generator<MerchantWindow> {
    return this.table.windows(this.startMs, afterRevision);
  }

  /** How many windows changed after `revision`. */
  changes(afterRevision: number): number {
    return this.table.changes(afterRevision);
  }

  /** One merchant's windows, a currency each. */
  windowsOf(merchantId: string): Generator<MerchantWindow> {
    return this.table.windowsOf(this.startMs, merchantId);
  }
}
