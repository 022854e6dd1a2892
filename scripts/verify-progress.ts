import type { OpenFile } from "./open-file.ts";
import { type ProgressLine, progressLine } from "./progress-line.ts";

/** Does what takes long with a line that tells how far it is, which has gone when it is done: what was found is printed then. */
export async function withProgress<T>(work: (line: ProgressLine) => Promise<T>): Promise<T> {
  const line = progressLine(process.stderr, Date.now);
  try {
    return await work(line);
  } finally {
    line.end();
  }
}

/** The content of a file. The line is told how much of it was read. */
export async function* readingOf(
  { chunks, readBytes, totalBytes }: Pick<OpenFile, "chunks" | "readBytes" | "totalBytes">,
  line: Pick<ProgressLine, "update">,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    line.update(totalBytes === undefined ? undefined : readBytes() / totalBytes, "reading the file");
    yield chunk;
  }
}

/** For `servedMetrics`, which asks merchant by merchant: minutes for a year of some. */
export function askingOf(merchants: number, line: Pick<ProgressLine, "update">) {
  return (merchant: number, share: number) => line.update(share, `API: merchant ${merchant} of ${merchants}`);
}
