import { ClickHouseError } from "@clickhouse/client-web";
import { ARCHIVED_KEY_PATTERN, archivePrefix, compactedKey } from "../../shared/archive-key.ts";
import { HOUR_MS } from "../../shared/window.ts";
import { log } from "../log.ts";
import { type ArchiveS3, s3Parameters } from "./archive-s3.ts";
import { ARCHIVE_OBJECT_BYTES_MAX } from "./archived-events.ts";
import { type ArchivedHour, hoursBetween, type ListedObject } from "./archived-hours.ts";
import { isDamageCode } from "./archived-lines.ts";
import { beginManifest } from "./begin-manifest.ts";
import { COMPACT_SETTINGS, compactSql, expectedSql, WRITTEN_SQL } from "./compact-sql.ts";
import type { Env } from "./env.ts";
import {
  compactedOriginals,
  type Manifest,
  type ManifestFile,
  originalId,
  readManifest,
  type StoredManifest,
  writeManifest,
} from "./manifest.ts";
import { type ReplayClient, rowsOf, withReplayClient, write } from "./replay-client.ts";

/** Each is fetched twice by ClickHouse, one after the other; their keys go as one parameter of a query, of 128 KB. */
const PASS_OBJECTS_MAX = 500;
/** Keys of one call to R2 (Cloudflare R2, "Workers API reference"). */
const DELETE_KEYS_MAX = 1_000;
const REASON_LENGTH_MAX = 300;
/** NOT_FOUND_COLUMN_IN_BLOCK: what a line has in `user` or `merchant` has no column here. */
const UNKNOWN_NESTED_FIELD = 10;
/** Parquet without a manifest that is younger may be of a pass that is about to write one: far more than its three queries can take. */
export const LEFTOVER_AGE_MS = HOUR_MS;

export interface CompactLimits {
  readonly nowMs: number;
  /** Of objects and earlier Parquet, what one pass makes into a file. */
  readonly bytesMax: number;
}

/** What a pass did. */
export interface CompactedHour {
  /** Objects whose lines are in the Parquet now. */
  readonly objects: number;
  /** Of the file that was written. */
  readonly events: number;
  readonly damaged: number;
  /** Parquet of a pass that died, perhaps: too young to be removed. */
  readonly leftovers: number;
  readonly isMore: boolean;
}

/**
 * Makes the objects of an hour, as many as a pass takes, into one Parquet, together with earlier ones that are small enough. The Parquet is written
 * under a new name, read back and compared with what the objects came to; then the manifest names it, and only then the objects go. What a
 * pass left undone that died, the next one does: what no manifest names is removed, and so are objects that stand in a file. A manifest that has
 * been lost is written anew.
 *
 * Objects that cannot be read whole are named in the manifest and stay. Throws when R2 or ClickHouse cannot be asked, and when what is
 * read back is not what was written.
 */
export async function compactHour(
  env: Env,
  s3: ArchiveS3,
  hourMs: number,
  limits: CompactLimits,
): Promise<CompactedHour> {
  const hour = await listedHour(env.ARCHIVE, hourMs);
  const found = await readManifest(env.ARCHIVE, hourMs);
  const leftovers = await removeLeftovers(env.ARCHIVE, hour, found.manifest, limits.nowMs);
  const { taken, isMore } = objectsToTake(hour, found.manifest, limits.bytesMax);
  const damaged = found.manifest.damaged.length;
  const nothing = { objects: 0, events: 0, damaged, leftovers, isMore: false };
  const isManifestLost = found.etag === undefined && hour.parquet.length > 0;
  if (taken.length === 0 && !isManifestLost) return nothing;
  return await withReplayClient(
    env,
    async (client) => {
      const stored = found.etag === undefined ? await beginManifest(env.ARCHIVE, client, s3, hour) : found;
      if (taken.length === 0) return nothing;
      const pass = new CompactPass(env.ARCHIVE, client, s3, hourMs);
      const done = await pass.run(stored, { taken, stillDamaged: stillDamaged(hour, stored.manifest) }, limits);
      return { ...done, leftovers, isMore };
    },
    COMPACT_SETTINGS,
  );
}

async function listedHour(bucket: R2Bucket, hourMs: number): Promise<ArchivedHour> {
  for await (const hour of hoursBetween(bucket, hourMs, hourMs + HOUR_MS)) return hour;
  return { hourMs, lines: [], parquet: [], hasManifest: false };
}

