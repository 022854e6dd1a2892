import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type ClickHouseClient, createClient } from "@clickhouse/client";
import { PROJECT_DIR } from "./build.ts";

const HELP = `Brings a ClickHouse up to date with clickhouse/NNN_name.sql. May be run again at any time.

  node scripts/clickhouse-migrate.ts [--url URL] [--user NAME] [--password TEXT] [--database NAME]

Defaults: CLICKHOUSE_URL, CLICKHOUSE_USER, CLICKHOUSE_PASSWORD, CLICKHOUSE_DATABASE, else http://127.0.0.1:8123, default, none, tally.
`;

export interface MigrateOptions {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database?: string;
  /** Where the NNN_name.sql files stand. */
  readonly dir?: string;
}

/** A migration that was applied has been changed since, or the folder holds something else. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

/**
 * Applies the files a database has not had, in order of their names; answers which those were. Each may be applied twice, so
 * two processes at once, or a crash before the record, do no harm. Throws a `MigrationError` when an applied file has changed.
 */
export async function migrateClickHouse(options: MigrateOptions): Promise<string[]> {
  const { url, user: username, password, database = "tally", dir = join(PROJECT_DIR, "clickhouse") } = options;
  if (!/^[A-Za-z_]\w*$/.test(database)) throw new MigrationError(`${database} is no database name`);
  const admin = createClient({ url, username, password });
  try {
    await admin.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}` });
  } finally {
    await admin.close();
  }
  const client = createClient({ url, username, password, database });
  try {
    return await applyFiles(client, dir);
  } finally {
    await client.close();
  }
}

async function applyFiles(client: ClickHouseClient, dir: string): Promise<string[]> {
  await client.command({
    query: `CREATE TABLE IF NOT EXISTS schema_migrations (name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
            ENGINE = ReplacingMergeTree ORDER BY name`,
  });
  const answer = await client.query({
    query: "SELECT name, checksum FROM schema_migrations FINAL",
    format: "JSONEachRow",
  });
  const applied = new Map(
    (await answer.json<{ name: string; checksum: string }>()).map((row) => [row.name, row.checksum]),
  );
  const news: string[] = [];
  for (const name of (await readdir(dir)).filter((file) => /^\d{3}_\w+\.sql$/.test(file)).sort()) {
    const text = await readFile(join(dir, name), "utf8");
    const checksum = createHash("sha256").update(text).digest("hex");
    const known = applied.get(name);
    if (known !== undefined && known !== checksum) {
      throw new MigrationError(`${name} has changed since it was applied; migrations are append-only, add a new one`);
    }
    if (known !== undefined) continue;
    for (const query of statementsOf(text)) await client.command({ query });
    await client.insert({ table: "schema_migrations", values: [{ name, checksum }], format: "JSONEachRow" });
    news.push(name);
  }
  return news;
}

/** Statements end with a semicolon at the end of a line. */
function statementsOf(text: string): string[] {
  return text
    .split(/;[ \t]*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement.replace(/--.*$/gm, "").trim() !== "");
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: "string", default: process.env.CLICKHOUSE_URL ?? "http://127.0.0.1:8123" },
      user: { type: "string", default: process.env.CLICKHOUSE_USER ?? "default" },
      password: { type: "string", default: process.env.CLICKHOUSE_PASSWORD ?? "" },
      database: { type: "string", default: process.env.CLICKHOUSE_DATABASE ?? "tally" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const news = await migrateClickHouse(values);
  console.log(news.length === 0 ? "Nothing to do: every migration has been applied." : `Applied ${news.join(", ")}.`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
