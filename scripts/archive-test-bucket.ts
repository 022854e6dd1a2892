import type { R2Bucket } from "@cloudflare/workers-types";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const BUCKET = "tally-archive";
const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test-secret" };

export interface TestArchive {
  readonly bucket: R2Bucket;
  readonly s3: { readonly url: string; readonly keyId: string; readonly secret: string };
  stop(): Promise<void>;
}

/** A bucket in a runtime of its own, with its S3 endpoint, for tests in Node that have ClickHouse read and write it. */
export async function startTestArchive(): Promise<TestArchive> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      workers: [
        {
          name: "archive",
          modules: true,
          script: "export default {}",
          compatibilityDate: "2026-11-01",
          r2Buckets: { ARCHIVE: { id: BUCKET, s3Credentials: CREDENTIALS } },
        },
      ],
    }),
  );
  const { origin } = await miniflare.ready;
  return {
    bucket: (await miniflare.getR2Bucket("ARCHIVE", "archive")) as unknown as R2Bucket,
    s3: {
      url: `${origin}/cdn-cgi/local/r2/s3/${BUCKET}`,
      keyId: CREDENTIALS.accessKeyId,
      secret: CREDENTIALS.secretAccessKey,
    },
    stop: () => miniflare.dispose(),
  };
}
