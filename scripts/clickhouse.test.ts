import { execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type ClickHouse, ClickHouseStartError, type Credentials, startClickHouse } from "./clickhouse.ts";
import { MigrationError, migrateClickHouse, splitStatements } from "./clickhouse-migrate.ts";

const SCRIPTS = fileURLToPath(new URL(".", import.meta.url));
const MIGRATIONS = fileURLToPath(new URL("../clickhouse", import.meta.url));
const MAX_MEMORY_BYTES = 1024 ** 3;
const GONE = { timeout: 20_000, interval: 20 };

let root: string;
let server: ClickHouse;
let admin: ClickHouseClient;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tally-clickhouse-"));
  server = await startClickHouse({ dataDir: join(root, "shared"), maxMemoryBytes: MAX_MEMORY_BYTES });
  await migrateClickHouse(server);
  admin = clientOf(server);
});

afterAll(async () => {
  await admin?.close();
  await server?.stop();
  await rm(root, { recursive: true, force: true });
});

// The server

test("rows survive a stop and a start", async () => {
  const dataDir = join(root, "restart");
  const first = await startClickHouse({ dataDir });
  await migrateClickHouse(first);
  await insert(first, [window({ merchant_id: "kept" })]);
  await first.stop();
  expect(await first.exited).toBe(0);
  expect(isRunning(first.pid)).toBe(false);

  const second = await startClickHouse({ dataDir });
  expect(await select(second, "SELECT merchant_id FROM windows")).toEqual([{ merchant_id: "kept" }]);
  await second.stop();
});

test("a row survives a SIGKILL right after its insert was acknowledged", async () => {
  const dataDir = join(root, "killed");
  const first = await startClickHouse({ dataDir });
  await migrateClickHouse(first);
  await insert(first, [window({ merchant_id: "acknowledged" })]);
  first.kill();
  expect(await first.exited).toBeNull();

  const second = await startClickHouse({ dataDir });
  expect(await select(second, "SELECT merchant_id FROM windows")).toEqual([{ merchant_id: "acknowledged" }]);
  await second.stop();
});

test("a stop waits neither for a query that runs nor for a connection kept open, and may be repeated", async () => {
  const busy = await startClickHouse({ dataDir: join(root, "busy") });
  const query = select(busy, "SELECT sleepEachRow(3) FROM numbers(100) SETTINGS max_block_size = 1", "default");
  const cancelled = expect(query).rejects.toThrow();
  await vi.waitFor(async () => {
    const sql = "SELECT query_id FROM system.processes WHERE query LIKE '%sleepEachRow(3)%numbers(100)%'";
    expect((await select(busy, sql, "default")).length).toBeGreaterThanOrEqual(2);
  }, GONE);
  const startedMs = performance.now();
  await Promise.all([busy.stop(), busy.stop()]);
  await busy.stop();
  expect(performance.now() - startedMs).toBeLessThan(4_000);
  expect(isRunning(busy.pid)).toBe(false);
  await cancelled;
});

test("the server dies with the process that started it", async () => {
  const code = `
    import { startClickHouse } from ${JSON.stringify(join(SCRIPTS, "clickhouse.ts"))};
    const { pid } = await startClickHouse({ dataDir: ${JSON.stringify(join(root, "orphan"))} });
    console.log(pid);`;
  const parent = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pid = await new Promise<number>((done) => parent.stdout.once("data", (line) => done(Number(String(line)))));
  expect(isRunning(pid)).toBe(true);
  parent.kill("SIGKILL");
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false), GONE);
});

test("by hand it says how to connect, and Ctrl-C stops it", async () => {
  const args = [join(SCRIPTS, "clickhouse.ts"), "--path", join(root, "by-hand"), "--port", "0"];
  const byHand = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  byHand.stdout.on("data", (text) => {
    said += String(text);
  });
  await vi.waitFor(() => expect(said).toContain("CLICKHOUSE_PASSWORD="), GONE);
  const [, url = "", user = "", password = ""] = said.match(/_URL=(\S+) \w+_USER=(\S+) \w+_PASSWORD='(\S+)'/) ?? [];
  expect(await select({ url, user, password }, "SELECT 1 AS one", "default")).toEqual([{ one: 1 }]);
  byHand.kill("SIGINT");
  expect(await new Promise((done) => byHand.once("exit", done))).toBe(0);
  await expect(connects("127.0.0.1", { url })).rejects.toThrow("ECONNREFUSED");
});

