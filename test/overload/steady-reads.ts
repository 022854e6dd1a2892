import type { LocalSystem } from "../../scripts/local-system.ts";
import { sleep } from "../../scripts/sleep.ts";
import { HOUR_MS, windowStart } from "../../shared/window.ts";

const READS_PER_SECOND = 5;

export interface SteadyReads {
  /** Milliseconds of each read. */
  stop(): Promise<readonly number[]>;
}

export interface Reading {
  readonly system: LocalSystem;
  readonly key: string;
  /** Epoch ms. */
  readonly sinceMs: number;
}

/** Reads the last hours of a merchant at a steady pace, past all caches. Throws, when it is stopped, if a read failed. */
export function readSteadily(reading: Reading, merchant: string): SteadyReads {
  const stop = new AbortController();
  const ms: number[] = [];
  const run = async () => {
    while (!stop.signal.aborted) {
      const beganMs = performance.now();
      await countOf(reading, merchant);
      ms.push(performance.now() - beganMs);
      await sleep(1000 / READS_PER_SECOND, stop.signal);
    }
  };
  const running = run();
  // Whoever stops it hears of it; until then nobody does.
  running.catch(() => {});
  return {
    stop: async () => {
      stop.abort();
      await running;
      return ms;
    },
  };
}

interface Metrics {
  readonly series: readonly { readonly total: { readonly payments: { readonly count: number } } }[];
}

/** Payments of a merchant. */
export async function countOf({ system, key, sinceMs }: Reading, merchant: string): Promise<number> {
  const path = metricsPath(merchant, sinceMs);
  const headers = { Authorization: `Bearer ${key}`, "Cache-Control": "no-cache" };
  const response = await fetch(`${system.runtime.apiUrl}${path}`, { headers });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  const { series } = (await response.json()) as Metrics;
  return series[0]?.total.payments.count ?? 0;
}

/** From an hour before `sinceMs` on, whatever the clock says when it is asked: a flood may take an hour. */
export function metricsPath(merchant: string, sinceMs: number): string {
  return `/v1/merchants/${merchant}/metrics?from=${windowStart(sinceMs - HOUR_MS)}&granularity=10m&currency=JPY`;
}
