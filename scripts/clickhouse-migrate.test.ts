import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClickHouse } from "./clickhouse.ts";
import { MigrationError, migrateClickHouse, splitStatements } from "./clickhouse-migrate.ts";
import { command, select, startTestServer } from "./clickhouse-test-server.ts";

const SCRIPTS = fileURLToPath(new URL(".", import.meta.url));
const MIGRATIONS = fileURLToPath(new URL("../clickhouse", import.meta.url));

let root: string;
let server: ClickHouse;
let stop: (() => Promise<void>) | undefined;

beforeAll(async () => {
  ({ root, server, stop } = await startTestServer());
});

afterAll(() => stop?.());

test("migrations run twice apply once", async () => {
  const target = { ...server, database: "twice" };
  const applied = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql")).sort();
  expect(await migrateClickHouse(target)).toEqual({ database: "twice", applied, alreadyApplied: [] });
  expect(await migrateClickHouse(target)).toEqual({ database: "twice", applied: [], alreadyApplied: applied });
});

test("migrations of several processes at once do no harm", async () => {
  const env = {
    ...process.env,
    CLICKHOUSE_URL: server.url,
    CLICKHOUSE_USER: server.user,
    CLICKHOUSE_DATABASE: "at_once",
  };
  const migrate = () =>
    promisify(execFile)(process.execPath, [join(SCRIPTS, "clickhouse-migrate.ts")], {
      env: { ...env, CLICKHOUSE_PASSWORD: server.password },
    });
  for (const { stdout } of await Promise.all([migrate(), migrate(), migrate()])) {
    expect(stdout).toContain("at_once is up to date");
  }
  const sql = "SELECT name, uniqExact(checksum) AS versions FROM schema_migrations GROUP BY name HAVING versions > 1";
  expect(await select(server, sql, "at_once")).toEqual([]);
  expect((await migrate()).stdout).toContain("0 applied now");
});

test("a file that another process has applied, and gone on from to one that takes its table away, is done", async () => {
  const dir = join(root, "overtaken");
  await mkdir(dir);
  const target = { ...server, database: "overtaken", dir };
  await writeFile(join(dir, "001_made.sql"), "CREATE TABLE IF NOT EXISTS made (n UInt8) ENGINE = Memory;");
  await migrateClickHouse(target);
  // ClickHouse waits for a row of it until the other one is done.
  const { promise: reading, resolve: read } = Promise.withResolvers<ServerResponse>();
  const held = createServer(({ method }, response) => void (method === "GET" ? read(response) : response.end()));
  held.listen(0, "127.0.0.1");
  await once(held, "listening");
  const row = `url('http://127.0.0.1:${(held.address() as AddressInfo).port}', 'TSV', 'n UInt8')`;
  await writeFile(join(dir, "002_read.sql"), `SELECT n FROM ${row};\nINSERT INTO made SELECT n FROM made;`);
  const slow = migrateClickHouse(target);
  const answer = await reading;
  const sql = await readFile(join(dir, "002_read.sql"), "utf8");
  const checksum = createHash("sha256").update(sql).digest("hex");
  // What the other one has done by then.
  await command(
    server,
    `INSERT INTO schema_migrations (name, checksum) VALUES ('002_read.sql', '${checksum}')`,
    "overtaken",
  );
  await command(server, "DROP TABLE made SYNC", "overtaken");
  answer.end("1\n");
  expect((await slow).database).toBe("overtaken");
  held.close();
});

test("a file changed after it was applied is refused, other ends of lines are no change", async () => {
  const dir = join(root, "changed");
  await cp(MIGRATIONS, dir, { recursive: true });
  const target = { ...server, database: "changed", dir };
  await migrateClickHouse(target);
  const file = join(dir, "001_windows.sql");
  const sql = await readFile(file, "utf8");
  await writeFile(file, sql.replaceAll("\n", "\r\n"));
  expect((await migrateClickHouse(target)).applied).toEqual([]);

  await writeFile(file, sql.replace("ZSTD(3)", "ZSTD(5)"));
  await writeFile(join(dir, "900_later.sql"), "CREATE TABLE later (a UInt8) ENGINE = MergeTree ORDER BY a;\n");
  const failure = await migrateClickHouse(target).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: "MigrationError", reason: "changed-file" });
  expect(String(failure)).toContain("001_windows.sql was applied before with other contents");
  expect(await select(server, "EXISTS TABLE later", "changed")).toEqual([{ result: 0 }]);
});

test("a migration that fails half way is not recorded, and goes on when its cause is gone", async () => {
  const dir = join(root, "half-way");
  await mkdir(dir);
  const good = "CREATE TABLE IF NOT EXISTS half (a UInt8) ENGINE = MergeTree ORDER BY a;\n";
  await writeFile(join(dir, "001_half.sql"), `${good}CREATE TABLE nonsense;\n`);
  const target = { ...server, database: "half_way", dir };
  await expect(migrateClickHouse(target)).rejects.toThrow(/^ClickHouse refused 001_half.sql, statement 2: /);
  await writeFile(join(dir, "001_half.sql"), good);
  expect((await migrateClickHouse(target)).applied).toEqual(["001_half.sql"]);
});

test.each([
  [["1_short.sql"], "is not named NNN_name.sql"],
  [["001_a.sql", "001_b.sql"], "001_a.sql and 001_b.sql have the same number"],
  [[], "there are no migrations in"],
])("a folder with the files %o is refused", async (names, message) => {
  const dir = await mkdtemp(join(root, "folder-"));
  for (const name of names) await writeFile(join(dir, name), "SELECT 1;\n");
  await expect(migrateClickHouse({ ...server, dir })).rejects.toThrow(message);
});

test("a server that is not there, and a wrong password, are told apart", async () => {
  // One that was free a moment ago may be another program's by now; of this number none is ever handed out.
  const unreachable = migrateClickHouse({ ...server, url: "http://127.0.0.1:2" });
  await expect(unreachable).rejects.toMatchObject({
    reason: "unreachable",
    message: expect.stringContaining("ECONNREFUSED"),
  });
  const refused = migrateClickHouse({ ...server, password: "wrong" });
  await expect(refused).rejects.toBeInstanceOf(MigrationError);
  await expect(refused).rejects.toMatchObject({ reason: "refused" });
});

test("statements are split at a semicolon that ends a line", () => {
  const sql =
    "-- one; two;\nSELECT ';' AS a; -- the first\n\nSELECT\n  -- not here;\n  'b;c'\n;\n-- the end;\nSELECT 3";
  expect(splitStatements(sql)).toEqual([
    "-- one; two;\nSELECT ';' AS a",
    "SELECT\n  -- not here;\n  'b;c'",
    "-- the end;\nSELECT 3",
  ]);
  expect(splitStatements("-- nothing\n\n;\n")).toEqual([]);
});
