import type { LoadSummary } from "./load-summary.ts";
import { type ProgressLine, progressLine } from "./progress-line.ts";

export type Progress = Pick<ProgressLine, "note" | "end"> & {
  /** `share` is how much of the file was read, 0 to 1; absent for a pipe, whose length nobody knows. */
  update: (summary: Readonly<LoadSummary>, share: number | undefined) => void;
};

export function progressTo(stream: NodeJS.WriteStream, nowMs: () => number): Progress {
  const line = progressLine(stream, nowMs);
  return { ...line, update: (summary, share) => line.update(share, counts(summary)) };
}

function counts(summary: Readonly<LoadSummary>): string {
  const { events, events_per_second, duplicates, rejected, retries, failed_batches } = summary;
  const unusual = { duplicates, rejected, retries, "failed batches": failed_batches };
  return [
    `${grouped(events)} events`,
    `${grouped(events_per_second)}/s`,
    ...Object.entries(unusual).flatMap(([name, count]) => (count > 0 ? [`${grouped(count)} ${name}`] : [])),
  ].join(" | ");
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
