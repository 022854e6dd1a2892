import { archivePrefix, compactedKey } from "../../shared/archive-key.ts";
import { erasedUser } from "../../shared/erased-user.ts";
import { HOUR_MS } from "../../shared/window.ts";
import { type ArchiveS3, s3Parameters } from "./archive-s3.ts";
import { type ArchivedHour, hoursBetween } from "./archived-hours.ts";
import { type CompactLimits, compactHour } from "./compact-hour.ts";
import { COMPACT_SETTINGS, WRITTEN_SQL } from "./compact-sql.ts";
import type { Env } from "./env.ts";
import { ERASE_SQL, ERASING_SQL, FIND_SQL } from "./erase-sql.ts";
import { type Manifest, type ManifestFile, readManifest, writeManifest } from "./manifest.ts";
import { type ReplayClient, rowsOf, withReplayClient, write } from "./replay-client.ts";

export interface ErasedHour {
  /** That had one of the hashes. */
  readonly events: number;
  readonly files: number;
  /** Objects that cannot be read, which stay as they are. */
  readonly unreadable: number;
  /** Parquet of passes that died, which was removed: ClickHouse may be writing more of it yet. */
  readonly leftovers: number;
  /** There is more of the hour's lines to compact first. */
  readonly isMore: boolean;
}

/**
 * Takes users out of an hour of the archive. Its lines are made into Parquet first, as they would be anyway; each Parquet that has one of the users is written
 * anew under another name, with `erasedUser` in their place, and read back; the manifest names it instead, and the old one goes. Killed in between,
 * the next pass ends in the same state: Parquet that no manifest names is removed before anything else. For the Replayer alone, which neither compacts
 * nor reads the hour meanwhile.
 */
export async function eraseHour(
  env: Env,
  s3: ArchiveS3,
  hour: ArchivedHour,
  users: readonly string[],
  limits: CompactLimits,
): Promise<ErasedHour> {
  const { hourMs } = hour;
  const { isMore } = await compactHour(env, s3, hourMs, limits);
  if (isMore) return { events: 0, files: 0, unreadable: 0, leftovers: 0, isMore: true };
  const stored = await readManifest(env.ARCHIVE, hourMs);
  const leftovers = await removeUnnamed(env.ARCHIVE, hourMs, stored.manifest);
  const unreadable = stored.manifest.damaged.length;
  if (stored.manifest.files.length === 0) return { events: 0, files: 0, unreadable, leftovers, isMore: false };
  return await withReplayClient(
    env,
    async (client) => {
      const pass = new ErasePass(env.ARCHIVE, client, s3, hourMs, users);
      return { ...(await pass.run(stored, limits.nowMs)), unreadable, leftovers, isMore: false };
    },
    COMPACT_SETTINGS,
  );
}

/** Of passes that died, the old files and the new ones; answers how many. */
async function removeUnnamed(bucket: R2Bucket, hourMs: number, { files }: Manifest): Promise<number> {
  const named = new Set(files.map(({ name }) => archivePrefix(hourMs) + name));
  let removed = 0;
  for await (const { parquet, hasManifest } of hoursBetween(bucket, hourMs, hourMs + HOUR_MS)) {
    const unnamed = parquet.map(({ key }) => key).filter((key) => !named.has(key));
    if (!hasManifest || unnamed.length === 0) continue;
    await bucket.delete(unnamed);
    removed += unnamed.length;
  }
  return removed;
}

interface Found {
  readonly found: string;
  readonly events: string;
  readonly checksum: string;
}

class ErasePass {
  readonly #bucket: R2Bucket;
  readonly #client: ReplayClient;
  readonly #s3: ArchiveS3;
  readonly #hourMs: number;
  readonly #users: readonly string[];
  readonly #erased: readonly string[];

  constructor(bucket: R2Bucket, client: ReplayClient, s3: ArchiveS3, hourMs: number, users: readonly string[]) {
    this.#bucket = bucket;
    this.#client = client;
    this.#s3 = s3;
    this.#hourMs = hourMs;
    this.#users = users;
    this.#erased = users.map(erasedUser);
  }

  /** One file after the other, each with a manifest of its own: what is done stays done. */
  async run(
    { manifest, etag }: Awaited<ReturnType<typeof readManifest>>,
    nowMs: number,
  ): Promise<{ events: number; files: number }> {
    let current = manifest;
    let version = etag;
    let events = 0;
    let files = 0;
    for (const file of manifest.files) {
      const found = Number((await this.#ask(FIND_SQL, file))?.found);
      if (found === 0) continue;
      const without = await this.#write(file, nowMs);
      current = { ...current, files: current.files.map((one) => (one === file ? without : one)) };
      version = await writeManifest(this.#bucket, this.#hourMs, current, version);
      await this.#bucket.delete(this.#keyOf(file.name));
      events += found;
      files += 1;
    }
    return { events, files };
  }

  /** Throws when what is read back is not what was to be written. */
  async #write(file: ManifestFile, nowMs: number): Promise<ManifestFile> {
    const expected = await this.#ask(ERASING_SQL, file);
    const key = compactedKey(this.#hourMs, `${nowMs}-${crypto.randomUUID().slice(0, 8)}`);
    try {
      const target = s3Parameters(this.#s3, { target_url: [key] });
      await write(this.#client, ERASE_SQL, { ...this.#parametersOf(file), ...target });
      const [written] = await rowsOf<Found>(this.#client, WRITTEN_SQL, s3Parameters(this.#s3, { parquet_url: [key] }));
      const object = await this.#bucket.head(key);
      const isRight = written?.events === String(file.events) && written.checksum === expected?.checksum;
      if (!isRight || object === null) throw new Error(`${key} is not ${file.name} without the users`);
      const name = key.slice(archivePrefix(this.#hourMs).length);
      return { ...file, name, bytes: object.size, checksum: written.checksum };
    } catch (error) {
      await this.#bucket.delete(key);
      throw error;
    }
  }

  async #ask(sql: string, file: ManifestFile): Promise<Found | undefined> {
    return (await rowsOf<Found>(this.#client, sql, this.#parametersOf(file)))[0];
  }

  #parametersOf({ name }: ManifestFile): Record<string, unknown> {
    return {
      ...s3Parameters(this.#s3, { parquet_url: [this.#keyOf(name)] }),
      users: this.#users,
      erased: this.#erased,
    };
  }

  #keyOf(name: string): string {
    return `${archivePrefix(this.#hourMs)}${name}`;
  }
}
