import { ReportCounter } from "../../shared/report.ts";
import type { MerchantWindow } from "../../shared/window-row.ts";
import { IdSet } from "./id-set.ts";

/** One merchant's counters in one currency, and the revision of their last change. */
interface Entry {
  readonly counter: ReportCounter;
  revision: number;
}

/** Everything a shard knows of one ten-minute window: the events it has seen and what they add up to, by merchant. */
export class Slice {
  readonly startMs: number;
  ids: IdSet;
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
  readonly #merchants = new Map<string, Map<string, Entry>>();

  constructor(startMs: number, ids = new IdSet()) {
    this.startMs = startMs;
    this.ids = ids;
  }

  /** The counters of a merchant and currency, made if need be, marked as changed by `revision`. */
  touch(merchantId: string, currency: string, revision: number): ReportCounter {
    let currencies = this.#merchants.get(merchantId);
    if (currencies === undefined) {
      currencies = new Map();
      this.#merchants.set(merchantId, currencies);
    }
    let entry = currencies.get(currency);
    if (entry === undefined) {
      entry = { counter: new ReportCounter(), revision };
      currencies.set(currency, entry);
    }
    entry.revision = revision;
    this.revision = revision;
    this.dirtySinceMs ??= revision;
    return entry.counter;
  }

  /** Puts back what `windows()` gave. */
  restore({ merchantId, currency, revision, report }: MerchantWindow): void {
    const currencies = this.#merchants.get(merchantId) ?? new Map<string, Entry>();
    currencies.set(currency, { counter: new ReportCounter(report), revision });
    this.#merchants.set(merchantId, currencies);
  }

  /** The windows changed after `revision`, all of them by default. */
  *windows(afterRevision = -1): Generator<MerchantWindow> {
    for (const merchantId of this.#merchants.keys()) yield* this.windowsOf(merchantId, afterRevision);
  }

  /** One merchant's windows, a currency each. A report is only made of those asked for: a correction is one among thousands. */
  *windowsOf(merchantId: string, afterRevision = -1): Generator<MerchantWindow> {
    for (const [currency, { counter, revision }] of this.#merchants.get(merchantId) ?? []) {
      if (revision <= afterRevision) continue;
      yield { merchantId, currency, startMs: this.startMs, revision, report: counter.report() };
    }
  }

  get merchants(): number {
    return this.#merchants.size;
  }
}