/** Removes what the manifest does not name; answers how many files are too young for it. Without a manifest nothing is removed: it is lost. */
async function removeLeftovers(
  bucket: R2Bucket,
  { hourMs, lines, parquet, hasManifest }: ArchivedHour,
  manifest: Manifest,
  nowMs: number,
): Promise<number> {
  if (!hasManifest) return 0;
  const compacted = compactedOriginals(manifest);
  const named = new Set(manifest.files.map(({ name }) => name));
  const unnamed = parquet.filter(({ key }) => !named.has(nameOf(hourMs, key)));
  const old = unnamed.filter(({ uploaded }) => uploaded.getTime() + LEFTOVER_AGE_MS < nowMs);
  await removeKeys(bucket, [
    ...lines.filter((object) => compacted.has(originalId(originalOf(hourMs, object)))).map(({ key }) => key),
    ...old.map(({ key }) => key),
  ]);
  return unnamed.length - old.length;
}

/** Objects that are in no file yet, in the order of their keys. Those that were found damaged are left out while they are what they were. */
function objectsToTake(
  { hourMs, lines }: ArchivedHour,
  manifest: Manifest,
  bytesMax: number,
): { readonly taken: ListedObject[]; readonly isMore: boolean } {
  const known = new Set([...compactedOriginals(manifest), ...manifest.damaged.map(originalId)]);
  const waiting = lines.filter(
    (object) => ARCHIVED_KEY_PATTERN.test(object.key) && !known.has(originalId(originalOf(hourMs, object))),
  );
  let bytes = 0;
  const beyond = waiting.findIndex(({ size }, at) => {
    bytes += size;
    return at === PASS_OBJECTS_MAX || (at > 0 && bytes > bytesMax);
  });
  const taken = beyond < 0 ? waiting : waiting.slice(0, beyond);
  return { taken, isMore: taken.length < waiting.length };
}

function stillDamaged({ hourMs, lines }: ArchivedHour, { damaged }: Manifest): Manifest["damaged"] {
  const listed = new Set(lines.map((object) => originalId(originalOf(hourMs, object))));
  return damaged.filter((one) => listed.has(originalId(one)));
}

/** What is read together: objects of lines, and files made of such before. */
interface Sources {
  readonly lines: readonly ListedObject[];
  readonly files: readonly ManifestFile[];
}

interface Damage {
  readonly object: ListedObject;
  readonly reason: string;
}

interface Sums {
  readonly lines: string;
  readonly events: string;
  readonly checksum: string;
  readonly strange: string;
}

interface SoundSources {
  readonly sound: Sources;
  readonly damaged: readonly Damage[];
  readonly sums: Sums | undefined;
}

/** The lines can be read and are not events of ours, all of them. */
class StrangeLines extends Error {}

interface PassInput {
  readonly taken: readonly ListedObject[];
  /** Of those that the manifest calls damaged, the ones that are there and have not changed. */
  readonly stillDamaged: Manifest["damaged"];
}

class CompactPass {
  readonly #bucket: R2Bucket;
  readonly #client: ReplayClient;
  readonly #s3: ArchiveS3;
  readonly #hourMs: number;

  constructor(bucket: R2Bucket, client: ReplayClient, s3: ArchiveS3, hourMs: number) {
    this.#bucket = bucket;
    this.#client = client;
    this.#s3 = s3;
    this.#hourMs = hourMs;
  }

