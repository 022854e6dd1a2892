import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { eventLines } from "./csv-events.ts";
import { failureText } from "./failure-text.ts";
import { loadEvents } from "./load-events.ts";
import { HELP, type LoadCommand, parseLoadCommand } from "./load-options.ts";
import { progressTo } from "./load-progress.ts";
import { exitCode, loadReport } from "./load-report.ts";
import type { LineError } from "./load-summary.ts";
import { ndjsonBatches } from "./ndjson-batches.ts";
import { openFile } from "./open-file.ts";
import { sleep } from "./sleep.ts";

/** After Ctrl-C no new request is begun; those under way have this long to be answered, so that the sums are right. */
const STOP_GRACE_MS = 5_000;
/** Retries come in swarms when a server is away: at most one note in this time. */
const NOTE_EVERY_MS = 5_000;

async function main(): Promise<number> {
  const parsed = parseLoadCommand(process.argv.slice(2), process.env);
  if ("help" in parsed) {
    process.stdout.write(HELP);
    return 0;
  }
  if ("wrong" in parsed) {
    process.stderr.write(`${parsed.wrong}\nnpm run load -- --help says more.\n`);
    return 2;
  }
  try {
    return await load(parsed.command);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

async function load(command: LoadCommand): Promise<number> {
  const file = await openFile(command.file);
  const errors = command.errorsFile === undefined ? undefined : await openErrors(command.errorsFile);
  const progress = progressTo(process.stderr, Date.now);
  const { stop, abort } = stopOnSignals(() => {
    progress.note("stopping: waiting for the answers under way; Ctrl-C again does not wait");
    file.close();
  });
  const noteDropped = (columns: readonly string[]) =>
    progress.note(`columns that an event does not have are dropped: ${columns.join(", ")}`);
  let notedMs = 0;
  const summary = await loadEvents(
    ndjsonBatches(eventLines(file.chunks, noteDropped), { eventsMax: command.batchEvents }),
    {
      target: { url: command.url, key: command.key, async: command.async },
      concurrency: command.concurrency,
      gzip: command.gzip,
    },
    {
      fetch,
      sleep,
      random: Math.random,
      nowMs: Date.now,
      stop,
      abort,
      onProgress: (sums) =>
        progress.update(sums, file.totalBytes === undefined ? undefined : file.readBytes() / file.totalBytes),
      onRetry: ({ attempt, waitMs, why }) => {
        if (Date.now() - notedMs < NOTE_EVERY_MS) return;
        notedMs = Date.now();
        progress.note(`try ${attempt} failed, again in ${(waitMs / 1000).toFixed(1)} s: ${why}`);
      },
      onErrors: async (lineErrors) => {
        await errors?.write(lineErrors);
      },
    },
  ).finally(() => progress.end());
  file.close();
  await errors?.close();
  process.stdout.write(command.json ? `${JSON.stringify(summary)}\n` : loadReport(summary, command.file));
  return exitCode(summary);
}

/** The first Ctrl-C lets requests under way finish, a second one, or `STOP_GRACE_MS`, cuts them off. */
function stopOnSignals(onStop: () => void): { stop: AbortSignal; abort: AbortSignal } {
  const stop = new AbortController();
  const abort = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) return abort.abort();
    stop.abort();
    onStop();
    setTimeout(() => abort.abort(), STOP_GRACE_MS).unref();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return { stop: stop.signal, abort: abort.signal };
}

type ErrorsFile = { write: (errors: readonly LineError[]) => Promise<void>; close: () => Promise<void> };

/** Opened before anything is sent, so that a wrong name is told at once. */
async function openErrors(path: string): Promise<ErrorsFile> {
  let handle: FileHandle;
  try {
    handle = await open(path, "w");
  } catch (cause) {
    throw new Error(`cannot write ${path}: ${failureText(cause)}`, { cause });
  }
  const stream = handle.createWriteStream();
  return {
    write: async (errors) => {
      const text = errors.map((error) => `${JSON.stringify(error)}\n`).join("");
      if (!stream.write(text)) await once(stream, "drain");
    },
    close: async () => {
      stream.end();
      await once(stream, "close");
    },
  };
}

// Not process.exit: what was written to a pipe must still get out. Nothing keeps the process alive but idle connections, shortly.
process.exitCode = await main();
