import { readFile } from "node:fs/promises";

/** Resident memory of a process in megabytes; not a number where the system does not say (it is Linux that does). */
export async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024);
}

/** Memory is taken to have grown when the last fifth of a run has, at its least, so much more than the second fifth had at its most. */
export const GROWTH_MB_MAX = 256;

/**
 * Megabytes by which a run has grown, from samples at even distances: the least of the last fifth less the most of the second. A garbage collector
 * lets memory swing, and the first fifth fills caches; what leaks is there at the lowest points too. 0 with fewer than ten samples.
 */
export function growthMb(samples: readonly number[]): number {
  if (samples.length < 10) return 0;
  const fifth = Math.floor(samples.length / 5);
  return Math.min(...samples.slice(-fifth)) - Math.max(...samples.slice(fifth, 2 * fifth));
}
