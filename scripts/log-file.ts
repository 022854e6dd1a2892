import { mkdir, open, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { WorkerdStructuredLog } from "miniflare";

/** A log larger than this is set aside as `.old` at the next start. */
const LOG_BYTES_MAX = 20_000_000;

export interface LogFile {
  write(log: WorkerdStructuredLog): void;
  close(): Promise<void>;
}

/** Keeps what the Workers log, one line each, so that the terminal stays readable. */
export async function logToFile(path: string): Promise<LogFile> {
  await mkdir(dirname(path), { recursive: true });
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_BYTES_MAX) await rename(path, `${path}.old`);
  const stream = (await open(path, "a")).createWriteStream();
  return {
    write: ({ timestamp, level, message }) => {
      stream.write(`${new Date(timestamp).toISOString()} ${level} ${message}\n`);
    },
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}
