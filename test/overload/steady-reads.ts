import type { LocalSystem } from "../../scripts/local-system.ts";
import { sleep } from "../../scripts/sleep.ts";
import { windowStart } from "../../shared/window.ts";

const READS_PER_SECOND = 5;

export interface SteadyReads {
  /** Milliseconds of each read. */
  stop(): Promise<readonly number[]>;
}

/** Reads today of a merchant at a steady pace, past all caches. Throws, when it is stopped, if a read failed. */
export function readSteadily(system: LocalSystem, key: string, merchant: string): SteadyReads {
  const stop = new AbortController();
  const ms: number[] = [];
  const run = async () => {
    while (!stop.signal.aborted) {
      const beganMs = performance.now();
      await countOf(system, key, merchant);
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

/** Payments of a merchant in the last hour and a bit. */
export async function countOf({ runtime }: LocalSystem, key: string, merchant: string): Promise<number> {
  const path = `/v1/merchants/${merchant}/metrics?from=${windowStart(Date.now() - 3_600_000)}&granularity=10m&currency=JPY`;
  const headers = { Authorization: `Bearer ${key}`, "Cache-Control": "no-cache" };
  const response = await fetch(`${runtime.apiUrl}${path}`, { headers });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  const { series } = (await response.json()) as Metrics;
  return series[0]?.total.payments.count ?? 0;
}
