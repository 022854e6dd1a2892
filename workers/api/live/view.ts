import type { LiveMessage } from "../../../shared/messages/live.ts";
import { EMPTY_REPORT, mergeReports } from "../../../shared/report.ts";
import { GRACE_MS, isClosed, WINDOW_MS, windowStart } from "../../../shared/window.ts";
import type { MerchantWindow } from "../../../shared/window-row.ts";
import { cutIntoBuckets } from "../calendar.ts";
import { parseInstant } from "../instant.ts";
import type { BucketReport } from "../read-range.ts";

export type Reports = ReadonlyMap<string, BucketReport>;

/** What has to be read beside what shards tell: `[fromMs, toMs)`, empty when the day has just begun. */
export interface EarlierSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a step of the clock changed. */
export interface Turned {
  /** Windows that opened or closed. */
  readonly windows: readonly number[];
  readonly isNewDay: boolean;
}

/**
 * A merchant's open windows and its day so far: windows of the last minutes as shards tell them, whole, and the merge of all before them
 * today, which is read. Pure. What it shows is exact once nothing is stale.
 */
export class LiveView {
  readonly #zone: string;
  /** Empty for all. */
  readonly #currencies: readonly string[];
  readonly #windows = new Map<number, Map<string, MerchantWindow>>();
  #earlier: Map<string, BucketReport> = new Map();
  #dayMs: number;
  /** Windows of today from here on are among `#windows`, those before it in `#earlier`. */
  #earlierToMs: number;
  #open: readonly number[];
  #isStale = true;

  constructor(zone: string, currencies: readonly string[], nowMs: number) {
    this.#zone = zone;
    this.#currencies = currencies;
    this.#dayMs = startOfToday(zone, nowMs);
    this.#earlierToMs = earlierEnd(nowMs);
    this.#open = this.openWindows(nowMs);
  }

  /** Something before what shards tell of has changed, and wants to be read again. */
  get isStale(): boolean {
    return this.#isStale;
  }

  get dayMs(): number {
    return this.#dayMs;
  }

  /** Takes what a shard tells; answers the windows that changed by it. */
  take({ windows, corrected }: LiveMessage): number[] {
    if (corrected) this.#isStale = true;
    const changed = new Set<number>();
    for (const window of windows) {
      const { startMs, currency } = window;
      if (this.#currencies.length > 0 && !this.#currencies.includes(currency)) continue;
      if (startMs < this.#earlierToMs) {
        this.#isStale = true;
        continue;
      }
      const byCurrency = this.#windows.get(startMs) ?? new Map<string, MerchantWindow>();
      this.#windows.set(startMs, byCurrency);
      if (window.revision <= (byCurrency.get(currency)?.revision ?? 0)) continue;
      byCurrency.set(currency, window);
      changed.add(startMs);
    }
    return [...changed];
  }

  /** To be read now, and handed to `setEarlier`. What changes in it from here on makes it stale again. */
  beginReading(): EarlierSpan {
    this.#isStale = false;
    return { fromMs: this.#dayMs, toMs: Math.max(this.#dayMs, this.#earlierToMs) };
  }

  /** Of a span that is not today's any more nothing is taken. */
  setEarlier({ fromMs, toMs }: EarlierSpan, reports: Reports): void {
    if (fromMs !== this.#dayMs || toMs !== Math.max(this.#dayMs, this.#earlierToMs)) this.#isStale = true;
    else this.#earlier = new Map(reports);
  }

  /** The reading failed. */
  failReading(): void {
    this.#isStale = true;
  }

  /** Lets the clock go on: windows open and close, older ones are merged into what was before, a day begins. */
  turn(nowMs: number): Turned {
    const dayMs = startOfToday(this.#zone, nowMs);
    const isNewDay = dayMs !== this.#dayMs;
    if (isNewDay) {
      this.#dayMs = dayMs;
      this.#earlier = new Map();
    }
    const toMs = Math.max(this.#earlierToMs, earlierEnd(nowMs));
    for (const [startMs, byCurrency] of this.#windows) {
      if (startMs >= toMs) continue;
      if (startMs >= this.#dayMs) for (const window of byCurrency.values()) this.#merge(this.#earlier, window);
      this.#windows.delete(startMs);
    }
    this.#earlierToMs = toMs;
    const before = this.#open;
    this.#open = this.openWindows(nowMs);
    const windows = [
      ...before.filter((startMs) => !this.#open.includes(startMs)),
      ...this.#open.filter((startMs) => !before.includes(startMs)),
    ];
    return { windows, isNewDay };
  }

  /** Starts of the windows that events on time may still fall in, and of those ahead that already have some; ascending. */
  openWindows(nowMs: number): number[] {
    const current = windowStart(nowMs);
    const ahead = [...this.#windows.keys()].filter((startMs) => startMs > current).sort((a, b) => a - b);
    return [...(isClosed(current - WINDOW_MS, nowMs) ? [] : [current - WINDOW_MS]), current, ...ahead];
  }

  reportsOf(startMs: number): Reports {
    const reports = new Map<string, BucketReport>();
    for (const window of this.#windows.get(startMs)?.values() ?? []) this.#merge(reports, window);
    return reports;
  }

  today(): Reports {
    const reports = new Map(this.#earlier);
    for (const [startMs, byCurrency] of this.#windows) {
      if (startMs >= this.#dayMs) for (const window of byCurrency.values()) this.#merge(reports, window);
    }
    return reports;
  }

  /** Of all that is shown: two views of the same are of the same id, and what is shown changes with it. */
  id(nowMs: number): string {
    let revisions = 0n;
    for (const byCurrency of this.#windows.values()) {
      for (const { revision } of byCurrency.values()) revisions += BigInt(revision);
    }
    let earlier = 0;
    for (const { revision } of this.#earlier.values()) earlier = Math.max(earlier, revision);
    return `${this.openWindows(nowMs).join("-")}.${earlier}.${revisions}`;
  }

  #merge(reports: Map<string, BucketReport>, { currency, report, revision }: MerchantWindow): void {
    const before = reports.get(currency) ?? { report: EMPTY_REPORT, revision: 0 };
    reports.set(currency, {
      report: mergeReports(before.report, report),
      revision: Math.max(before.revision, revision),
    });
  }
}

/** When the clock next changes what is shown: a window opens, or closes. */
export function nextTurnMs(nowMs: number): number {
  const current = windowStart(nowMs);
  return nowMs < current + GRACE_MS ? current + GRACE_MS : current + WINDOW_MS;
}

/**
 * All but the window before the current one, which may be open, and later ones. A shard tells of one more whole (`liveFromMs`), so that
 * its clock may be ten minutes off.
 */
function earlierEnd(nowMs: number): number {
  return windowStart(nowMs) - WINDOW_MS;
}

/** Of the day in the zone that has begun last, as whole windows have it. */
function startOfToday(zone: string, nowMs: number): number {
  const today = parseInstant("today", zone, nowMs);
  const fromMs = today.ok ? today.value : nowMs;
  const series = cutIntoBuckets({ fromMs, toMs: nowMs + WINDOW_MS, granularity: "1d", zone, bucketsMax: 3 });
  return series.ok ? series.value.fromMs : windowStart(fromMs);
}
