import { readFile } from "node:fs/promises";

/** Resident memory of a process in megabytes; not a number where the system does not say (it is Linux that does). */
export async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024);
}

/**
 * The Workers are taken to have grown when their heaps have, in the last quarter of a run, at the least, so much more than in the first at the most; what came before is
 * no part of it. Shards rightly hold the windows of what was sent. The process they are in grows by more than a gigabyte, which is the local services', not theirs.
 */
export const GROWTH_MB_MAX = 64;
/**
 * The process may grow by so much in the same time: the local services' share, which ends at some 1.5 GB, differs from run to run (63 to 321 MB of 100,000 cases). A leak
 * of native memory, 7 KB a case, is more.
 */
export const PROCESS_GROWTH_MB_MAX = 512;
/** While so many cases are sent, caches fill: shorter runs tell nothing of growth. */
export const WARM_UP_CASES = 20_000;
/** After that. */
const SAMPLES_MIN = 10;

/**
 * Megabytes by which a run has grown, from samples at even distances of so many cases: the least of the last quarter less the most of the first, after the warm-up.
 * A garbage collector lets memory swing; what leaks is there at the lowest points too. `null` when the run was too short to tell.
 */
export function growthMb(samples: readonly number[], casesASample: number): number | null {
  const warm = samples.slice(Math.ceil(WARM_UP_CASES / casesASample));
  if (warm.length < SAMPLES_MIN) return null;
  const quarter = Math.floor(warm.length / 4);
  return Math.min(...warm.slice(-quarter)) - Math.max(...warm.slice(0, quarter));
}
