import { readFileSync } from "node:fs";

/** `/proc/<pid>/stat` counts in ticks of a hundredth of a second: USER_HZ, the same on every Linux machine (proc(5), time(7)). */
const TICK_US = 10_000;

/**
 * CPU time a process has used so far in all its threads, in user and in system mode, in microseconds; exact to 10 ms.
 * Source: proc(5), fields 14 and 15. Throws when there is no such process, or no /proc.
 */
export function cpuTimeUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in brackets, which may itself have blanks and brackets.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [utime, stime] = [Number(fields[11]), Number(fields[12])];
  if (!Number.isSafeInteger(utime) || !Number.isSafeInteger(stime)) throw new Error(`/proc/${pid}/stat reads: ${stat}`);
  return (utime + stime) * TICK_US;
}
