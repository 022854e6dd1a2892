/**
 * The child process that is a ClickHouse server; `clickhouse.ts` starts and watches it, and is what a person runs.
 *
 * libchdb exports `chdb_query_cmdline(argc, argv)`: that is the program `clickhouse local`, which can open ClickHouse's own HTTP
 * listener (`SYSTEM START LISTEN HTTP`). A process can hold one engine, and the engine keeps the thread it was called on.
 *
 * The channel to the parent brings the settings and takes back one report; when it closes the parent is gone, and so are we.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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

const HOST = "127.0.0.1";
const READY_POLL_MS = 10;
const REQUEST_TIMEOUT_MS = 5_000;
/** After this a stop waits no longer for the engine; what it acknowledged survives a SIGKILL as well. */
const STOP_TIMEOUT_MS = 8_000;
/** Of the memory bound, for each cache of marks or indexes; they would grow to 5 GB each. */
const CACHE_SHARE = 0.1;

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
async function reservePort(port: number): Promise<number> {
  const probe = createServer();
  try {
    return await new Promise<number>((done, fail) => {
      probe.once("error", fail);
      probe.listen(port, HOST, () => {
        const address = probe.address();
        done(typeof address === "object" && address ? address.port : port);
      });
    });
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
      await query("SYSTEM FLUSH ASYNC INSERT QUEUE");
      await query(`KILL QUERY WHERE Settings['log_comment'] = '${name}' ASYNC`);
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
  const configFile = writeConfig(settings);
  void engine(engineArguments(settings, port, configFile, name)).then(
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
    "--query=SELECT sum(sleepEachRow(1)) FROM numbers(1000000000) SETTINGS max_threads = 1, max_block_size = 1, " +
      `function_sleep_max_microseconds_per_block = 0, log_queries = 0, log_comment = '${name}' FORMAT Null`,
  ];
}

/**
 * Each process writes its own pair of files: if this one is about to fail on the lock of the data folder, it must not have
 * replaced the users of the server that runs, which reloads them. Returns the path of the configuration.
 */
function writeConfig(settings: ServerSettings): string {
  const { dataDir } = settings;
  const runs = join(dataDir, "run");
  const run = join(runs, String(process.pid));
  try {
    mkdirSync(join(dataDir, "data"), { recursive: true, mode: 0o700 });
    mkdirSync(runs, { recursive: true, mode: 0o700 });
    for (const pid of readdirSync(runs)) {
      if (pid === String(process.pid) || !isAlive(Number(pid)))
        rmSync(join(runs, pid), { recursive: true, force: true });
    }
    mkdirSync(run, { mode: 0o700 });
    const usersFile = join(run, "users.xml");
    const configFile = join(run, "config.xml");
    writeFileSync(usersFile, usersXml(settings), { mode: 0o600 });
    writeFileSync(configFile, configXml(settings, usersFile), { mode: 0o600 });
    process.once("exit", () => rmSync(run, { recursive: true, force: true }));
    return configFile;
  } catch (cause) {
    throw new ClickHouseStartError("data-dir-unusable", `the data folder cannot be used: ${textOf(cause)}`, { cause });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function configXml({ dataDir, logLevel, maxMemoryBytes }: ServerSettings, usersFile: string): string {
  const cacheBytes = Math.round(maxMemoryBytes * CACHE_SHARE);
  return `<clickhouse>
  <users_config>${escapeXml(usersFile)}</users_config>
  <timezone>UTC</timezone>
  <max_server_memory_usage>${maxMemoryBytes}</max_server_memory_usage>
  <mark_cache_size>${cacheBytes}</mark_cache_size>
  <index_mark_cache_size>${cacheBytes}</index_mark_cache_size>
  <primary_index_cache_size>${cacheBytes}</primary_index_cache_size>
  <max_concurrent_queries>100</max_concurrent_queries>
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

/** The profile puts back what a server has and `clickhouse local` changes, so that a query means here what it means in production. */
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
  <quotas><default></default></quotas>
  <users>
${userXml(ADMIN_USER, passwords.admin, "default")}
${userXml(READER_USER, passwords.reader, "reader", `GRANT SELECT ON ${database}.*`)}
${userXml(WRITER_USER, passwords.writer, "default", `GRANT SELECT, INSERT ON ${database}.*`)}
  </users>
</clickhouse>
`;
}

function userXml(name: string, password: string, profile: string, grant?: string): string {
  return `    <${name}>
      <password_sha256_hex>${createHash("sha256").update(password).digest("hex")}</password_sha256_hex>
      <networks><ip>${HOST}</ip></networks>
      <profile>${profile}</profile>
      <quota>default</quota>
      ${grant === undefined ? "" : `<grants><query>${grant}</query></grants>`}
    </${name}>`;
}

function escapeXml(text: string): string {
  return text.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
