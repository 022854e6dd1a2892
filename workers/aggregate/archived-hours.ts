import { ARCHIVE_ROOT, archivedHour, archivedKind, archivePrefix, manifestKey } from "../../shared/archive-key.ts";
import { HOUR_MS } from "../../shared/window.ts";
import { concat } from "../bytes.ts";
import { log } from "../log.ts";
import { ARCHIVE_OBJECT_BYTES_MAX } from "./archived-events.ts";
import { LinesRefused, type Loading, loadLines } from "./archived-lines.ts";
import { loadParquet } from "./archived-parquet.ts";
import type { Env } from "./env.ts";
import { compactedOriginals, originalId, readManifest, UnreadableManifest } from "./manifest.ts";
import { wholeObject } from "./whole-object.ts";

/** Of objects that are loaded by one call: many are small, and a call makes a part of the table. In memory they are there twice. */
const LOAD_BYTES_MAX = 8_000_000;
/** ClickHouse reads the lines of a call one after the other, so that one core is left for another. */
const LOADS_AT_ONCE = 2;
/** Of Parquet, which ClickHouse fetches by itself; the keys go as one parameter, of 128 KB. */
const LOAD_PARQUET_BYTES_MAX = 256_000_000;
const LOAD_PARQUET_MAX = 500;
const REASON_LENGTH_MAX = 300;

/** An archive object that could not be read whole. */
export interface DamagedObject extends Pick<ArchivedObject, "key" | "hourMs"> {
  readonly reason: string;
}

interface Archived extends Pick<ArchivedObject, "key" | "hourMs"> {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Something to read of the archive. Each event of an hour is in one of them at least. */
export interface ArchivedObject {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  /** Of its events. */
  readonly hourMs: number;
  /** Lines as ingest wrote them, or Parquet made of such; or a manifest that cannot be read, so that nobody knows which of the two counts. */
  readonly kind: "lines" | "parquet" | "unreadable";
  /** Of Parquet whose manifest is gone. */
  readonly isUnnamed?: true;
}

/** An object as R2 lists it. */
export interface ListedObject {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly uploaded: Date;
}

/** All that the archive has of an hour, in the order of the keys, whatever of it counts. */
export interface ArchivedHour {
  readonly hourMs: number;
  readonly lines: readonly ListedObject[];
  readonly parquet: readonly ListedObject[];
  readonly hasManifest: boolean;
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
 * believed. Throws what R2 or ClickHouse throw when they cannot be asked, and when an object has gone since it was listed: its events may
 * stand in another one by now.
 */
export async function loadObjects(
  env: Env,
  loading: Loading,
  objects: AsyncIterable<ArchivedObject> | Iterable<ArchivedObject>,
): Promise<DamagedObject[]> {
  const loads = new Loads();
  let lines: Archived[] = [];
  let lineBytes = 0;
  let parquet: ArchivedObject[] = [];
  let parquetBytes = 0;
  const flushLines = async () => {
    const group = lines;
    lines = [];
    lineBytes = 0;
    if (group.length > 0) await loads.begin(() => loadGroup(env, loading, group));
  };
  const flushParquet = async () => {
    const group = parquet;
    parquet = [];
    parquetBytes = 0;
    if (group.length > 0) await loads.begin(() => loadParquet(env, loading, group));
  };
  const take = async (object: ArchivedObject) => {
    const { key, size, hourMs, kind } = object;
    if (kind === "unreadable") {
      loads.damaged.push({ key, hourMs, reason: "the manifest cannot be read" });
    } else if (kind === "parquet") {
      if (parquetBytes + size > LOAD_PARQUET_BYTES_MAX || parquet.length === LOAD_PARQUET_MAX) await flushParquet();
      parquet.push(object);
      parquetBytes += size;
    } else if (size === 0 || size > ARCHIVE_OBJECT_BYTES_MAX) {
      loads.damaged.push({ key, hourMs, reason: `${size} bytes are not what an object takes` });
    } else {
      if (lineBytes + size > LOAD_BYTES_MAX) await flushLines();
      lines.push({ key, hourMs, bytes: await bytesOf(env.ARCHIVE, key) });
      lineBytes += size;
    }
  };
  try {
    for await (const object of objects) await take(object);
    await flushLines();
    await flushParquet();
  } finally {
    await loads.end();
  }
  for (const { key, reason } of loads.damaged) log("error", "archive object damaged", { key, reason });
  return loads.damaged;
}

/** Loads that are under way, a few at a time, and what they found damaged. */
class Loads {
  readonly damaged: DamagedObject[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];

