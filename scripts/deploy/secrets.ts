import type { WorkerName } from "../build.ts";

/** How a secret comes to be. */
export type SecretOrigin =
  /** Random, the same in all Workers that have it: what was made with it is lost with it. */
  | { readonly kind: "generated"; readonly hexDigits: number }
  /** Of the Worker's user of ClickHouse: random, and set there at the same time, unless the environment gives that of a user that is there already. */
  | { readonly kind: "clickhouse"; readonly givenAs: Readonly<Record<"aggregate" | "api", string>> }
  /** Made by hand at Cloudflare, and asked for. Without it what `without` says. */
  | { readonly kind: "asked"; readonly question: string; readonly without: string };

export interface Secret {
  readonly name: string;
  readonly workers: readonly WorkerName[];
  readonly origin: SecretOrigin;
}

const S3_WITHOUT = "the archive is not compacted, and single events cannot be listed";

/** What each Worker's `env.ts` reads and wrangler.toml does not hold. */
export const SECRETS: readonly Secret[] = [
  { name: "IDENTITY_KEY", workers: ["ingest", "aggregate"], origin: { kind: "generated", hexDigits: 32 } },
  { name: "USER_KEY", workers: ["ingest"], origin: { kind: "generated", hexDigits: 32 } },
  { name: "SESSION_KEY", workers: ["api"], origin: { kind: "generated", hexDigits: 64 } },
  { name: "ALERT_KEY", workers: ["aggregate", "api"], origin: { kind: "generated", hexDigits: 64 } },
  {
    name: "CLICKHOUSE_PASSWORD",
    workers: ["aggregate", "api"],
    origin: {
      kind: "clickhouse",
      givenAs: { aggregate: "CLICKHOUSE_WRITER_PASSWORD", api: "CLICKHOUSE_READER_PASSWORD" },
    },
  },
  {
    name: "ARCHIVE_S3_KEY_ID",
    workers: ["aggregate", "api"],
    origin: { kind: "asked", question: "Access key id of an R2 token for the archive's bucket", without: S3_WITHOUT },
  },
  {
    name: "ARCHIVE_S3_SECRET",
    workers: ["aggregate", "api"],
    origin: { kind: "asked", question: "Its secret access key", without: S3_WITHOUT },
  },
];

/** Variables of the environment that a deployment takes secrets from. */
export const SECRET_VARIABLES: readonly string[] = SECRETS.flatMap(({ name, origin }) =>
  origin.kind === "clickhouse" ? Object.values(origin.givenAs) : [name],
);

/** What is wrong with values that were given, a sentence each: a Worker with such a key refuses all requests, and one that is set is never replaced. */
export function faultsOf(values: ReadonlyMap<string, string | undefined>): string[] {
  return SECRETS.flatMap(({ name, origin }) => {
    const value = values.get(name);
    if (origin.kind !== "generated" || value === undefined) return [];
    const isRight = value.length === origin.hexDigits && /^[0-9a-f]+$/i.test(value);
    return isRight ? [] : [`${name} is ${origin.hexDigits} hexadecimal digits`];
  });
}
