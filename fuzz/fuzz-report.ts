import type { Fault, FuzzReport } from "./fuzz-run.ts";

/** For people: what was sent and answered, and each fault with the command that repeats it. */
export function describeReport(report: FuzzReport): string {
  const { seed, first, cases, seconds, statuses, codes, serverErrors, slowestMs, memoryMb, faults, faultCount } =
    report;
  const listed = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  return [
    ...faults.map((fault) => describeFault(fault, seed)),
    `${cases} cases from ${first} of seed ${seed} in ${seconds} s`,
    `answers    ${listed(statuses)}`,
    `problems   ${listed(codes)}`,
    `5xx        ${serverErrors}, the slowest answer after ${slowestMs} ms`,
    `memory     ${memoryMb.first} MB at first, ${memoryMb.last} MB at last, grown by ${memoryMb.growth} MB`,
    `events     ${report.archivedEvents} archived, as their receipts say; ${report.countedEvents} counted`,
    faultCount === 0 ? "nothing found" : `${faultCount} faults`,
    "",
  ].join("\n");
}

function describeFault({ index, request, what, answer }: Fault, seed: number): string {
  if (index < 0) return `FAULT ${what}\n`;
  return `FAULT ${what}\n  ${request}\n  ${answer}\n  npm run fuzz -- --seed ${seed} --case ${index}\n`;
}
