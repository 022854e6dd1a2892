/**
 * The child process that is a ClickHouse server; `clickhouse.ts` starts and watches it, and is what a person runs.
 *
 * libchdb exports `chdb_query_cmdline(argc, argv)`: that is the program `clickhouse local`, which can open ClickHouse's own HTTP
 * listener (`SYSTEM START LISTEN HTTP`). A process can hold one engine, and the engine keeps the thread it was called on.
 *
 * The channel to the parent brings the settings and takes back one report; when it closes the parent is gone, and so are we.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  ADMIN_USER,
  ClickHouseStartError,
  READER_USER,
  type ServerReport,
  type ServerSettings,
  WRITER_USER,
} from "./clickhouse.ts";
import { freePort } from "./port.ts";

const HOST = "127.0.0.1";
const READY_POLL_MS = 10;
const REQUEST_TIMEOUT_MS = 5_000;
/** The engine leaves within 0.2 s, or, while a client keeps a connection open, waits 5 s to call `_exit`: SIGKILL does no worse, sooner. */
const STOP_TIMEOUT_MS = 1_500;
/** Of the memory bound, for each cache of marks or indexes; they would grow to 5 GB each. */
const CACHE_SHARE = 0.1;
/** To read objects of the archive, and to write them: whoever calls a table function must be allowed temporary tables. */
const READ_ARCHIVE_GRANTS = ["READ ON S3", "CREATE TEMPORARY TABLE ON *.*"];
const ARCHIVE_GRANTS = ["WRITE ON S3", ...READ_ARCHIVE_GRANTS];
/** Ten years; an interval must fit into 32 bits. */
const QUOTA_INTERVAL_S = 315_360_000;

if (import.meta.main) {
  if (process.send) {
    // The only sender is `startClickHouse` of the same checkout.
    process.once("message", (settings: ServerSettings) => void main(settings));
  } else {
    console.error("clickhouse-server: this is started by scripts/clickhouse.ts, run that one");
    process.exitCode = 2;
  }
}

async function main(settings: ServerSettings): Promise<void> {
  try {
    const port = await reservePort(settings.port);
    await serve(settings, port);
    await report({ kind: "ready", port });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const reason = error instanceof ClickHouseStartError ? error.reason : "engine-failed";
    await report({ kind: "failed", reason, message });
    process.exit(1);
  }
}

function report(message: ServerReport): Promise<void> {
  // A parent that is gone needs no report.
  return new Promise((done) => process.send?.(message, () => done()));
}

/** Fails early and clearly when the port is taken: the engine would say so late and at length. Returns the port, chosen if it was 0. */
async function reservePort(wanted: number): Promise<number> {
  const port = wanted === 0 ? await freePort() : wanted;
  const probe = createServer();
  try {
    await new Promise<void>((done, fail) => {
      probe.once("error", fail);
      probe.listen(port, HOST, done);
    });
    return port;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE") {
      throw new ClickHouseStartError("port-taken", `port ${port} on ${HOST} is taken by another program`, { cause });
    }
    throw new ClickHouseStartError("port-refused", `port ${port} on ${HOST} cannot be opened: ${textOf(cause)}`);
  } finally {
    await new Promise((done) => probe.close(done));
  }
}

