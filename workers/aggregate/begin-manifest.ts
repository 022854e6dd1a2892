import { archivePrefix } from "../../shared/archive-key.ts";
import { log } from "../log.ts";
import { type ArchiveS3, s3Parameters } from "./archive-s3.ts";
import type { ArchivedHour, ListedObject } from "./archived-hours.ts";
import { WRITTEN_SQL } from "./compact-sql.ts";
import { EMPTY_MANIFEST, type ManifestFile, type StoredManifest, writeManifest } from "./manifest.ts";
import { type ReplayClient, rowsOf } from "./replay-client.ts";

/**
 * Writes the manifest of an hour that has none, before any Parquet is written beside it: so Parquet without a manifest is never that of a pass that
 * died, but of a manifest that has been lost. All of it is named then, once it has been read whole; what it shares with other files or with objects
 * are repeats, which are left out when it is written again. Throws when some of it cannot be read.
 */
export async function beginManifest(
  bucket: R2Bucket,
  client: ReplayClient,
  s3: ArchiveS3,
  { hourMs, parquet }: ArchivedHour,
): Promise<StoredManifest> {
  const files: ManifestFile[] = [];
  for (const object of parquet) files.push(await fileOf(client, s3, hourMs, object));
  const manifest = { ...EMPTY_MANIFEST, files };
  const etag = await writeManifest(bucket, hourMs, manifest, undefined);
  if (files.length > 0) log("error", "lost manifest written anew", { hour: archivePrefix(hourMs), files });
  return { manifest, etag };
}

/** Which objects it was made of nobody knows any more. */
async function fileOf(
  client: ReplayClient,
  s3: ArchiveS3,
  hourMs: number,
  { key, size }: ListedObject,
): Promise<ManifestFile> {
  const read = { parquet_url: [key] };
  const [sums] = await rowsOf<{ events: string; checksum: string }>(client, WRITTEN_SQL, s3Parameters(s3, read)).catch(
    (cause) => {
      throw new Error(`${key} has lost its manifest and cannot be read: ${String(cause)}`, { cause });
    },
  );
  if (sums === undefined) throw new Error("a sum is one row");
  const name = key.slice(archivePrefix(hourMs).length);
  return { name, bytes: size, events: Number(sums.events), checksum: sums.checksum, originals: [] };
}
