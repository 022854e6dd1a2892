import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from "@clickhouse/client";

export interface MigrateOptions {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** Created if missing; default `tally`. */
  readonly database?: string;
  /** Folder of `NNN_name.sql`; default: `clickhouse/` of this checkout. */
  readonly dir?: string;
}

export interface MigrateResult {
  readonly database: string;
  /** File names, in order. */
  readonly applied: readonly string[];
  readonly alreadyApplied: readonly string[];
}

/** `refused`: by ClickHouse, be it the user or a statement. */
export type MigrationFailure = "bad-folder" | "changed-file" | "refused" | "unreachable";

/** Why the database is not up to date; the message is one sentence for a person. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
  readonly reason: MigrationFailure;

  constructor(reason: MigrationFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

type Connection = NonNullable<Parameters<typeof createClient>[0]>;

interface Migration {
  readonly name: string;
  readonly checksum: string;
  readonly statements: readonly string[];
}

const DEFAULT_DIR = fileURLToPath(new URL("../clickhouse", import.meta.url).href);
/** ClickHouse Cloud takes its time to wake up. */
const REQUEST_TIMEOUT_MS = 120_000;
/** Below what load balancers allow a silent connection. */
const PROGRESS_INTERVAL_MS = 20_000;

/** Both rows stay when two versions of one file were applied at once, so that the next run can tell. */
const CREATE_RECORDS = `
CREATE TABLE IF NOT EXISTS schema_migrations
(
    name String COMMENT 'File in clickhouse/',
    checksum String COMMENT 'SHA-256 of its text',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY (name, checksum)`;

/**
 * Brings a database up to date with the SQL files. Every file may run any number of times, also in two processes at once: its
 * statements are idempotent, and a file is recorded only after all of it ran. Throws a `MigrationError`.
 */
export async function migrateClickHouse(options: MigrateOptions): Promise<MigrateResult> {
  const { url, user, password, database = "tally", dir = DEFAULT_DIR } = options;
  const migrations = await readMigrations(dir);
  const connection: Connection = {
    url,
    username: user,
    password,
    request_timeout: REQUEST_TIMEOUT_MS,
    clickhouse_settings: {
      send_progress_in_http_headers: 1,
      http_headers_progress_interval_ms: String(PROGRESS_INTERVAL_MS),
    },
    // What goes wrong is in the error thrown; the client would print it as well.
    log: { level: ClickHouseLogLevel.OFF },
  };
  await withClient(connection, (client) => createDatabase(client, database));
  return await withClient({ ...connection, database }, async (client) => {
    await run(client, "the table schema_migrations", CREATE_RECORDS);
    const checksums = await readRecords(client);
    for (const { name, checksum } of migrations) refuseChanged(name, checksum, checksums.get(name) ?? []);

    const isNew = ({ name }: Migration) => !checksums.has(name);
    for (const migration of migrations.filter(isNew)) await apply(client, migration);
    return {
      database,
      applied: migrations.filter(isNew).map(({ name }) => name),
      alreadyApplied: migrations.filter((migration) => !isNew(migration)).map(({ name }) => name),
    };
  });
}

async function readMigrations(dir: string): Promise<Migration[]> {
  const files = await readdir(dir).catch((cause: Error) => {
    throw new MigrationError("bad-folder", `the migrations in ${dir} cannot be read: ${cause.message}`, { cause });
  });
  const names = files.filter((file) => file.endsWith(".sql")).sort();
  const numbers = new Map<string, string>();
  for (const name of names) {
    const number = name.match(/^(\d{3})_\w+\.sql$/)?.[1];
    if (number === undefined) throw new MigrationError("bad-folder", `${join(dir, name)} is not named NNN_name.sql`);
    const other = numbers.get(number);
    if (other !== undefined) throw new MigrationError("bad-folder", `${other} and ${name} have the same number`);
    numbers.set(number, name);
  }
  if (names.length === 0) throw new MigrationError("bad-folder", `there are no migrations in ${dir}`);
  return await Promise.all(
    names.map(async (name) => {
      // A checkout on Windows may have changed the ends of lines, which is no change of the migration.
      const sql = (await readFile(join(dir, name), "utf8")).replaceAll("\r\n", "\n");
      const checksum = createHash("sha256").update(sql).digest("hex");
      return { name, checksum, statements: splitStatements(sql) };
    }),
  );
}

