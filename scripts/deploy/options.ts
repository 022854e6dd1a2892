import { parseArgs } from "node:util";
import { TOKEN_PERMISSIONS } from "./account.ts";

export const DEPLOY_HELP = `Deploys Tally to a Cloudflare account and a ClickHouse: creates what is missing, migrates both databases, deploys the three Workers, and tries them.

  npm run deploy [-- options]

  --dry-run              print the plan and build the Workers; without credentials, the plan for an empty account
  --yes                  do not ask before anything is changed
  --clickhouse-url URL   of the ClickHouse, such as https://abc.clickhouse.cloud:8443; remembered for the next time
  --database NAME        its database (tally); remembered
  --ingest-url URL       where ingest answers, if not at its address of workers.dev; remembered
  --api-url URL          where the api answers; remembered
  --no-smoke-test        do not send an event through what was deployed
  --help                 this text

From the environment, and asked for where there is a terminal:
  CLOUDFLARE_API_TOKEN   a token with ${TOKEN_PERMISSIONS.join(", ")}
  CLOUDFLARE_ACCOUNT_ID  only if the token is for several accounts
  CLICKHOUSE_ADMIN_USER, CLICKHOUSE_ADMIN_PASSWORD   who may create tables and users there (default, no password); not kept
  CLICKHOUSE_WRITER_PASSWORD, CLICKHOUSE_READER_PASSWORD   of the users tally_writer and tally_reader, where they are there already and stay as they are
  ARCHIVE_S3_KEY_ID, ARCHIVE_S3_SECRET               an R2 API token for the archive's bucket; optional

May be run again at any time: what is there stays. What was generated stands in .deploy/, which nobody else should read. docs/deploy.md says more.
Exit code: 0 all is well, 1 something failed (run it again once the cause is gone), 2 wrong usage or something is missing.
`;

/** What is remembered of an account between runs; no secrets. */
export interface Remembered {
  readonly clickhouseUrl?: string | undefined;
  readonly database?: string | undefined;
  readonly ingestUrl?: string | undefined;
  readonly apiUrl?: string | undefined;
}

export interface DeployCommand extends Remembered {
  readonly isDryRun: boolean;
  readonly isAgreed: boolean;
  readonly withSmokeTest: boolean;
}

/** The command line as data: what to do, a request for help, or one sentence on what is wrong with it. */
export function parseDeployCommand(
  args: readonly string[],
): { readonly command: DeployCommand } | { readonly help: true } | { readonly wrong: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      allowNegative: true,
      options: {
        "dry-run": { type: "boolean", default: false },
        yes: { type: "boolean", short: "y", default: false },
        "clickhouse-url": { type: "string" },
        database: { type: "string" },
        "ingest-url": { type: "string" },
        "api-url": { type: "string" },
        "smoke-test": { type: "boolean", default: true },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return { help: true };
    for (const name of ["clickhouse-url", "ingest-url", "api-url"] as const) {
      const url = values[name];
      if (url !== undefined && !isOrigin(url)) {
        return { wrong: `--${name} is an HTTPS address without a path and a user, such as https://tally.example` };
      }
    }
    if (values.database !== undefined && !/^[A-Za-z_]\w{0,63}$/.test(values.database)) {
      return { wrong: `--database is a name of letters, digits and _, not ${values.database}` };
    }
    return {
      command: {
        isDryRun: values["dry-run"],
        isAgreed: values.yes,
        withSmokeTest: values["smoke-test"],
        clickhouseUrl: trimmed(values["clickhouse-url"]),
        database: values.database,
        ingestUrl: trimmed(values["ingest-url"]),
        apiUrl: trimmed(values["api-url"]),
      },
    };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}

/** Passwords and keys go there, and the address itself stands in the configuration: over HTTP only on this machine, and with nobody's name in it. */
export function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search, hash, username, password } = new URL(text);
  const isSafe =
    protocol === "https:" || (protocol === "http:" && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(hostname));
  return isSafe && pathname === "/" && search + hash + username + password === "";
}

const trimmed = (url: string | undefined) => url?.replace(/\/+$/, "");
