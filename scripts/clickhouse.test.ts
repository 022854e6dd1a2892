import { spawn } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type ClickHouse, ClickHouseStartError, startClickHouse } from "./clickhouse.ts";
import { migrateClickHouse } from "./clickhouse-migrate.ts";
import { command, insert, select, startTestServer, window } from "./clickhouse-test-server.ts";
import { freePort } from "./port.ts";

const SCRIPTS = fileURLToPath(new URL(".", import.meta.url));
/** How long the engine would wait for a connection that is kept open. */
const ENGINE_WAIT_MS = 5_000;
const STOPS = 5;
const GONE = { timeout: 120_000, interval: 20 };

let root: string;
let server: ClickHouse;
let stop: (() => Promise<void>) | undefined;

beforeAll(async () => {
  ({ root, server, stop } = await startTestServer());
});

afterAll(() => stop?.());

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
  let leastMs = Number.POSITIVE_INFINITY;
  // A busy machine only adds to what a stop takes, and the engine's own wait is in every one.
  for (let attempt = 0; attempt < STOPS && leastMs >= ENGINE_WAIT_MS; attempt++) {
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
    leastMs = Math.min(leastMs, performance.now() - startedMs);
    expect(isRunning(busy.pid)).toBe(false);
    await cancelled;
  }
  expect(leastMs).toBeLessThan(ENGINE_WAIT_MS);
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
  const credentials = /_URL=(\S+) \w+_USER=(\S+) \w+_PASSWORD='(\S+)'/;
  await vi.waitFor(() => expect(said).toMatch(credentials), GONE);
  const [, url = "", user = "", password = ""] = said.match(credentials) ?? [];
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
  await command(server, "CREATE TABLE IF NOT EXISTS default.secret (a UInt8) ENGINE = MergeTree ORDER BY a");
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
