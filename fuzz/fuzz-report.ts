import type { Fault, FuzzReport } from "./fuzz-run.ts";
import { WARM_UP_CASES } from "./memory.ts";

/** For people: what was sent and answered, and each fault with the command that repeats it. */
export function describeReport(report: FuzzReport): string {
  const {
    seed,
    first,
    cases,
    brokenOff,
    seconds,
    statuses,
    codes,
    serverErrors,
    tablesBrokenOff,
    slowestMs,
    memoryMb,
    heapMb,
    faults,
    faultCount,
  } = report;
  const listed = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  return [
    ...faults.map((fault) => describeFault(fault, seed)),
    `${cases} cases from ${first} of seed ${seed} in ${seconds} s${brokenOff ? ": broken off, the others were not sent" : ""}`,
    `answers    ${listed(statuses)}`,
    `problems   ${listed(codes)}`,
    `5xx        ${serverErrors}, the slowest answer after ${slowestMs} ms; ${tablesBrokenOff} tables broken off for want of time`,
    memoryMb.samples.length === 0
      ? "memory     not looked at yet"
      : `memory     ${memoryMb.first} MB at first, ${memoryMb.last} MB at last, of the process; heaps ${heapMb.first} MB, ${heapMb.last} MB, ${grownBy(heapMb.growth)}`,
    `events     ${report.archivedEvents} archived, as their receipts say; ${report.countedEvents} counted`,
    faultCount === 0 ? `nothing found${brokenOff ? " so far" : ""}` : `${faultCount} faults`,
    "",
  ].join("\n");
}

function grownBy(growthMb: number | null): string {
  if (growthMb === null) return `too few cases to tell growth: the first ${WARM_UP_CASES} fill caches`;
  return `grown by ${growthMb} MB`;
}

function describeFault({ index, request, what, answer }: Fault, seed: number): string {
  if (index < 0) return `FAULT ${what}\n`;
  return `FAULT ${what}\n  ${request}\n  ${answer}\n  npm run fuzz -- --seed ${seed} --case ${index}\n`;
}