/** Starts the engine and resolves when it answers as ours. */
async function serve(settings: ServerSettings, port: number): Promise<void> {
  const name = `tally-hold-${randomUUID()}`;
  let isReady = false;
  let isStopping = false;

  const stop = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    // Nothing was acknowledged yet, and the engine cannot be told to leave before it listens.
    if (!isReady) return killSelf();
    setTimeout(killSelf, STOP_TIMEOUT_MS).unref();
    try {
      // All that runs, not only the query that holds the engine: it would wait for the others.
      await query("KILL QUERY WHERE query_id != queryID() ASYNC");
    } catch {
      // It no longer answers: the timer ends it.
    }
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => void stop());
  process.on("disconnect", () => void stop());
  if (!process.connected) return killSelf();

  const query = async (sql: string): Promise<string> => {
    const answer = await fetch(`http://${HOST}:${port}`, {
      method: "POST",
      body: sql,
      headers: { "X-ClickHouse-User": ADMIN_USER, "X-ClickHouse-Key": settings.passwords.admin, Connection: "close" },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return await answer.text();
  };

  const engine = await loadEngine();
  const config = writeConfig(settings);
  process.once("exit", config.remove);
  void engine(engineArguments(settings, port, config.configFile, name)).then(
    () => process.exit(isStopping ? 0 : 1),
    (error) => {
      console.error(textOf(error));
      process.exit(1);
    },
  );

  // Not just any answer: another server may have been faster with the port.
  const isOurs = `SELECT count() FROM system.processes WHERE Settings['log_comment'] = '${name}'`;
  while ((await query(isOurs).catch(() => "")).trim() !== "1") await delay(READY_POLL_MS);
  isReady = true;
  // The engine has read them once and never looks again; no password, hashed or not, needs to stay on disk.
  config.remove();
}

function killSelf(): void {
  process.kill(process.pid, "SIGKILL");
}

/** Its promise settles when the engine has ended. On a native thread of ffi-rs, whose stack the engine accepts as one. */
async function loadEngine(): Promise<(argv: readonly string[]) => Promise<unknown>> {
  try {
    const { libchdbPath } = await import("chdb/libchdb");
    const { DataType, load, open } = await import("ffi-rs");
    open({ library: "chdb", path: libchdbPath() });
    return (argv) =>
      load({
        library: "chdb",
        funcName: "chdb_query_cmdline",
        retType: DataType.BigInt,
        paramsType: [DataType.I32, DataType.StringArray],
        paramsValue: [argv.length, argv],
        runInNewThread: true,
      });
  } catch (cause) {
    throw new ClickHouseStartError(
      "library-missing",
      `ClickHouse's library cannot be loaded on ${process.platform}-${process.arch} (chdb has it for macOS and, with glibc, ` +
        `Linux, each x64 and arm64; npm must not omit optional packages): ${textOf(cause)}`,
      { cause },
    );
  }
}

function engineArguments(settings: ServerSettings, port: number, configFile: string, name: string): string[] {
  return [
    "clickhouse-local",
    `--config-file=${configFile}`,
    `--path=${join(settings.dataDir, "data")}`,
    `--listen_host=${HOST}`,
    `--http_port=${port}`,
    `--log-level=${settings.logLevel}`,
    "--query=SYSTEM START LISTEN HTTP",
    // The listener lives as long as the program has a query to run: one that sleeps until it is killed, which is how to stop.
    "--query=SELECT sum(sleepEachRow(0.1)) FROM numbers(1000000000) SETTINGS max_threads = 1, max_block_size = 1, " +
      `function_sleep_max_microseconds_per_block = 0, log_queries = 0, log_comment = '${name}' FORMAT Null`,
  ];
}

interface ConfigFiles {
  readonly configFile: string;
  remove(): void;
}

/** In a folder of this process alone: another one that is about to fail on the lock of the data folder must not touch ours. */
function writeConfig(settings: ServerSettings): ConfigFiles {
  try {
    mkdirSync(join(settings.dataDir, "data"), { recursive: true, mode: 0o700 });
    const folder = mkdtempSync(join(settings.dataDir, "start-"));
    const usersFile = join(folder, "users.xml");
    const configFile = join(folder, "config.xml");
    writeFileSync(usersFile, usersXml(settings), { mode: 0o600 });
    writeFileSync(configFile, configXml(settings, usersFile), { mode: 0o600 });
    return { configFile, remove: () => rmSync(folder, { recursive: true, force: true }) };
  } catch (cause) {
    throw new ClickHouseStartError("data-dir-unusable", `the data folder cannot be used: ${textOf(cause)}`, { cause });
  }
}

function configXml({ dataDir, logLevel, maxMemoryBytes }: ServerSettings, usersFile: string): string {
  const cacheBytes = Math.round(maxMemoryBytes * CACHE_SHARE);
  return `<clickhouse>
  <users_config>${escapeXml(usersFile)}</users_config>
  <max_server_memory_usage>${maxMemoryBytes}</max_server_memory_usage>
  <mark_cache_size>${cacheBytes}</mark_cache_size>
  <index_mark_cache_size>${cacheBytes}</index_mark_cache_size>
  <primary_index_cache_size>${cacheBytes}</primary_index_cache_size>
  <max_concurrent_queries>1000</max_concurrent_queries>
  <keep_alive_timeout>30</keep_alive_timeout>
  <logger>
    <level>${logLevel}</level>
    <log>${escapeXml(join(dataDir, "clickhouse.log"))}</log>
    <size>20M</size>
    <count>2</count>
  </logger>
</clickhouse>
`;
}

/**
 * The engine opens its own session as `default` without a password, from the loopback address, and ends if it may not. So that user, open
 * to anyone on this machine, can do just that: the quota is the two queries we start the engine with.
 *
 * The default profile puts back what a server has and `clickhouse local` changes, so that a query means here what it means in production.
 */
function usersXml({ database, passwords }: ServerSettings): string {
  return `<clickhouse>
  <profiles>
    <default>
      <implicit_select>0</implicit_select>
      <allow_introspection_functions>0</allow_introspection_functions>
      <storage_file_read_method>pread</storage_file_read_method>
    </default>
    <reader>
      <profile>default</profile>
      <readonly>2</readonly>
    </reader>
  </profiles>
  <quotas>
    <default></default>
    <engine><interval><duration>${QUOTA_INTERVAL_S}</duration><queries>2</queries></interval></engine>
  </quotas>
  <users>
    <default>
      <no_password/>
      <networks><ip>${HOST}</ip></networks>
      <profile>default</profile>
      <quota>engine</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query></grants>
    </default>
${userXml(ADMIN_USER, passwords.admin, "default", ["ALL ON *.*"])}
${userXml(READER_USER, passwords.reader, "reader", [`SELECT ON ${database}.*`, ...READ_ARCHIVE_GRANTS])}
${userXml(WRITER_USER, passwords.writer, "default", [`SELECT, INSERT ON ${database}.*`, ...ARCHIVE_GRANTS])}
  </users>
</clickhouse>
`;
}

function userXml(name: string, password: string, profile: string, grants: readonly string[]): string {
  return `    <${name}>
      <password_sha256_hex>${createHash("sha256").update(password).digest("hex")}</password_sha256_hex>
      <networks><ip>${HOST}</ip></networks>
      <profile>${profile}</profile>
      <quota>default</quota>
      <grants>${grants.map((grant) => `<query>GRANT ${grant}</query>`).join("")}</grants>
    </${name}>`;
}

function escapeXml(text: string): string {
  return text.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
