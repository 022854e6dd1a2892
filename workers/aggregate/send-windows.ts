import { encodeWindowsMessage, WINDOWS_MESSAGE_BYTES_MAX } from "../../shared/messages/windows.ts";
import { toRow, type WindowRow } from "../../shared/window-row.ts";
import { gzip } from "../gzip.ts";
import { sendAll } from "../queue.ts";
import type { Emission } from "./emission.ts";

/**
 * The first message of an emission begins with this many rows, which fill one when their windows are of a few events, some 125 bytes each;
 * the next ones with what would fill one by the one before. One that comes out too large is halved.
 */
const MESSAGE_ROWS_FIRST = 950;
const MESSAGE_ROWS_MAX = 4_000;
/**
 * What a message should take: below two of the 64 KB that the queue counts, and bills, as an operation. The part of one that a message
 * leaves empty is paid for, so a few large messages cost less than many.
 */
const MESSAGE_BYTES_TARGET = 120_000;

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
  let rowsWanted = MESSAGE_ROWS_FIRST;
  for (const window of windows) {
    if (rows.push(toRow(window)) < rowsWanted) continue;
    const before = bodies.length;
    pack(rows);
    const bytes = bodies.slice(before).reduce((sum, body) => sum + body.byteLength, 0);
    rowsWanted = Math.max(1, Math.min(MESSAGE_ROWS_MAX, Math.floor((rows.length * MESSAGE_BYTES_TARGET) / bytes)));
    rows = [];
  }
  if (rows.length > 0) pack(rows);
  await sendAll(queue, bodies);
  return bodies.length;
}