/** Statements end with `;` at the end of a line, a comment after it aside; a `;` within a line or a comment is part of the statement. */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let lines: string[] = [];
  const finish = () => {
    if (lines.some((line) => line.trim() !== "" && !isComment(line))) statements.push(lines.join("\n").trim());
    lines = [];
  };
  for (const line of sql.split("\n")) {
    const end = isComment(line) ? null : line.match(/^(.*);\s*(--.*)?$/);
    lines.push(end?.[1] ?? line);
    if (end) finish();
  }
  finish();
  return statements;
}

function isComment(line: string): boolean {
  return line.trimStart().startsWith("--");
}

/** Asks first: a user of ClickHouse Cloud may be allowed to create tables in its database, but no databases. */
async function createDatabase(client: ClickHouseClient, database: string): Promise<void> {
  const query_params = { database };
  const query = "SELECT name FROM system.databases WHERE name = {database:String}";
  const answer = await client.query({ query, query_params, format: "JSONEachRow" });
  if ((await answer.json()).length > 0) return;
  await run(client, `the database ${database}`, "CREATE DATABASE IF NOT EXISTS {database:Identifier}", query_params);
}

/** Checksums by file name: one each, or more if versions were applied at once. */
async function readRecords(client: ClickHouseClient): Promise<Map<string, string[]>> {
  const answer = await client.query({
    query: "SELECT name, groupUniqArray(checksum) AS checksums FROM schema_migrations GROUP BY name",
    format: "JSONEachRow",
    // Another replica of ClickHouse Cloud may have recorded the file a moment ago.
    clickhouse_settings: { select_sequential_consistency: "1" },
  });
  const rows = await answer.json<{ name: string; checksums: string[] }>();
  return new Map(rows.map(({ name, checksums }) => [name, checksums]));
}

function refuseChanged(name: string, checksum: string, recorded: readonly string[]): void {
  if (recorded.every((other) => other === checksum)) return;
  throw new MigrationError(
    "changed-file",
    `${name} was applied before with other contents; put it back and make the change in a new file`,
  );
}

/**
 * Another process may have applied the file meanwhile, and a later one that takes away what this one is about: then what is refused here is done
 * already.
 */
async function apply(client: ClickHouseClient, { name, checksum, statements }: Migration): Promise<void> {
  try {
    for (const [index, statement] of statements.entries()) {
      await run(client, `${name}, statement ${index + 1}`, statement);
    }
  } catch (error) {
    const recorded = (await readRecords(client)).get(name) ?? [];
    if (!recorded.includes(checksum)) throw error;
    return;
  }
  await client.insert({ table: "schema_migrations", values: [{ name, checksum }], format: "JSONEachRow" });
}

async function run(
  client: ClickHouseClient,
  what: string,
  query: string,
  query_params: Record<string, unknown> = {},
): Promise<void> {
  try {
    await client.command({ query, query_params });
  } catch (cause) {
    if (!(cause instanceof ClickHouseError)) throw cause;
    throw new MigrationError("refused", `ClickHouse refused ${what}: ${textOf(cause)}`, { cause });
  }
}

async function withClient<T>(connection: Connection, work: (client: ClickHouseClient) => Promise<T>): Promise<T> {
  const client = createClient(connection);
  try {
    return await work(client);
  } catch (cause) {
    if (cause instanceof MigrationError) throw cause;
    const reason = cause instanceof ClickHouseError ? "refused" : "unreachable";
    throw new MigrationError(reason, `ClickHouse at ${new URL(String(connection.url)).host}: ${textOf(cause)}`, {
      cause,
    });
  } finally {
    await client.close();
  }
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A failed connection to a name with several addresses has no message of its own.
  return error.message.trim() || ("code" in error ? String(error.code) : error.name);
}

const HELP = `Brings a ClickHouse database up to date with the files in clickhouse/. May be run again at any time.

  node scripts/clickhouse-migrate.ts [options]

  --url URL            else CLICKHOUSE_URL (http://127.0.0.1:8123)
  --user NAME          else CLICKHOUSE_USER (default)
  --password TEXT      better in the environment's CLICKHOUSE_PASSWORD (empty)
  --database NAME      created if missing; else CLICKHOUSE_DATABASE (tally)
  --help               this text
`;

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
  if (values.help) return void process.stdout.write(HELP);
  const { database, applied, alreadyApplied } = await migrateClickHouse(values);
  for (const name of applied) console.log(`applied ${name}`);
  console.log(`${database} is up to date: ${applied.length} applied now, ${alreadyApplied.length} before`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`clickhouse-migrate: ${textOf(error)}`);
    process.exitCode = 1;
  }
}
