import { SingleBar } from "cli-progress";
import type { LoadSummary } from "./load-summary.ts";

export type Progress = {
  /** `share` is how much of the file was read, 0 to 1; absent for a pipe, whose length nobody knows. */
  update: (summary: Readonly<LoadSummary>, share: number | undefined) => void;
  /** A sentence about something unusual, such as a retry. */
  note: (text: string) => void;
  end: () => void;
};

/** A bar on a terminal, plain lines every few seconds elsewhere: a bar's control characters spoil a log. */
export function progressTo(stream: NodeJS.WriteStream, nowMs: () => number): Progress {
  return stream.isTTY ? barTo(stream) : linesTo(stream, nowMs);
}

const PER_MILLE = 1000;

function barTo(stream: NodeJS.WriteStream): Progress {
  const bar = new SingleBar({
    stream,
    format: "{bar} {share} | {counts}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    // Ctrl-C is the loader's to handle: it still has receipts to wait for.
    gracefulExit: false,
  });
  bar.start(PER_MILLE, 0, { share: "", counts: "starting" });
  return {
    update: (summary, share) => {
      bar.update(Math.floor((share ?? 0) * PER_MILLE), { share: percent(share), counts: counts(summary) });
    },
    note: (text) => {
      stream.write(`\r\u001b[K${text}\n`);
      bar.render();
    },
    end: () => bar.stop(),
  };
}

const LINE_EVERY_MS = 5_000;

function linesTo(stream: NodeJS.WritableStream, nowMs: () => number): Progress {
  let lastMs = nowMs();
  return {
    update: (summary, share) => {
      if (nowMs() - lastMs < LINE_EVERY_MS) return;
      lastMs = nowMs();
      stream.write(`${[percent(share), counts(summary)].filter((part) => part !== "").join(" | ")}\n`);
    },
    note: (text) => void stream.write(`${text}\n`),
    end: () => {},
  };
}

function percent(share: number | undefined): string {
  return share === undefined ? "" : `${Math.floor(share * 100)} %`;
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
