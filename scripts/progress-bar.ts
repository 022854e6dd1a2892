import { SingleBar } from "cli-progress";

/** On a terminal only: control characters spoil a log. */
export function progressBar(total: number, unit: string): SingleBar | undefined {
  if (!process.stderr.isTTY) return undefined;
  const format = `{bar} {value} of {total} ${unit} | {eta_formatted} left`;
  const bar = new SingleBar({
    stream: process.stderr,
    format,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
  });
  bar.start(total, 0);
  return bar;
}
