import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** Not `default`: the engine itself logs in as that one, without a password, so that one may do nothing (see `clickhouse-server.ts`). */
export const ADMIN_USER = "tally_admin";
/** May SELECT from the one database and change settings of its queries, nothing else. */
export const READER_USER = "tally_reader";
/** May SELECT from and INSERT into the one database, and read and write objects by `s3()`, nothing else. */
export const WRITER_USER = "tally_writer";

export const LOG_LEVELS = ["error", "warning", "information", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface StartOptions {
  /** Holds all the server writes: tables, log, and (readable by the owner alone) its configuration. Created if missing. */
  readonly dataDir: string;
  /** Default and 0: any free one. */
  readonly port?: number;
  /** Of each user; default: random ones, different at every start. */
  readonly password?: string;
  readonly readerPassword?: string;
  readonly writerPassword?: string;
  /** The database that reader and writer may use; default `tally`. It need not exist yet. */
  readonly database?: string;
  /** Bounds queries, merges and caches together; default 2 GiB. The engine itself takes about 300 MB. */
  readonly maxMemoryBytes?: number;
  readonly logLevel?: LogLevel;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface ClickHouse extends Credentials {
  /** Without a path or credentials, such as `http://127.0.0.1:8123`. */
  readonly url: string;
  readonly reader: Credentials;
  readonly writer: Credentials;
  readonly pid: number;
  /** Ends the server and waits until it is gone; what it acknowledged is on disk. May be called again. */
  stop(): Promise<void>;
  /** SIGKILL, for tests of what survives it. */
  kill(): void;
  /** Resolves when the process is gone, whatever the reason: its exit code, or null after a signal. */
  readonly exited: Promise<number | null>;
}

export type StartFailure =
  | "bad-option"
  | "port-taken"
  | "port-refused"
  | "library-missing"
  | "data-dir-unusable"
  | "data-dir-in-use"
  | "engine-failed"
  | "timeout";

/** Why there is no server; the message is one sentence for a person. */
export class ClickHouseStartError extends Error {
  override readonly name = "ClickHouseStartError";
  readonly reason: StartFailure;

  constructor(reason: StartFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** What the child process is told, over its channel: neither arguments nor environment, where others could read passwords. */
export interface ServerSettings {
  readonly dataDir: string;
  readonly port: number;
  readonly database: string;
  readonly maxMemoryBytes: number;
  readonly logLevel: LogLevel;
  readonly passwords: { readonly admin: string; readonly reader: string; readonly writer: string };
}

/** The child's one answer. */
export type ServerReport =
  | { readonly kind: "ready"; readonly port: number }
  | { readonly kind: "failed"; readonly reason: StartFailure; readonly message: string };

const SERVER_FILE = fileURLToPath(new URL("./clickhouse-server.ts", import.meta.url).href);
const MAX_MEMORY_BYTES_DEFAULT = 2 * 1024 ** 3;
const START_TIMEOUT_MS = 60_000;
/** Longer than what the child allows itself before it kills itself. */
const STOP_TIMEOUT_MS = 5_000;
const FREE_PORT_TRIES = 3;
const STDERR_TAIL_CHARS = 8_192;

/** Starts a real ClickHouse on 127.0.0.1 and resolves when it answers. Rejects with a `ClickHouseStartError`, leaving no process behind. */
export async function startClickHouse(options: StartOptions): Promise<ClickHouse> {
  const settings = withDefaults(options);
  for (let tries = 1; ; tries++) {
    try {
      return await startOnce(settings);
    } catch (error) {
      // Between finding a free port and opening it, another process may take it.
      const isLostRace = error instanceof ClickHouseStartError && error.reason === "port-taken" && settings.port === 0;
      if (!isLostRace || tries === FREE_PORT_TRIES) throw error;
    }
  }
}

function withDefaults(options: StartOptions): ServerSettings {
  const { port = 0, database = "tally", maxMemoryBytes = MAX_MEMORY_BYTES_DEFAULT } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ClickHouseStartError("bad-option", `the port must be an integer from 0 to 65535, not ${port}`);
  }
  if (!/^[A-Za-z_]\w*$/.test(database)) {
    throw new ClickHouseStartError("bad-option", `the database name must be a plain identifier, not ${database}`);
  }
  if (!Number.isSafeInteger(maxMemoryBytes) || maxMemoryBytes <= 0) {
    throw new ClickHouseStartError("bad-option", `the memory bound must be a positive integer, not ${maxMemoryBytes}`);
  }
  return {
    dataDir: resolve(options.dataDir),
    port,
    database,
    maxMemoryBytes,
    logLevel: options.logLevel ?? "warning",
    passwords: {
      admin: options.password ?? randomPassword(),
      reader: options.readerPassword ?? randomPassword(),
      writer: options.writerPassword ?? randomPassword(),
    },
  };
}

function randomPassword(): string {
  return randomBytes(18).toString("base64url");
}

async function startOnce(settings: ServerSettings): Promise<ClickHouse> {
  const child = fork(SERVER_FILE, {
    execArgv: [],
    // The engine takes its time zone from there alone.
    env: { ...process.env, TZ: "UTC" },
    // A group of its own: Ctrl-C reaches only the parent, which may still have rows to write before it stops the server.
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let stderrTail = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderrTail = (stderrTail + text).slice(-STDERR_TAIL_CHARS);
  });
  const exited = new Promise<number | null>((done) => {
    child.once("close", done);
  });

  let timer: NodeJS.Timeout | undefined;
  const report = await new Promise<ServerReport>((done) => {
    child.once("message", (message) => done(message as ServerReport));
    child.once("error", (error) => done(failed("engine-failed", `ClickHouse could not be started: ${error.message}`)));
    void exited.then((code) => done(explainExit(stderrTail, code, settings)));
    timer = setTimeout(() => {
      done(failed("timeout", `ClickHouse did not answer within ${START_TIMEOUT_MS / 1000} s`));
    }, START_TIMEOUT_MS);
    child.send(settings, () => {
      // If the child is gone already, its exit explains more than the broken channel.
    });
  });
  clearTimeout(timer);

  if (report.kind === "failed" || child.pid === undefined) {
    if (child.pid !== undefined) {
      child.kill("SIGKILL");
      await exited;
    }
    const { reason, message } =
      report.kind === "failed" ? report : failed("engine-failed", "ClickHouse has no process");
    throw new ClickHouseStartError(reason, message);
  }

  return {
    url: `http://127.0.0.1:${report.port}`,
    user: ADMIN_USER,
    password: settings.passwords.admin,
    reader: { user: READER_USER, password: settings.passwords.reader },
    writer: { user: WRITER_USER, password: settings.passwords.writer },
    pid: child.pid,
    exited,
    kill: () => void child.kill("SIGKILL"),
    stop: async () => {
      child.kill("SIGTERM");
      const killer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(killer);
    },
  };
}

function failed(reason: StartFailure, message: string): ServerReport & { kind: "failed" } {
  return { kind: "failed", reason, message };
}

/** The engine writes why it ended to stderr, as `Code: 76. DB::Exception: … (CANNOT_OPEN_FILE)`; Node.js, as `TypeError: …`. */
function explainExit(stderr: string, code: number | null, { dataDir, port }: ServerSettings): ServerReport {
  if (stderr.includes("Cannot lock file")) {
    return failed("data-dir-in-use", `another ClickHouse is using the data folder ${dataDir}`);
  }
  if (stderr.includes("Address already in use")) {
    return failed("port-taken", `port ${port} on 127.0.0.1 is taken by another program`);
  }
  const said = stderr.match(/(?:DB::Exception|^\w*Error.*?): (.*)/m)?.[1] ?? stderr.trim().split("\n").at(-1);
  return failed("engine-failed", `ClickHouse ended while starting: ${said || `exit code ${code}, see ${dataDir}`}`);
}

const HELP = `Runs a real ClickHouse on 127.0.0.1 until Ctrl-C, without Docker.

  node scripts/clickhouse.ts [options]

  --path DIR           data folder (.tally/clickhouse)
  --port N             HTTP port; 0 picks a free one (8123)
  --password TEXT      of the user "${ADMIN_USER}"; better in the environment's CLICKHOUSE_PASSWORD (a random one, printed)
  --database NAME      what ${READER_USER} and ${WRITER_USER} may use; else CLICKHOUSE_DATABASE (tally)
  --max-memory-mb N    memory for queries, merges and caches (${MAX_MEMORY_BYTES_DEFAULT / 1024 ** 2})
  --log-level LEVEL    ${LOG_LEVELS.join(", ")} (warning); the log is DIR/clickhouse.log
  --help               this text
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      path: { type: "string", default: ".tally/clickhouse" },
      port: { type: "string", default: "8123" },
      password: { type: "string" },
      database: { type: "string" },
      "max-memory-mb": { type: "string", default: String(MAX_MEMORY_BYTES_DEFAULT / 1024 ** 2) },
      "log-level": { type: "string", default: "warning" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const logLevel = LOG_LEVELS.find((level) => level === values["log-level"]);
  if (!logLevel) throw new ClickHouseStartError("bad-option", `the log level must be one of ${LOG_LEVELS.join(", ")}`);

  const server = await startClickHouse({
    dataDir: values.path,
    port: Number(values.port),
    password: values.password ?? process.env.CLICKHOUSE_PASSWORD ?? randomPassword(),
    database: values.database ?? process.env.CLICKHOUSE_DATABASE ?? "tally",
    maxMemoryBytes: Number(values["max-memory-mb"]) * 1024 ** 2,
    logLevel,
  });
  let isStopping = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      isStopping = true;
      void server.stop();
    });
  }
  console.log(`ClickHouse is running, Ctrl-C stops it. For another terminal:

export CLICKHOUSE_URL=${server.url} CLICKHOUSE_USER=${server.user} CLICKHOUSE_PASSWORD='${server.password}'`);
  const code = await server.exited;
  if (!isStopping) throw new Error(`ClickHouse ended by itself (exit code ${code}), see ${values.path}/clickhouse.log`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`clickhouse: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
