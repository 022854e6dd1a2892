import { encodeWindowsMessage, WINDOWS_MESSAGE_BYTES_MAX } from "../../shared/messages/windows.ts";
import { toRow, type WindowRow } from "../../shared/window-row.ts";
import { gzip } from "../gzip.ts";
import { sendAll } from "../queue.ts";
import type { Emission } from "./emission.ts";

/** A message begins with this many rows; one that comes out too large is halved. */
const MESSAGE_ROWS_MAX = 500;

/**
 * Sends an emission; resolves with the number of its parts once the queue has all of them. Every window is read before the first
 * `await`: what is sent is the shard at one moment.
 */
export async function sendWindows(queue: Queue, shard: string, { id, windows }: Emission): Promise<number> {
  const bodies: Uint8Array<ArrayBuffer>[] = [];
  const pack = (rows: readonly WindowRow[]): void => {
    const body = gzip(encodeWindowsMessage({ shard, emission: id, part: bodies.length, rows }));
    if (body.byteLength <= WINDOWS_MESSAGE_BYTES_MAX) {
      bodies.push(body);
      return;
    }
    // The limits on values and their bytes keep a single row below some 90 KB, so halving ends.
    if (rows.length === 1) throw new Error(`one window takes ${body.byteLength} bytes`);
    pack(rows.slice(0, rows.length / 2));
    pack(rows.slice(rows.length / 2));
  };
  let rows: WindowRow[] = [];
  for (const window of windows) {
    if (rows.push(toRow(window)) < MESSAGE_ROWS_MAX) continue;
    pack(rows);
    rows = [];
  }
  if (rows.length > 0) pack(rows);
  await sendAll(queue, bodies);
  return bodies.length;
}
