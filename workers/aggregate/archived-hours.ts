import { archivePrefix } from "../../shared/archive-key.ts";
import { gzip } from "../gzip.ts";
import { log } from "../log.ts";
import { ARCHIVE_OBJECT_BYTES_MAX, readableLines } from "./archived-events.ts";
import { LinesRefused, type Loading, loadLines } from "./archived-lines.ts";
import type { Env } from "./env.ts";

/** Of objects that are loaded by one call: many are small, and a call makes a part of the table. In memory they are there twice. */
const LOAD_BYTES_MAX = 8_000_000;
/** Lines that could be read of a damaged object, at a time. */
const SALVAGED_LINES_MAX = 20_000;

/** An archive object that could not be read whole. */
export interface DamagedObject {
  readonly key: string;
  readonly reason: string;
}

interface Archived {
  readonly key: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Loads what the archive has of some hours. Objects that are damaged are answered; of those the
 * lines before the damage are loaded. Throws what R2 or ClickHouse throw when they cannot be asked.
 */
export async function loadHours(env: Env, loading: Loading, hoursMs: Iterable<number>): Promise<DamagedObject[]> {
  const damaged: DamagedObject[] = [];
  let group: Archived[] = [];
  let bytes = 0;
  const flush = async () => {
    if (group.length > 0) damaged.push(...(await loadGroup(env, loading, group)));
    group = [];
    bytes = 0;
  };
  for (const hourMs of hoursMs) {
    for await (const { key, size } of objectsOf(env.ARCHIVE, hourMs)) {
      if (size > ARCHIVE_OBJECT_BYTES_MAX) {
        damaged.push({ key, reason: `${size} bytes are more than one object takes` });
        continue;
      }
      if (bytes + size > LOAD_BYTES_MAX) await flush();
      const object = await env.ARCHIVE.get(key);
      // Deleted since it was listed: its time is over.
      if (object === null) continue;
      group.push({ key, bytes: new Uint8Array(await object.arrayBuffer()) });
      bytes += size;
    }
  }
  await flush();
  for (const { key, reason } of damaged) log("error", "archive object damaged", { key, reason });
  return damaged;
}

/** Bytes of the archive of an hour. */
export async function hourBytes(bucket: R2Bucket, hourMs: number): Promise<number> {
  let bytes = 0;
  for await (const { size } of objectsOf(bucket, hourMs)) bytes += size;
  return bytes;
}

async function* objectsOf(
  bucket: R2Bucket,
  hourMs: number,
): AsyncGenerator<{ readonly key: string; readonly size: number }> {
  let startAfter: string | undefined;
  for (;;) {
    const { objects, truncated } = await bucket.list({
      prefix: archivePrefix(hourMs),
      ...(startAfter === undefined ? {} : { startAfter }),
    });
    yield* objects;
    startAfter = objects.at(-1)?.key;
    if (!truncated || startAfter === undefined) return;
  }
}

/** Gzip members one after another are gzip, so a group is one load; if it is refused, its halves are tried, down to the object at fault. */
async function loadGroup(env: Env, loading: Loading, group: readonly Archived[]): Promise<DamagedObject[]> {
  try {
    await loadLines(env, loading, joined(group));
    return [];
  } catch (error) {
    if (!(error instanceof LinesRefused && error.isDamage)) throw error;
    const [first] = group;
    if (group.length === 1 && first !== undefined) return [await salvage(env, loading, first)];
    const middle = Math.ceil(group.length / 2);
    const halves = [group.slice(0, middle), group.slice(middle)];
    const damaged: DamagedObject[] = [];
    for (const half of halves) damaged.push(...(await loadGroup(env, loading, half)));
    return damaged;
  }
}

async function salvage(env: Env, loading: Loading, { key, bytes }: Archived): Promise<DamagedObject> {
  const reasons: string[] = [];
  const lines = await readableLines(bytes, (error) => reasons.push(String(error)));
  for (let at = 0; at < lines.length; at += SALVAGED_LINES_MAX) {
    await loadLines(env, loading, gzip(`${lines.slice(at, at + SALVAGED_LINES_MAX).join("\n")}\n`));
  }
  return { key, reason: `${reasons.join("; ") || "ClickHouse cannot read it"}; ${lines.length} lines could be read` };
}

function joined(group: readonly Archived[]): Uint8Array<ArrayBuffer> {
  const [first] = group;
  if (group.length === 1 && first !== undefined) return first.bytes;
  const whole = new Uint8Array(group.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
  let at = 0;
  for (const { bytes } of group) {
    whole.set(bytes, at);
    at += bytes.byteLength;
  }
  return whole;
}
