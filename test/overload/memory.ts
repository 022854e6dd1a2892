import { readFileSync } from "node:fs";

const POLL_MS = 500;

/** The largest of each quarter of the time until it is stopped. */
export function watchMemory(pid: number): { stop(): readonly number[] } {
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(residentMb(pid)), POLL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      const quarter = Math.max(1, Math.ceil(samples.length / 4));
      return [0, 1, 2, 3].map((at) => Math.max(0, ...samples.slice(at * quarter, (at + 1) * quarter)));
    },
  };
}

/** Source: proc(5), VmRSS. */
export function residentMb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kb) / 1024);
}
