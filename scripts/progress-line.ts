import { SingleBar } from "cli-progress";

export type ProgressLine = {
  /** `share` is how much is done, 0 to 1; absent when nobody knows. */
  update: (share: number | undefined, text: string) => void;
  /** A sentence about something unusual, such as a retry. */
  note: (text: string) => void;
  end: () => void;
};

/** A bar on a terminal, plain lines every few seconds elsewhere: a bar's control characters spoil a log. */
export function progressLine(stream: NodeJS.WriteStream, nowMs: () => number): ProgressLine {
  return stream.isTTY ? barTo(stream) : linesTo(stream, nowMs);
}

const PER_MILLE = 1000;

function barTo(stream: NodeJS.WriteStream): ProgressLine {
  const bar = new SingleBar({
    stream,
    format: "{bar} {share} | {text}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    // Ctrl-C is for whoever shows progress to handle: there may be answers to wait for.
    gracefulExit: false,
  });
  bar.start(PER_MILLE, 0, { share: "", text: "starting" });
  return {
    update: (share, text) => {
      bar.update(Math.floor((share ?? 0) * PER_MILLE), { share: percent(share), text });
    },
    note: (text) => {
      stream.write(`\r\u001b[K${text}\n`);
      bar.render();
    },
    end: () => bar.stop(),
  };
}

const LINE_EVERY_MS = 5_000;

function linesTo(stream: NodeJS.WritableStream, nowMs: () => number): ProgressLine {
  let lastMs = nowMs();
  return {
    update: (share, text) => {
      if (nowMs() - lastMs < LINE_EVERY_MS) return;
      lastMs = nowMs();
      stream.write(`${[percent(share), text].filter((part) => part !== "").join(" | ")}\n`);
    },
    note: (text) => void stream.write(`${text}\n`),
    end: () => {},
  };
}

function percent(share: number | undefined): string {
  return share === undefined ? "" : `${Math.floor(share * 100)} %`;
}
