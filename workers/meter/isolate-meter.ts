import type { Meter } from "../aggregate/meter.ts";
import { startDeadline } from "../deadline.ts";
import { log } from "../log.ts";
import type { Delta } from "./delta.ts";
import {
  COUNTERS,
  type CounterName,
  HISTOGRAMS,
  type HistogramName,
  type HistogramSpec,
  PEAKS,
  type PeakName,
  seriesKey,
} from "./series.ts";

/** Binds the meters; a Worker without them counts nothing. */
export interface MeterEnv {
  readonly METER?: DurableObjectNamespace<Meter>;
}

/** One object takes some thousand calls a second; an isolate tells the same one of them for as long as it lives. */
export const METERS = 4;
/** What an isolate counts within this is told in one call. */
export const FLUSH_DELAY_MS = 5_000;
/** After which a call that was to be made is given up: whoever waited to make it has died. */
const FLUSH_LOST_MS = 30_000;
const TELL_TIMEOUT_MS = 2_000;

export function meterName(meter: number): string {
  return `meter-${meter}`;
}

/** What was counted of one series since it was last told: counting is an addition. */
export interface Cell {
  value: number;
}

export interface HistogramCells {
  readonly bounds: readonly number[];
  /** One more than bounds. */
  readonly buckets: readonly Cell[];
  readonly sum: Cell;
}

/**
 * What this isolate has counted and not yet told. In memory alone, so that counting costs an event nothing: an isolate that dies takes some seconds of it
 * along. Figures of operation may be too low by that, and never too high; no figure of a merchant is made of them.
 */
export class IsolateMeter {
  #counts = new Map<string, number>();
  #peaks = new Map<string, number>();
  /** Keys of each histogram, made once. */
  readonly #histograms = new Map<string, { readonly buckets: readonly string[]; readonly sum: string }>();
  readonly #cells = new Map<string, Cell>();
  #meter: number | undefined;
  /** When what waits is told, or would have been. */
  #dueMs = 0;

  /** `values` of the labels, in their order. */
  count(name: CounterName, by: number, ...values: string[]): void {
    if (by > 0) this.#add(seriesKey(name, COUNTERS[name], values), by);
  }

  observe(name: HistogramName, seconds: number, ...values: string[]): void {
    const spec: HistogramSpec = HISTOGRAMS[name];
    const { buckets, sum } = this.#keysOf(seriesKey(name, spec, values), spec);
    const bucket = spec.bounds.findIndex((bound) => seconds <= bound);
    this.#add(buckets[bucket < 0 ? spec.bounds.length : bucket] ?? sum, 1);
    this.#add(sum, Math.max(0, seconds));
  }

  /** A counter for what happens with every request: asked for once, when a module is loaded, since its key is what counting costs. */
  cell(name: CounterName, ...values: string[]): Cell {
    return this.#cellOf(seriesKey(name, COUNTERS[name], values));
  }

  /** The same of a histogram. */
  cells(name: HistogramName, ...values: string[]): HistogramCells {
    const spec: HistogramSpec = HISTOGRAMS[name];
    const { buckets, sum } = this.#keysOf(seriesKey(name, spec, values), spec);
    return { bounds: spec.bounds, buckets: buckets.map((key) => this.#cellOf(key)), sum: this.#cellOf(sum) };
  }

  peak(name: PeakName, value: number, ...values: string[]): void {
    const key = seriesKey(name, PEAKS[name], values);
    this.#peaks.set(key, Math.max(value, this.#peaks.get(key) ?? 0));
  }

  /** Has what was counted told in some seconds, with what comes until then. `waitUntil` keeps the request's context until it is. */
  flushLater(env: MeterEnv, waitUntil: (work: Promise<unknown>) => void, nowMs: number): void {
    if (env.METER === undefined || nowMs < this.#dueMs + FLUSH_LOST_MS) return;
    this.#dueMs = nowMs + FLUSH_DELAY_MS;
    waitUntil(new Promise((resolve) => setTimeout(resolve, FLUSH_DELAY_MS)).then(() => this.flush(env)));
  }

  /** Tells what was counted. What cannot be told is forgotten: told again, it might be counted twice. */
  async flush({ METER }: MeterEnv): Promise<void> {
    this.#dueMs = 0;
    for (const [key, cell] of this.#cells) {
      if (cell.value > 0) this.#add(key, cell.value);
      cell.value = 0;
    }
    if (METER === undefined || this.#counts.size + this.#peaks.size === 0) return;
    const delta: Delta = { counts: Object.fromEntries(this.#counts), peaks: Object.fromEntries(this.#peaks) };
    this.#counts = new Map();
    this.#peaks = new Map();
    this.#meter ??= Math.floor(Math.random() * METERS);
    const deadline = startDeadline(TELL_TIMEOUT_MS);
    try {
      await Promise.race([METER.get(METER.idFromName(meterName(this.#meter))).add(delta), deadline.passing]);
    } catch (error) {
      log("warn", "metrics lost", { meter: this.#meter, error });
    } finally {
      deadline.cancel();
    }
  }

  #keysOf(key: string, { bounds }: HistogramSpec): { readonly buckets: readonly string[]; readonly sum: string } {
    let keys = this.#histograms.get(key);
    if (keys === undefined) {
      keys = { buckets: Array.from({ length: bounds.length + 1 }, (_, at) => `${key}/${at}`), sum: `${key}/sum` };
      this.#histograms.set(key, keys);
    }
    return keys;
  }

  #cellOf(key: string): Cell {
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const cell = { value: 0 };
    this.#cells.set(key, cell);
    return cell;
  }

  #add(key: string, by: number): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + by);
  }
}

/** This isolate's. */
export const isolateMeter = new IsolateMeter();
