import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { failureText } from "./failure-text.ts";

export type OpenFile = {
  /** The content, decompressed where it was gzip. Ends with an error that says in words what is wrong with the file. */
  chunks: AsyncIterable<Buffer>;
  /** Bytes taken from the file so far, as stored. */
  readBytes: () => number;
  /** The file's size as stored; absent for a pipe. */
  totalBytes?: number;
  /** Ends a read that is still waiting, such as one from a terminal. */
  close: () => void;
};

/** Opens a file, or standard input for `-`. Gzip is told by its first two bytes, so a pipe may be gzip as well. */
export async function openFile(path: string): Promise<OpenFile> {
  if (path === "-") return opened(path, process.stdin);
  let info: Awaited<ReturnType<typeof stat>>;
  try {
    info = await stat(path);
  } catch (cause) {
    throw new Error(`cannot open ${path}: ${failureText(cause)}`, { cause });
  }
  if (info.isDirectory()) throw new Error(`cannot open ${path}: it is a directory`);
  const file = opened(path, createReadStream(path));
  return info.isFile() ? { ...file, totalBytes: info.size } : file;
}

function opened(path: string, source: Readable): OpenFile {
  let readBytes = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      readBytes += chunk.length;
      yield chunk;
    }
  }
  async function* named(): AsyncGenerator<Buffer> {
    try {
      yield* gunzipped(counted());
    } catch (cause) {
      throw new Error(`cannot read ${path === "-" ? "standard input" : path}: ${failureText(cause)}`, { cause });
    }
  }
  return { chunks: named(), readBytes: () => readBytes, close: () => void source.destroy() };
}

async function* gunzipped(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const whole = withHead(head, chunks);
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* whole;
    return;
  }
  const gunzip = createGunzip();
  // The error reaches the loop below through `gunzip`, which the pipeline destroys with it.
  pipeline(Readable.from(whole, { objectMode: false }), gunzip, () => {});
  for await (const chunk of gunzip as AsyncIterable<Buffer>) yield chunk;
}

async function* withHead(head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* rest;
}
