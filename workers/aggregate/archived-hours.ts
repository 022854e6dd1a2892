import { ARCHIVE_ROOT, archivedHour, archivePrefix } from "../../shared/archive-key.ts";
import { HOUR_MS } from "../../shared/window.ts";
import { concat } from "../bytes.ts";
import { log } from "../log.ts";
import { ARCHIVE_OBJECT_BYTES_MAX } from "./archived-events.ts";
import { LinesRefused, type Loading, loadLines } from "./archived-lines.ts";
import type { Env } from "./env.ts";

/** Of objects that are loaded by one call: many are small, and a call makes a part of the table. In memory they are there twice. */
const LOAD_BYTES_MAX = 8_000_000;
/** ClickHouse reads the lines of a call one after the other, so that one core is left for another. */
const LOADS_AT_ONCE = 2;
const REASON_LENGTH_MAX = 300;

/** An archive object that could not be read whole. */
export interface DamagedObject extends Pick<ArchivedObject, "key" | "hourMs"> {
  readonly reason: string;
}

interface Archived extends Pick<ArchivedObject, "key" | "hourMs"> {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Where an object stands, and of how many bytes. */
export interface ArchivedObject {
  readonly key: string;
  readonly size: number;
  /** Of its events. */
  readonly hourMs: number;
}

/** Loads what the archive has of some hours; answers and throws as `loadObjects` does. */
export async function loadHours(env: Env, loading: Loading, hoursMs: Iterable<number>): Promise<DamagedObject[]> {
  const damaged: DamagedObject[] = [];
  for (const [fromMs, toMs] of spansOf(hoursMs)) {
    damaged.push(...(await loadObjects(env, loading, objectsBetween(env.ARCHIVE, fromMs, toMs))));
  }
  return damaged;
}

/**
 * Loads objects of the archive. Those that are damaged are answered; of them nothing counts, since not even the lines before the damage can be
 * believed. Throws what R2 or ClickHouse throw when they cannot be asked.
 */
export async function loadObjects(
  env: Env,
  loading: Loading,
  objects: AsyncIterable<ArchivedObject> | Iterable<ArchivedObject>,
): Promise<DamagedObject[]> {
  const damaged: DamagedObject[] = [];
  const loads = new Set<Promise<void>>();
  let group: Archived[] = [];
  let bytes = 0;
  const failures: unknown[] = [];
  const load = async (objects: readonly Archived[]) => {
    try {
      damaged.push(...(await loadGroup(env, loading, objects)));
    } catch (error) {
      failures.push(error);
    }
  };
  const flush = async () => {
    if (group.length > 0) {
      const begun: Promise<void> = load(group).finally(() => loads.delete(begun));
      loads.add(begun);
    }
    group = [];
    bytes = 0;
    if (loads.size >= LOADS_AT_ONCE) await Promise.race(loads);
    if (failures.length > 0) throw failures[0];
  };
  try {
    for await (const { key, size, hourMs } of objects) {
      if (size > ARCHIVE_OBJECT_BYTES_MAX) {
        damaged.push({ key, hourMs, reason: `${size} bytes are more than one object takes` });
        continue;
      }
      if (bytes + size > LOAD_BYTES_MAX) await flush();
      const object = await env.ARCHIVE.get(key);
      // Deleted since it was listed: its time is over.
      if (object === null) continue;
      group.push({ key, hourMs, bytes: new Uint8Array(await object.arrayBuffer()) });
      bytes += size;
    }
    await flush();
  } finally {
    await Promise.all(loads);
  }
  if (failures.length > 0) throw failures[0];
  for (const { key, reason } of damaged) log("error", "archive object damaged", { key, reason });
  return damaged;
}

/** Objects of the hours from `fromMs` up to `toMs`, in that order: keys ascend with the hour, so hours without an archive cost nothing. */
export async function* objectsBetween(bucket: R2Bucket, fromMs: number, toMs: number): AsyncGenerator<ArchivedObject> {
  const end = archivePrefix(toMs);
  let startAfter = archivePrefix(fromMs);
  for (;;) {
    const { objects, truncated } = await bucket.list({ prefix: ARCHIVE_ROOT, startAfter });
    for (const { key, size } of objects) {
      if (key >= end) return;
      const hourMs = archivedHour(key);
      if (hourMs !== undefined) yield { key, size, hourMs };
    }
    const last = objects.at(-1);
    if (!truncated || last === undefined) return;
    startAfter = last.key;
  }
}

/** Hours as spans of those that follow one another. */
function spansOf(hoursMs: Iterable<number>): [fromMs: number, toMs: number][] {
  const spans: [number, number][] = [];
  for (const hourMs of [...hoursMs].sort((a, b) => a - b)) {
    const last = spans.at(-1);
    if (last !== undefined && last[1] >= hourMs) last[1] = hourMs + HOUR_MS;
    else spans.push([hourMs, hourMs + HOUR_MS]);
  }
  return spans;
}

/** Gzip members one after another are gzip, so a group is one load; if it is refused, its halves are tried, down to the object at fault. */
async function loadGroup(env: Env, loading: Loading, group: readonly Archived[]): Promise<DamagedObject[]> {
  try {
    await loadLines(env, loading, concat(group.map(({ bytes }) => bytes)));
    return [];
  } catch (error) {
    if (!(error instanceof LinesRefused && error.isDamage)) throw error;
    const [first] = group;
    if (group.length === 1 && first !== undefined)
      return [{ key: first.key, hourMs: first.hourMs, reason: error.message.slice(0, REASON_LENGTH_MAX) }];
    const middle = Math.ceil(group.length / 2);
    const halves = [group.slice(0, middle), group.slice(middle)];
    const damaged: DamagedObject[] = [];
    for (const half of halves) damaged.push(...(await loadGroup(env, loading, half)));
    return damaged;
  }
}
