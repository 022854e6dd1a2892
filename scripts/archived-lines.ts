import { gunzipSync } from "node:zlib";
import type { R2Bucket } from "@cloudflare/workers-types";

/** Lines of the archive's objects, one after the other, however often an event stands there; what is Parquet already is not among them. */
export async function* archivedLines(archive: R2Bucket): AsyncGenerator<string> {
  for (let cursor: string | undefined, isTruncated = true; isTruncated; ) {
    const listed = await archive.list({ prefix: "raw/v1/", ...(cursor === undefined ? {} : { cursor }) });
    for (const { key } of listed.objects.filter((one) => one.key.endsWith(".ndjson.gz"))) {
      const object = await archive.get(key);
      if (object === null) throw new Error(`${key} is listed and not there`);
      const text = gunzipSync(new Uint8Array(await object.arrayBuffer())).toString();
      for (const line of text.split("\n")) if (line !== "") yield line;
    }
    isTruncated = listed.truncated;
    cursor = listed.truncated ? listed.cursor : undefined;
  }
}
