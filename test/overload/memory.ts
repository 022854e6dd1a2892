import { readFileSync } from "node:fs";

const POLL_MS = 500;

/** Of some processes together, the largest of each quarter of the time until it is stopped. */
export function watchMemory(pids: readonly number[]): { stop(): readonly number[] } {
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(residentMb(pids)), POLL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      const quarter = Math.max(1, Math.ceil(samples.length / 4));
      return [0, 1, 2, 3].map((at) => Math.max(0, ...samples.slice(at * quarter, (at + 1) * quarter)));
    },
  };
}

/** Source: proc(5), VmRSS. */
export function residentMb(pids: readonly number[]): number {
  const kb = pids.map((pid) => /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  return Math.round(kb.reduce((sum, one) => sum + Number(one), 0) / 1024);
}
