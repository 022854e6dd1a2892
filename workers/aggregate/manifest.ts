import { z } from "zod";
import { archivePrefix, manifestKey } from "../../shared/archive-key.ts";
import { wholeObject } from "./whole-object.ts";

const originalSchema = z.object({ name: z.string(), etag: z.string() });

const manifestSchema = z.object({
  v: z.literal(1),
  files: z.array(
    z.object({
      name: z.string(),
      bytes: z.int().min(1),
      events: z.int().min(0),
      /** Sum of the rows' hashes modulo 2^64, decimal: what it was verified by. */
      checksum: z.string(),
      originals: z.array(originalSchema),
    }),
  ),
  /** Objects that could not be read whole: they are in no file and stay, and are tried again when they have changed. */
  damaged: z.array(originalSchema.extend({ reason: z.string() })),
});

/** What of an hour stands in Parquet. Names are keys without the hour's prefix. */
export type Manifest = z.output<typeof manifestSchema>;
export type ManifestFile = Manifest["files"][number];

/** The manifest as it stands in R2, and by which version of it. */
export interface StoredManifest {
  readonly manifest: Manifest;
  /** `undefined` when there is none yet. */
  readonly etag: string | undefined;
}

export const EMPTY_MANIFEST: Manifest = { v: 1, files: [], damaged: [] };

/** Throws when it cannot be understood: what it tells of must not be counted twice, nor passed over. */
export async function readManifest(bucket: R2Bucket, hourMs: number): Promise<StoredManifest> {
  const object = await bucket.get(manifestKey(hourMs));
  if (object === null) return { manifest: EMPTY_MANIFEST, etag: undefined };
  const text = new TextDecoder().decode(await wholeObject(object));
  try {
    return { manifest: manifestSchema.parse(JSON.parse(text)), etag: object.etag };
  } catch (cause) {
    throw new UnreadableManifest("the manifest cannot be read", { cause });
  }
}

export class UnreadableManifest extends Error {}

/** Replaces the manifest, unless another one has done so since it was read: that throws. Answers the etag it has now. */
export async function writeManifest(
  bucket: R2Bucket,
  hourMs: number,
  manifest: Manifest,
  before: string | undefined,
): Promise<string> {
  const onlyIf = before === undefined ? new Headers({ "If-None-Match": "*" }) : { etagMatches: before };
  const httpMetadata = { contentType: "application/json" };
  const written = await bucket.put(manifestKey(hourMs), JSON.stringify(manifest), { onlyIf, httpMetadata });
  if (written === null) throw new Error(`the manifest of ${archivePrefix(hourMs)} has been changed by another`);
  return written.etag;
}

/** Objects whose lines stand in a file, as `name etag`: written again with other contents, it is another object. */
export function compactedOriginals({ files }: Manifest): ReadonlySet<string> {
  return new Set(files.flatMap(({ originals }) => originals.map(originalId)));
}

export function originalId({ name, etag }: { readonly name: string; readonly etag: string }): string {
  return `${name} ${etag}`;
}
