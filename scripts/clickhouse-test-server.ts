import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { type ClickHouse, type Credentials, startClickHouse } from "./clickhouse.ts";
import { migrateClickHouse } from "./clickhouse-migrate.ts";

export interface TestServer {
  /** A temporary folder for the tests' own files; the server's data is in `shared`. */
  readonly root: string;
  readonly server: ClickHouse;
  /** Ends the server and removes the folder. */
  readonly stop: () => Promise<void>;
}

type Target = Credentials & { readonly url: string };
type Row = Readonly<Record<string, string | number | readonly (string | number)[]>>;

/** The `window_start` of `window`, in seconds since 1970. */
export const START_S = Date.UTC(2026, 9, 1) / 1000;

const MAX_MEMORY_BYTES = 1024 ** 3;

/** Starts a migrated ClickHouse for one test file. If that fails, neither process nor folder is left. */
export async function startTestServer(): Promise<TestServer> {
  const root = await mkdtemp(join(tmpdir(), "tally-clickhouse-"));
  let server: ClickHouse | undefined;
  const stop = async () => {
    await server?.stop();
    await rm(root, { recursive: true, force: true });
  };
  try {
    server = await startClickHouse({ dataDir: join(root, "shared"), maxMemoryBytes: MAX_MEMORY_BYTES });
    await migrateClickHouse(server);
    return { root, server, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A row of `windows`: those columns, and defaults for its key and revision. */
export function window(columns: Row): Row {
  return { merchant_id: "shop", currency: "JPY", window_start: START_S, revision: 1, ...columns };
}

/** Rows of the answer. The database is `tally` unless told. */
export function select(target: Target, query: string, database?: string): Promise<unknown[]> {
  return withClient(target, async (client) => (await client.query({ query, format: "JSONEachRow" })).json(), database);
}

/** Into `windows` of the database `tally`. */
export async function insert(target: Target, values: readonly Row[]): Promise<void> {
  await withClient(target, (client) => client.insert({ table: "windows", values, format: "JSONEachRow" }));
}

/** In the database `tally` unless told. */
export async function command(target: Target, query: string, database?: string): Promise<void> {
  await withClient(target, (client) => client.command({ query }), database);
}

async function withClient<T>(
  target: Target,
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

function clientOf({ url, user, password }: Target, database = "tally"): ClickHouseClient {
  return createClient({ url, username: user, password, database, log: { level: ClickHouseLogLevel.OFF } });
}