  /** Begins a load, and waits while there are too many. Throws what one of them threw. */
  async begin(load: () => Promise<readonly DamagedObject[]>): Promise<void> {
    const begun: Promise<void> = load()
      .then(
        (damaged) => void this.damaged.push(...damaged),
        (error) => void this.#failures.push(error),
      )
      .finally(() => this.#underWay.delete(begun));
    this.#underWay.add(begun);
    if (this.#underWay.size >= LOADS_AT_ONCE) await Promise.race(this.#underWay);
    this.#throwFirst();
  }

  /** Waits for all of them. Throws what one of them threw. */
  async end(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#throwFirst();
  }

  #throwFirst(): void {
    if (this.#failures.length > 0) throw this.#failures[0];
  }
}

async function bytesOf(bucket: R2Bucket, key: string): Promise<Uint8Array<ArrayBuffer>> {
  const object = await bucket.get(key);
  if (object === null) throw new Error(`${key} has gone since it was listed`);
  return await wholeObject(object);
}

/** What is to be read of the hours from `fromMs` up to `toMs`, in the order of the hours. */
export async function* objectsBetween(bucket: R2Bucket, fromMs: number, toMs: number): AsyncGenerator<ArchivedObject> {
  for await (const hour of hoursBetween(bucket, fromMs, toMs)) yield* await countingObjects(bucket, hour);
}

/** Hours that the archive has anything of: keys ascend with the hour, so hours without an archive cost nothing. */
export async function* hoursBetween(bucket: R2Bucket, fromMs: number, toMs: number): AsyncGenerator<ArchivedHour> {
  let hour: ListedObject[] = [];
  for await (const object of listedBetween(bucket, archivePrefix(fromMs), archivePrefix(toMs))) {
    const [first] = hour;
    if (first !== undefined && archivedHour(first.key) !== archivedHour(object.key)) {
      yield hourOf(hour);
      hour = [];
    }
    hour.push(object);
  }
  if (hour.length > 0) yield hourOf(hour);
}

async function* listedBetween(bucket: R2Bucket, fromKey: string, toKey: string): AsyncGenerator<ListedObject> {
  for (let startAfter = fromKey; ; ) {
    const { objects, truncated } = await bucket.list({ prefix: ARCHIVE_ROOT, startAfter });
    for (const object of objects) {
      if (object.key >= toKey) return;
      if (archivedHour(object.key) !== undefined) yield object;
    }
    const last = objects.at(-1);
    if (!truncated || last === undefined) return;
    startAfter = last.key;
  }
}

function hourOf(objects: readonly ListedObject[]): ArchivedHour {
  const of = (kind: ReturnType<typeof archivedKind>) => objects.filter(({ key }) => archivedKind(key) === kind);
  return {
    hourMs: archivedHour(objects[0]?.key ?? "") ?? 0,
    lines: of("lines"),
    parquet: of("parquet"),
    hasManifest: of("manifest").length > 0,
  };
}

/**
 * What of an hour counts: Parquet that the manifest names, and objects that are in none of it; without a manifest all of both: a pass writes the manifest first, so there was
 * one, which has been lost, and what stands in several of them are repeats. The manifest is read after the hour was listed: it may name more than
 * was listed, never less, so nothing is counted as an object that stands in a file as well.
 */
export async function countingObjects(
  bucket: R2Bucket,
  { hourMs, lines, parquet, hasManifest }: ArchivedHour,
): Promise<ArchivedObject[]> {
  const asLines = ({ key, size }: ListedObject): ArchivedObject => ({ key, size, hourMs, kind: "lines" });
  if (!hasManifest) {
    const asUnnamed = ({ key, size }: ListedObject): ArchivedObject => ({
      ...{ key, size, hourMs, kind: "parquet", isUnnamed: true },
    });
    return [...lines.map(asLines), ...parquet.map(asUnnamed)];
  }
  const prefix = archivePrefix(hourMs);
  try {
    const { manifest, etag } = await readManifest(bucket, hourMs);
    if (etag === undefined) throw new Error(`${manifestKey(hourMs)} has gone since it was listed`);
    const compacted = compactedOriginals(manifest);
    return [
      ...lines
        .filter(({ key, etag }) => !compacted.has(originalId({ name: key.slice(prefix.length), etag })))
        .map(asLines),
      ...manifest.files.map(
        ({ name, bytes }): ArchivedObject => ({ key: prefix + name, size: bytes, hourMs, kind: "parquet" }),
      ),
    ];
  } catch (error) {
    if (!(error instanceof UnreadableManifest)) throw error;
    return [{ key: manifestKey(hourMs), size: 0, hourMs, kind: "unreadable" }];
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
    if (group.length === 1 && first !== undefined) return [await damageOf(env.ARCHIVE, first, error)];
    const middle = Math.ceil(group.length / 2);
    const halves = [group.slice(0, middle), group.slice(middle)];
    const damaged: DamagedObject[] = [];
    for (const half of halves) damaged.push(...(await loadGroup(env, loading, half)));
    return damaged;
  }
}

/** Throws when the object reads otherwise the second time: then it was the read that failed. */
async function damageOf(bucket: R2Bucket, { key, hourMs, bytes }: Archived, error: Error): Promise<DamagedObject> {
  const again = await bytesOf(bucket, key);
  if (again.length !== bytes.length || again.some((byte, at) => byte !== bytes[at])) {
    throw new Error(`${key} was read otherwise the second time`, { cause: error });
  }
  return { key, hourMs, reason: error.message.slice(0, REASON_LENGTH_MAX) };
}