test("a taken port is one clear sentence", async () => {
  const port = Number(new URL(server.url).port);
  const failure = await startFailure({ dataDir: join(root, "port"), port });
  expect(failure.reason).toBe("port-taken");
  expect(failure.message).toBe(`port ${port} on 127.0.0.1 is taken by another program`);
});

test("a free port is found beside servers that run, and one asked for is kept", async () => {
  const port = await freePort();
  const [any, asked] = await Promise.all([
    startClickHouse({ dataDir: join(root, "any-port") }),
    startClickHouse({ dataDir: join(root, "asked-port"), port }),
  ]);
  expect(asked.url).toBe(`http://127.0.0.1:${port}`);
  expect(new Set([server.url, any.url, asked.url]).size).toBe(3);
  await Promise.all([any.stop(), asked.stop()]);
});

test("a data folder in use is one clear sentence, and its server is not disturbed", async () => {
  const dataDir = join(root, "shared");
  const failure = await startFailure({ dataDir });
  expect(failure.reason).toBe("data-dir-in-use");
  expect(failure.message).toBe(`another ClickHouse is using the data folder ${dataDir}`);
  expect(await select(server, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test("a data folder that cannot be written is one clear sentence", async () => {
  const file = join(root, "file");
  await writeFile(file, "");
  const failure = await startFailure({ dataDir: join(file, "clickhouse") });
  expect(failure.reason).toBe("data-dir-unusable");
  expect(failure.message).toMatch(/^the data folder cannot be used: ENOTDIR[^\n]*$/);
});

test("a missing library is one clear sentence that names the platform", async () => {
  vi.stubEnv("CHDB_LIBCHDB_PATH", join(root, "no-such-library.so"));
  const failure = await startFailure({ dataDir: join(root, "library") }).finally(() => vi.unstubAllEnvs());
  expect(failure.reason).toBe("library-missing");
  expect(failure.message).toMatch(/^ClickHouse's library cannot be loaded on \w+-\w+ [^\n]*no-such-library.so[^\n]*$/);
});

test.each([
  [{ port: 70_000 }, "the port must be"],
  [{ maxMemoryBytes: 0 }, "the memory bound must be"],
  [{ database: "a.b" }, "the database name must be"],
])("the option %o is refused", async (option, message) => {
  const failure = await startFailure({ dataDir: join(root, "option"), ...option });
  expect(failure.reason).toBe("bad-option");
  expect(failure.message).toContain(message);
});

test("it listens on the loopback address only", async () => {
  const others = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const addresses = others
    .filter(({ internal, family }) => !internal && family === "IPv4")
    .map(({ address }) => address);
  if (process.platform === "linux") addresses.push("127.0.0.2");
  for (const address of addresses) await expect(connects(address, server)).rejects.toThrow("ECONNREFUSED");
  await connects("127.0.0.1", server);
});

test("a query beyond the memory bound fails, and the server goes on", async () => {
  await expect(select(server, "SELECT length(groupArray(number)) FROM numbers(1000000000)")).rejects.toThrow(
    /memory limit/i,
  );
  expect(await select(server, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test("settings are those of a server, not of clickhouse local, and time is UTC", async () => {
  const sql = `SELECT getSetting('implicit_select') AS implicit_select, getSetting('allow_introspection_functions') AS introspection,
    getSetting('storage_file_read_method') AS read_method, serverTimeZone() AS zone`;
  expect(await select(server, sql)).toEqual([
    { implicit_select: false, introspection: false, read_method: "pread", zone: "UTC" },
  ]);
});

// Users

test("without a password nothing can be read, written or stopped", async () => {
  for (const sql of ["SELECT * FROM tally.windows", "SELECT count() FROM numbers(10)", "SYSTEM STOP LISTEN HTTP"]) {
    const answer = await fetch(server.url, { method: "POST", body: sql });
    expect(await answer.text(), sql).toMatch(/ACCESS_DENIED|QUOTA_EXCEEDED/);
  }
  for (const user of [server.user, server.reader.user, server.writer.user]) {
    await expect(select({ ...server, user, password: "" }, "SELECT 1")).rejects.toThrow("Authentication failed");
  }
});

test("no password is on disk or in the list of processes", async () => {
  const passwords = [server, server.reader, server.writer].map(({ password }) => password);
  const holdsOne = (text: string) => passwords.some((password) => text.includes(password));
  const files = await readdir(join(root, "shared"), { withFileTypes: true });
  expect(files.map(({ name }) => name).sort()).toEqual(["clickhouse.log", "data"]);
  expect(holdsOne(await readFile(join(root, "shared", "clickhouse.log"), "utf8"))).toBe(false);
  if (process.platform !== "linux") return;
  expect(holdsOne(await readFile(`/proc/${server.pid}/cmdline`, "utf8"))).toBe(false);
  expect(holdsOne(await readFile(`/proc/${server.pid}/environ`, "utf8"))).toBe(false);
});

test("the reader reads its database with settings of its own, and can neither write nor see another", async () => {
  await admin.command({ query: "CREATE TABLE IF NOT EXISTS default.secret (a UInt8) ENGINE = MergeTree ORDER BY a" });
  const reader = { ...server, ...server.reader };
  expect(await select(reader, "SELECT count() >= 0 AS ok FROM windows SETTINGS max_threads = 1")).toEqual([{ ok: 1 }]);
  await expect(insert(reader, [window({})])).rejects.toThrow(/privileges|readonly/);
  for (const sql of [
    "SELECT * FROM default.secret",
    "SELECT * FROM system.users",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1', 'LineAsString')",
  ]) {
    await expect(select(reader, sql), sql).rejects.toThrow(/privileges|readonly/);
  }
  expect(await select(reader, "SELECT name FROM system.tables WHERE name = 'secret'")).toEqual([]);
  await expect(command(reader, "ALTER TABLE windows DELETE WHERE 1")).rejects.toThrow(/privileges|readonly/);
  await expect(command(reader, "DROP TABLE windows")).rejects.toThrow(/privileges|readonly/);
});

test("the writer inserts into its database and reads it, and can do no more", async () => {
  const writer = { ...server, ...server.writer };
  await insert(writer, [window({ merchant_id: "by-writer" })]);
  const sql = "SELECT count() AS n FROM windows FINAL WHERE merchant_id = 'by-writer'";
  expect(await select(writer, sql)).toEqual([{ n: 1 }]);
  await expect(select(writer, "SELECT * FROM system.users")).rejects.toThrow("privileges");
  for (const refused of [
    "DROP TABLE windows",
    "TRUNCATE TABLE windows",
    "ALTER TABLE windows DELETE WHERE 1",
    "CREATE TABLE tally.other (a UInt8) ENGINE = MergeTree ORDER BY a",
    "CREATE DATABASE other",
  ]) {
    await expect(command(writer, refused), refused).rejects.toThrow("privileges");
  }
});

// Migrations

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
  const port = await freePort();
  const unreachable = migrateClickHouse({ ...server, url: `http://127.0.0.1:${port}` });
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

// The table

const BEYOND_64_BITS = 2n ** 64n + 1n;

test("quoted integers beyond 64 bits go in and come out exact, and their sums are exact", async () => {
  const amount = BEYOND_64_BITS * 3n;
  const starts = [0, 600, 1200];
  await insert(
    server,
    starts.map((offset) =>
      window({
        merchant_id: "sums",
        window_start: START_S + offset,
        payments_count: "9007199254740993",
        payments_amount: String(amount),
        amount_max: String(2n ** 64n - 1n),
      }),
    ),
  );
  const sql = `SELECT toString(sum(payments_amount)) AS amount, toTypeName(sum(payments_amount)) AS type, toString(max(amount_max)) AS largest,
    toString(sum(payments_count)) AS payments, toString(groupArray(payments_amount)[1]) AS one FROM windows FINAL WHERE merchant_id = 'sums'`;
  expect(await select(server, sql)).toEqual([
    {
      amount: String(3n * amount),
      type: "UInt128",
      largest: String(2n ** 64n - 1n),
      payments: String(3n * 9_007_199_254_740_993n),
      one: String(amount),
    },
  ]);
});

test("sumMap merges breakdowns by value: exact beyond 64 bits, ascending, other and amounts of zero kept", async () => {
  const merchant_id = "breakdown";
  await insert(server, [
    window({
      merchant_id,
      by_device_value: ["", "ios", "web"],
      by_device_count: ["1", "2", "3"],
      by_device_amount: ["7", String(BEYOND_64_BITS), "0"],
    }),
    window({
      merchant_id,
      window_start: START_S + 600,
      by_device_value: ["android", "ios"],
      by_device_count: ["5", "9007199254740993"],
      by_device_amount: ["1", String(BEYOND_64_BITS)],
    }),
    window({ merchant_id, window_start: START_S + 1200 }),
  ]);
  const sql = `SELECT sumMap(by_device_value, by_device_count, by_device_amount) AS merged, toTypeName(merged) AS type
    FROM windows FINAL WHERE merchant_id = 'breakdown' SETTINGS output_format_json_quote_64bit_integers = 1`;
  expect(await select(server, sql)).toEqual([
    {
      merged: [
        ["", "android", "ios", "web"],
        ["1", "5", "9007199254740995", "3"],
        ["7", "1", String(2n * BEYOND_64_BITS), "0"],
      ],
      type: "Tuple(Array(String), Array(UInt64), Array(UInt128))",
    },
  ]);
});

test("sumMap merges amount histograms, groupUniqArrayArray customers", async () => {
  const merchant_id = "sketches";
  await insert(server, [
    window({ merchant_id, amount_bucket: [3, 65_535], amount_bucket_count: [1, 2], customers: [1, 33, 65_535] }),
    window({
      merchant_id,
      window_start: START_S + 600,
      amount_bucket: [3, 4],
      amount_bucket_count: ["10", "1"],
      customers: [2, 33],
    }),
  ]);
  const sql = `SELECT sumMap(amount_bucket, amount_bucket_count) AS amounts, arraySort(groupUniqArrayArray(customers)) AS customers
    FROM windows FINAL WHERE merchant_id = 'sketches' SETTINGS output_format_json_quote_64bit_integers = 0`;
  expect(await select(server, sql)).toEqual([
    {
      amounts: [
        [3, 4, 65_535],
        [11, 1, 2],
      ],
      customers: [1, 2, 33, 65_535],
    },
  ]);
});

test("FINAL shows the highest revision, in whatever order revisions come and again after a merge", async () => {
  const merchant_id = "revisions";
  for (const revision of [1_700_000_000_002, 1_700_000_000_003, 1_700_000_000_001, 1_700_000_000_003]) {
    await insert(server, [window({ merchant_id, revision, payments_count: revision % 10 })]);
  }
  await insert(server, [window({ merchant_id, revision: 1, currency: "USD", payments_count: 8 })]);
  const sql = `SELECT currency, toString(revision) AS revision, toString(payments_count) AS payments FROM windows FINAL
    WHERE merchant_id = 'revisions' ORDER BY currency`;
  const expected = [
    { currency: "JPY", revision: "1700000000003", payments: "3" },
    { currency: "USD", revision: "1", payments: "8" },
  ];
  expect(await select(server, sql)).toEqual(expected);
  await command(server, "OPTIMIZE TABLE windows FINAL");
  expect(await select(server, sql)).toEqual(expected);
  expect(await select(server, sql.replace("FINAL", ""))).toEqual(expected);
});

test("every column of windows explains itself", async () => {
  const sql = "SELECT name FROM system.columns WHERE database = 'tally' AND table = 'windows' AND comment = ''";
  expect(await select(server, sql)).toEqual([]);
});

const START_S = Date.UTC(2026, 9, 1) / 1000;

type Row = Readonly<Record<string, string | number | readonly (string | number)[]>>;

function window(columns: Row): Row {
  return { merchant_id: "shop", currency: "JPY", window_start: START_S, revision: 1, ...columns };
}

function clientOf({ url, user, password }: Credentials & { url: string }, database = "tally"): ClickHouseClient {
  return createClient({ url, username: user, password, database, log: { level: ClickHouseLogLevel.OFF } });
}

async function withClient<T>(
  target: Credentials & { url: string },
  work: (client: ClickHouseClient) => Promise<T>,
  database?: string,
): Promise<T> {
  const client = clientOf(target, database);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

function select(target: Credentials & { url: string }, query: string, database?: string): Promise<unknown[]> {
  return withClient(target, async (client) => (await client.query({ query, format: "JSONEachRow" })).json(), database);
}

async function insert(target: Credentials & { url: string }, values: readonly Row[]): Promise<void> {
  await withClient(target, (client) => client.insert({ table: "windows", values, format: "JSONEachRow" }));
}

async function command(target: Credentials & { url: string }, query: string): Promise<void> {
  await withClient(target, (client) => client.command({ query }));
}

async function startFailure(options: Parameters<typeof startClickHouse>[0]): Promise<ClickHouseStartError> {
  const outcome = await startClickHouse(options).catch((error: unknown) => error);
  if (outcome instanceof ClickHouseStartError) return outcome;
  throw new Error("it started, or failed in an unknown way", { cause: outcome });
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
  const address = listener.address();
  await new Promise((done) => listener.close(done));
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return address.port;
}

function connects(host: string, { url }: { url: string }): Promise<void> {
  return new Promise((done, fail) => {
    const socket = connect({ host, port: Number(new URL(url).port) });
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.destroy();
      done();
    });
  });
}
