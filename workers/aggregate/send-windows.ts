import { encodeWindowsMessage, WINDOWS_MESSAGE_BYTES_MAX } from "../../shared/messages/windows.ts";
import { toRow, type WindowRow } from "../../shared/window-row.ts";
import { gzip } from "../gzip.ts";
import { sendAll } from "../queue.ts";
import type { Emission } from "./emission.ts";

/**
 * The first message of an emission begins with this many rows, which fill one when their windows are of a few events, some 125 bytes each;
 * the next ones with what would fill one by the one before. One that comes out too large leaves to the next what it has no room for.
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
  let rowsWanted = MESSAGE_ROWS_FIRST;
  /** Makes a message of the first of some rows, of all of them if they fit; answers the others. */
  const pack = (rows: WindowRow[]): WindowRow[] => {
    const body = gzip(encodeWindowsMessage({ shard, emission: id, part: bodies.length, rows }));
    const fitting = Math.max(1, Math.floor((rows.length * MESSAGE_BYTES_TARGET) / body.byteLength));
    if (body.byteLength <= WINDOWS_MESSAGE_BYTES_MAX) {
      bodies.push(body);
      rowsWanted = Math.min(MESSAGE_ROWS_MAX, fitting);
      return [];
    }
    // The limits on values and their bytes keep a single row below some 90 KB, so this ends.
    if (rows.length === 1) throw new Error(`one window takes ${body.byteLength} bytes`);
    return [...pack(rows.slice(0, fitting)), ...rows.slice(fitting)];
  };
  let rows: WindowRow[] = [];
  for (const window of windows) if (rows.push(toRow(window)) >= rowsWanted) rows = pack(rows);
  while (rows.length > 0) rows = pack(rows);
  await sendAll(queue, bodies);
  return bodies.length;
}
