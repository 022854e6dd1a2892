import { ClickHouseError } from "@clickhouse/client-web";
import { archivePrefix } from "../../shared/archive-key.ts";
import { requiredArchiveS3, s3Parameters } from "./archive-s3.ts";
import type { ArchivedObject, DamagedObject } from "./archived-hours.ts";
import { isDamageCode, type Loading } from "./archived-lines.ts";
import { loadParquetSql } from "./compact-sql.ts";
import type { Env } from "./env.ts";
import { readManifest } from "./manifest.ts";
import { type ReplayClient, withReplayClient, write } from "./replay-client.ts";

const REASON_LENGTH_MAX = 300;
/** S3_ERROR: not there, not allowed, or no answer. */
const S3_ERROR = 499;

/**
 * Has ClickHouse load Parquet of the archive, as `loadObjects` does lines. What cannot be read is halved, down to the object at fault; one that is
 * gone is damage as long as the manifest names it, and else a reason to throw: its events stand in another one by now.
 */
export async function loadParquet(
  env: Env,
  loading: Loading,
  objects: readonly ArchivedObject[],
): Promise<DamagedObject[]> {
  return await withReplayClient(env, (client) => loadGroup(env, client, loading, objects));
}

async function loadGroup(
  env: Env,
  client: ReplayClient,
  loading: Loading,
  group: readonly ArchivedObject[],
): Promise<DamagedObject[]> {
  const [object] = group;
  if (object === undefined) return [];
  const { replay, merchants, slices = 1, slice = 0 } = loading;
  const keys = s3Parameters(requiredArchiveS3(env), { parquet_url: group.map(({ key }) => key) });
  try {
    const query_params = { ...keys, replay, merchants, slices, slice };
    await write(client, loadParquetSql(merchants.length > 0), query_params);
    return [];
  } catch (error) {
    if (!(error instanceof ClickHouseError)) throw error;
    const code = Number(error.code);
    if (code !== S3_ERROR && !isDamageCode(code)) throw error;
    if (group.length === 1) return [await damageOf(env.ARCHIVE, object, error)];
    const middle = Math.ceil(group.length / 2);
    const damaged: DamagedObject[] = [];
    for (const half of [group.slice(0, middle), group.slice(middle)]) {
      damaged.push(...(await loadGroup(env, client, loading, half)));
    }
    return damaged;
  }
}

/** Throws the error when it is not for the object itself. */
async function damageOf(
  bucket: R2Bucket,
  { key, hourMs }: ArchivedObject,
  error: ClickHouseError,
): Promise<DamagedObject> {
  if (Number(error.code) !== S3_ERROR) return { key, hourMs, reason: error.message.slice(0, REASON_LENGTH_MAX) };
  if ((await bucket.head(key)) !== null) throw error;
  const { manifest } = await readManifest(bucket, hourMs);
  if (!manifest.files.some(({ name }) => archivePrefix(hourMs) + name === key)) {
    throw new Error(`${key} has gone since the manifest was read`);
  }
  return { key, hourMs, reason: "it is gone" };
}
