import { z } from "zod";
import { ARCHIVED_KEY_PATTERN } from "../../shared/archive-key.ts";

/** The archive bucket through an S3 API, by which ClickHouse makes Parquet of it; without the three of them nothing is compacted. */
export interface ArchiveS3Env {
  readonly ARCHIVE_S3_URL?: string;
  readonly ARCHIVE_S3_KEY_ID?: string;
  readonly ARCHIVE_S3_SECRET?: string;
}

/** The same, parsed. */
export interface ArchiveS3 {
  /** Of the bucket, without a slash at its end. */
  readonly url: string;
  readonly keyId: string;
  readonly secret: string;
}

const schema = z.object({
  url: z.url().transform((url) => url.replace(/\/+$/, "")),
  keyId: z.string().min(1),
  secret: z.string().min(1),
});

/** `undefined` when none of its settings is there: nothing is compacted then. Throws when some are, or are wrong. */
export function archiveS3Of(env: ArchiveS3Env): ArchiveS3 | undefined {
  const { ARCHIVE_S3_URL: url, ARCHIVE_S3_KEY_ID: keyId, ARCHIVE_S3_SECRET: secret } = env;
  if ([url, keyId, secret].every((setting) => setting === undefined || setting === "")) return undefined;
  const parsed = schema.safeParse({ url, keyId, secret });
  if (!parsed.success)
    throw new Error("ARCHIVE_S3_URL, ARCHIVE_S3_KEY_ID and ARCHIVE_S3_SECRET go together, the first is a URL");
  return parsed.data;
}

/** Whether all of its settings are there, right or wrong. */
export function isArchiveS3Set({ ARCHIVE_S3_URL, ARCHIVE_S3_KEY_ID, ARCHIVE_S3_SECRET }: ArchiveS3Env): boolean {
  return [ARCHIVE_S3_URL, ARCHIVE_S3_KEY_ID, ARCHIVE_S3_SECRET].every(
    (setting) => setting !== undefined && setting !== "",
  );
}

/** As `archiveS3Of`; throws when it is not configured. */
export function requiredArchiveS3(env: ArchiveS3Env): ArchiveS3 {
  const s3 = archiveS3Of(env);
  if (s3 === undefined) throw new Error("the archive has Parquet, to read it ARCHIVE_S3_URL and its key must be set");
  return s3;
}

/**
 * `s3()` over some keys, to be filled by `s3Parameters` under the same name. The keys are named, never a pattern: a listing of R2 is what they come
 * from, and not every S3 API lists for a path within a bucket.
 */
export function s3Source(name: string, format: "JSONEachRow" | "Parquet", structure: string): string {
  const compression = format === "JSONEachRow" ? ", 'gzip'" : "";
  return `s3({${name}:String}, {s3_key_id:String}, {s3_secret:String}, '${format}', '${structure}'${compression})`;
}

/** Parameters for `s3Source`. Each list has at least one key; as a field of a form, it has to stay below `http_max_field_value_size`, 128 KB. */
export function s3Parameters(s3: ArchiveS3, keys: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  const urls = Object.entries(keys).map(([name, list]) => [name, `${s3.url}/${alternatives(list)}`]);
  return { ...Object.fromEntries(urls), s3_key_id: s3.keyId, s3_secret: s3.secret };
}

function alternatives(keys: readonly string[]): string {
  const [first, ...others] = keys;
  if (first === undefined) throw new Error("no keys");
  const strange = keys.find((key) => !ARCHIVED_KEY_PATTERN.test(key));
  if (strange !== undefined) throw new Error(`not a key of the archive: ${strange}`);
  return others.length === 0 ? first : `{${keys.join(",")}}`;
}
