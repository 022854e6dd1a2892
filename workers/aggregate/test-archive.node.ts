import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { expect } from "vitest";
import { startTestArchive, type TestArchive } from "../../scripts/archive-test-bucket.ts";
import type { Credentials } from "../../scripts/clickhouse.ts";
import { startTestServer, type TestServer } from "../../scripts/clickhouse-test-server.ts";
import { archiveKey } from "../../shared/archive-key.ts";
import { HOUR_MS } from "../../shared/window.ts";
import { requiredArchiveS3 } from "./archive-s3.ts";
import { loadHours } from "./archived-hours.ts";
import { compactHour } from "./compact-hour.ts";
import type { Env } from "./env.ts";
import { NEIGHBOURS_SQL, RECOUNT_SQL } from "./recount-sql.ts";
import { gzippedLines, type Received } from "./sample-payments.ts";

/** Of windows counted in tests. */
export const REVISION = 1_800_000_000_000;
/** Large enough that what is compacted is one file. */
export const BYTES_MAX = 64_000_000;

/** What the aggregate Worker binds, as far as it counts from the archive, calling ClickHouse as some user. */
export function recountEnv({ url, user, password }: Credentials & { readonly url: string }): Env {
  return {
    CLICKHOUSE_URL: url,
    CLICKHOUSE_USER: user,
    CLICKHOUSE_PASSWORD: password,
    CLICKHOUSE_DATABASE: "tally",
    CORRECTION_DELAY_MS: "0",
    LATE_DELAY_MS: "0",
    IDENTITY_KEY: "00".repeat(16),
  } as unknown as Env;
}

const hourOf = ({ event }: Received) => event.occurred_at - (event.occurred_at % HOUR_MS);

/** An archive and a ClickHouse that reads and writes it, for tests in Node. To be stopped. */
export class ArchiveUnderTest {
  readonly env: Env;
  readonly archive: TestArchive;
  readonly #clickhouse: TestServer;
  #passes = 0;
  #replays = 0;

  static async start(): Promise<ArchiveUnderTest> {
    const clickhouse = await startTestServer();
    try {
      return new ArchiveUnderTest(clickhouse, await startTestArchive());
    } catch (error) {
      await clickhouse.stop();
      throw error;
    }
  }

  private constructor(clickhouse: TestServer, archive: TestArchive) {
    this.#clickhouse = clickhouse;
    this.archive = archive;
    const { url } = clickhouse.server;
    this.env = {
      ...recountEnv({ url, ...clickhouse.server.writer }),
      ARCHIVE: archive.bucket,
      ARCHIVE_S3_URL: archive.s3.url,
      ARCHIVE_S3_KEY_ID: archive.s3.keyId,
      ARCHIVE_S3_SECRET: archive.s3.secret,
    };
  }

  get bucket() {
    return this.archive.bucket;
  }

  async stop(): Promise<void> {
    await this.archive.stop();
    await this.#clickhouse.stop();
  }

  async empty(): Promise<void> {
    const keys = await this.keysOf("raw/v1/");
    if (keys.length > 0) await this.bucket.delete(keys);
  }

  async keysOf(prefix: string, suffix = ""): Promise<string[]> {
    const { objects } = await this.bucket.list({ prefix });
    return objects.map(({ key }) => key).filter((key) => key.endsWith(suffix));
  }

  /** Puts events into the archive as one delivery does: an object for each of their hours. */
  async deliver(name: string, received: readonly Received[]): Promise<void> {
    for (const hourMs of new Set(received.map(hourOf))) {
      const own = received.filter((one) => hourOf(one) === hourMs);
      await this.bucket.put(archiveKey(hourMs, name), gzippedLines(own));
    }
  }

  async compact(hourMs: number, bytesMax = BYTES_MAX) {
    this.#passes += 1;
    return await compactHour(this.env, requiredArchiveS3(this.env), hourMs, {
      ...{ nowMs: REVISION + this.#passes, bytesMax },
    });
  }

  /** The number of a loading of its own. */
  newReplay(): number {
    this.#replays += 1;
    return this.#replays;
  }

  /** Windows, and the hours that a replay would ask beside, as they are counted from what the archive has now. */
  async counted(hoursMs: readonly number[]): Promise<{ windows: string[]; neighbours: unknown[] }> {
    const replay = this.newReplay();
    expect(await loadHours(this.env, { replay, merchants: [] }, hoursMs)).toEqual([]);
    const parameters = { replay, hours: hoursMs.map((ms) => ms / 1000), merchants: [], slots: [], revision: REVISION };
    const windows = await this.query(RECOUNT_SQL, parameters);
    return {
      windows: windows.map((row) => JSON.stringify(row)).sort(),
      neighbours: await this.query(NEIGHBOURS_SQL, parameters),
    };
  }

  async query<T = Record<string, unknown>>(sql: string, parameters: Record<string, unknown> = {}): Promise<T[]> {
    const { url, user, password } = this.#clickhouse.server;
    const log = { level: ClickHouseLogLevel.OFF };
    const client = createClient({ url, username: user, password, database: "tally", log });
    try {
      return await (await client.query({ query: sql, query_params: parameters, format: "JSONEachRow" })).json<T>();
    } finally {
      await client.close();
    }
  }
}