  async run(
    { manifest, etag }: StoredManifest,
    { taken, stillDamaged }: PassInput,
    { nowMs, bytesMax }: CompactLimits,
  ) {
    const { sound, damaged, sums } = await this.#soundSources({
      lines: taken,
      files: filesToFold(manifest, taken, bytesMax),
    });
    const named = damaged.map(({ object, reason }) => ({ ...originalOf(this.#hourMs, object), reason }));
    const file = sums === undefined ? undefined : await this.#write(sound, sums, nowMs);
    const next: Manifest = {
      v: 1,
      files: [
        ...manifest.files.filter((one) => file === undefined || !sound.files.includes(one)),
        ...(file ? [file] : []),
      ],
      damaged: [...stillDamaged, ...named],
    };
    await writeManifest(this.#bucket, this.#hourMs, next, etag);
    for (const { object, reason } of damaged) log("error", "archive object damaged", { key: object.key, reason });
    // From here on it reads right whether they are there or not.
    if (file !== undefined) {
      await removeKeys(this.#bucket, [
        ...sound.lines.map(({ key }) => key),
        ...sound.files.map(({ name }) => this.#keyOf(name)),
      ]);
    }
    return { objects: sound.lines.length, events: file?.events ?? 0, damaged: next.damaged.length };
  }

  /** Those that can be read whole, and what they come to; no sums when there are none. A file that cannot be read stays as it is. */
  async #soundSources(sources: Sources): Promise<SoundSources> {
    const all = await this.#attempt(sources);
    if ("lines" in all) return { sound: sources, damaged: [], sums: all };
    const damaged = await this.#damageIn(sources.lines);
    const lines = sources.lines.filter((object) => !damaged.some((one) => one.object === object));
    // Nothing new: what stands in files already need not be written again.
    if (lines.length === 0) return { sound: { lines, files: [] }, damaged, sums: undefined };
    const files: ManifestFile[] = [];
    for (const file of sources.files) {
      if ("lines" in (await this.#attempt({ lines: [], files: [file] }))) files.push(file);
    }
    const sound = { lines, files };
    const sums = await this.#attempt(sound);
    if ("lines" in sums) return { sound, damaged, sums };
    throw new Error("objects can be read one by one and not together", { cause: sums });
  }

  /** Halves objects of which some cannot be read, down to those at fault. */
  async #damageIn(objects: readonly ListedObject[]): Promise<Damage[]> {
    const [object] = objects;
    if (object === undefined) return [];
    const read = await this.#attempt({ lines: objects, files: [] });
    if ("lines" in read) return [];
    if (objects.length === 1) return [{ object, reason: read.message.slice(0, REASON_LENGTH_MAX) }];
    const middle = Math.ceil(objects.length / 2);
    return [...(await this.#damageIn(objects.slice(0, middle))), ...(await this.#damageIn(objects.slice(middle)))];
  }

  /** What they come to, or why they cannot be read; throws when it is not for what they hold. */
  async #attempt(sources: Sources): Promise<Sums | Error> {
    const unfit = sources.lines.find(({ size }) => size === 0 || size > ARCHIVE_OBJECT_BYTES_MAX);
    if (unfit !== undefined) return new StrangeLines(`${unfit.size} bytes are not what an object takes`);
    try {
      const [sums] = await rowsOf<Sums>(this.#client, expectedSql(kindsOf(sources)), this.#parametersOf(sources));
      if (sums === undefined) throw new Error("a sum is one row");
      return sums.strange === "0" ? sums : new StrangeLines(`${sums.strange} lines are no events`);
    } catch (error) {
      const code = error instanceof ClickHouseError ? Number(error.code) : 0;
      if (error instanceof Error && (isDamageCode(code) || code === UNKNOWN_NESTED_FIELD)) return error;
      throw error;
    }
  }

  async #write(sources: Sources, expected: Sums, nowMs: number): Promise<ManifestFile> {
    // Of no other attempt, also not of one that is given up here and still being carried out by ClickHouse.
    const key = compactedKey(this.#hourMs, `${nowMs}-${crypto.randomUUID().slice(0, 8)}`);
    const target = s3Parameters(this.#s3, { target_url: [key] });
    const query_params = { ...this.#parametersOf(sources), ...target };
    try {
      await write(this.#client, compactSql(kindsOf(sources)), query_params);
      return await this.#verified(key, sources, expected);
    } catch (error) {
      // Of an attempt that is tried again under another name, also every ten minutes for days.
      await this.#bucket.delete(key);
      throw error;
    }
  }

  /** Throws when the file is not what it should be. */
  async #verified(key: string, sources: Sources, expected: Sums): Promise<ManifestFile> {
    const [written] = await rowsOf<Sums>(this.#client, WRITTEN_SQL, s3Parameters(this.#s3, { parquet_url: [key] }));
    const isRight = written?.events === expected.events && written.checksum === expected.checksum;
    const object = await this.#bucket.head(key);
    if (!isRight || object === null) {
      throw new Error(`${key} was to have ${expected.events} events and reads ${written?.events}, or others`);
    }
    return {
      name: nameOf(this.#hourMs, key),
      bytes: object.size,
      events: Number(expected.events),
      checksum: expected.checksum,
      originals: [
        ...sources.files.flatMap(({ originals }) => originals),
        ...sources.lines.map((one) => originalOf(this.#hourMs, one)),
      ],
    };
  }

  #parametersOf({ lines, files }: Sources): Record<string, string> {
    return s3Parameters(this.#s3, {
      ...(lines.length > 0 ? { lines_url: lines.map(({ key }) => key) } : {}),
      ...(files.length > 0 ? { parquet_url: files.map(({ name }) => this.#keyOf(name)) } : {}),
    });
  }

  #keyOf(name: string): string {
    return `${archivePrefix(this.#hourMs)}${name}`;
  }
}

const kindsOf = ({ lines, files }: Sources) => ({ lines: lines.length > 0, parquet: files.length > 0 });

/** Earlier files that are written again together with new objects, the smallest first: a pass has room for the hour of most deployments. */
function filesToFold({ files }: Manifest, taken: readonly ListedObject[], bytesMax: number): ManifestFile[] {
  let bytes = taken.reduce((sum, { size }) => sum + size, 0);
  return files
    .toSorted((a, b) => a.bytes - b.bytes)
    .filter((file) => {
      bytes += file.bytes;
      return bytes <= bytesMax;
    });
}

const nameOf = (hourMs: number, key: string) => key.slice(archivePrefix(hourMs).length);
const originalOf = (hourMs: number, { key, etag }: ListedObject) => ({ name: nameOf(hourMs, key), etag });

async function removeKeys(bucket: R2Bucket, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += DELETE_KEYS_MAX) await bucket.delete(keys.slice(at, at + DELETE_KEYS_MAX));
}
