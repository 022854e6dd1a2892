import { createHash } from "node:crypto";
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { READER_USER, WRITER_USER } from "../clickhouse.ts";

/** Who may do what with the one database, as `npm start` has it too (scripts/clickhouse-server.ts). */
const USERS = {
  aggregate: { user: WRITER_USER, rights: ["SELECT, INSERT"], archive: ["READ, WRITE ON S3"], settings: "" },
  api: { user: READER_USER, rights: ["SELECT"], archive: ["READ ON S3"], settings: " SETTINGS readonly = 2" },
} as const;

export interface Server {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/**
 * Makes the user of a Worker if it is missing, with a new password and its rights; answers the user's name. The statements may be run any number of times.
 * Throws when the server does not let its administrator manage users.
 */
export async function setClickHouseUser(
  server: Server,
  worker: "aggregate" | "api",
  password: string,
): Promise<string> {
  const { user, rights, archive, settings } = USERS[worker];
  const client = createClient({
    url: server.url,
    username: server.user,
    password: server.password,
    log: { level: ClickHouseLogLevel.OFF },
  });
  try {
    // Parameters of a command stand in its address, which servers and whatever is before them write into their logs: of a password with 256 random bits
    // the hash tells nothing.
    const hash = createHash("sha256").update(password).digest("hex");
    const query_params = { user, hash, database: server.database };
    const run = (query: string) => client.command({ query, query_params });
    const identified = "{user:Identifier} IDENTIFIED WITH sha256_hash BY {hash:String}";
    await run(`CREATE USER IF NOT EXISTS ${identified}${settings}`);
    await run(`ALTER USER ${identified}${settings}`);
    for (const right of rights) await run(`GRANT ${right} ON {database:Identifier}.* TO {user:Identifier}`);
    for (const right of [...archive, "CREATE TEMPORARY TABLE ON *.*"]) await grantIfAllowed(client, right, user);
    return user;
  } catch (cause) {
    if (!(cause instanceof ClickHouseError)) throw cause;
    const given = worker === "api" ? "CLICKHOUSE_READER_PASSWORD" : "CLICKHOUSE_WRITER_PASSWORD";
    const instead = `make ${user} there by hand (docs/deploy.md), and give its password as ${given}`;
    throw new Error(`ClickHouse does not let ${server.user} make users; ${instead}: ${cause.message.trim()}`, {
      cause,
    });
  } finally {
    await client.close();
  }
}

/** A server may not let its administrator grant what only the archive needs; then that is for its owner to do (docs/operations.md). */
async function grantIfAllowed(client: ClickHouseClient, right: string, user: string): Promise<void> {
  await client
    .command({ query: `GRANT ${right} TO {user:Identifier}`, query_params: { user } })
    .catch((error: Error) => {
      console.error(`  ClickHouse does not grant ${right} to ${user}: ${error.message.trim()}`);
    });
}
