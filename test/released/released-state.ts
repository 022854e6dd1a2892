import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { type QueueService, startQueueService } from "../../scripts/durable-queues/queue-service.ts";
import { readQueues, withSettings } from "../../scripts/durable-queues/queue-settings.ts";

/**
 * What a released version left on disk, a tar file of each: `workers/` (journals, pages and marks of shards, archive, directory), `queues.sqlite` (messages that
 * wait), `secrets.json`, and `events.ndjson`, every event that was accepted.
 */
export const RELEASED_DIR = import.meta.dirname;
export const EVENTS_FILE = "events.ndjson";
const KEPT = ["workers", "queues.sqlite", "secrets.json", EVENTS_FILE];

/** Messages are delivered soon: nothing is gained by waiting for others. */
const BATCH_TIMEOUT_MS = 200;
const LEASE_MS = 20_000;

/** The queues of a state, on disk. */
export async function startQueues(dir: string): Promise<QueueService> {
  return await startQueueService({
    path: join(dir, "queues.sqlite"),
    queues: withSettings(readQueues(), { maxBatchTimeoutMs: BATCH_TIMEOUT_MS }),
    leaseMs: LEASE_MS,
    random: Math.random,
    newId: randomUUID,
    repeatShare: 0,
  });
}

const tar = (...args: string[]) => promisify(execFile)("tar", args);

/** SQLite's files that a kill leaves beside a database are part of it. */
export async function pack(dir: string, version: string): Promise<string> {
  const file = join(RELEASED_DIR, `${version}.tar.gz`);
  const names = KEPT.flatMap((name) => (name.endsWith(".sqlite") ? [name, `${name}-wal`] : [name]));
  await tar("-czf", file, "-C", dir, "--ignore-failed-read", "--exclude=*-shm", ...names);
  return file;
}

export async function unpack(file: string, dir: string): Promise<void> {
  await tar("-xzf", join(RELEASED_DIR, file), "-C", dir);
}

/** How many rows its shards have of a table, taken together. */
export async function shardRows(dir: string, table: "page" | "journal" | "sealed"): Promise<number> {
  const shardsDir = join(dir, "workers", "do", "tally-aggregate-Shard");
  const files = (await readdir(shardsDir)).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  return files.reduce((sum, name) => {
    const shard = new DatabaseSync(join(shardsDir, name));
    try {
      return sum + Number(shard.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
    } finally {
      shard.close();
    }
  }, 0);
}
