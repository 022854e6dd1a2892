import { readFile } from "node:fs/promises";
import { parse } from "smol-toml";
import { z } from "zod";
import { WORKERS, type WorkerName } from "../build.ts";

/** The id that stands in wrangler.toml in place of each account's own. */
export const NO_DATABASE_ID = "00000000-0000-0000-0000-000000000000";

const environmentSchema = z.looseObject({
  name: z.string(),
  main: z.string(),
  vars: z.record(z.string(), z.string()).default({}),
  d1_databases: z.array(z.looseObject({ database_name: z.string(), database_id: z.string() })).default([]),
  r2_buckets: z.array(z.looseObject({ bucket_name: z.string() })).default([]),
  queues: z
    .looseObject({
      producers: z.array(z.looseObject({ queue: z.string() })).default([]),
      consumers: z.array(z.looseObject({ queue: z.string(), dead_letter_queue: z.string().optional() })).default([]),
    })
    .default({ producers: [], consumers: [] }),
});

const configSchema = z.looseObject({
  env: z.object({ ingest: environmentSchema, aggregate: environmentSchema, api: environmentSchema }),
});

/** wrangler.toml, of which only what a deployment asks about is looked at; the rest is kept as it stands. */
export type Config = z.infer<typeof configSchema>;

/** What has to be there before the Workers can be. */
export interface Wanted {
  readonly queues: readonly string[];
  readonly buckets: readonly string[];
  /** The one database of all Workers. */
  readonly database: string;
  /** Each Worker's name at Cloudflare. */
  readonly scripts: Readonly<Record<WorkerName, string>>;
}

/** Throws with the path of what is missing when the file is not what Tally's Workers need. */
export async function readConfig(path: string): Promise<Config> {
  return configSchema.parse(parse(await readFile(path, "utf8")));
}

/** Pure. Dead-letter queues come first: a consumer names its own. */
export function wantedBy({ env }: Config): Wanted {
  const environments = WORKERS.map((worker) => env[worker]);
  const consumers = environments.flatMap(({ queues }) => queues.consumers);
  const queues = [
    ...consumers.flatMap(({ dead_letter_queue }) => dead_letter_queue ?? []),
    ...consumers.map(({ queue }) => queue),
    ...environments.flatMap(({ queues }) => queues.producers.map(({ queue }) => queue)),
  ];
  const databases = new Set(environments.flatMap(({ d1_databases }) => d1_databases.map((one) => one.database_name)));
  const [database] = databases;
  if (database === undefined || databases.size > 1)
    throw new Error("wrangler.toml names one D1 database for all Workers");
  return {
    queues: [...new Set(queues)],
    buckets: [...new Set(environments.flatMap(({ r2_buckets }) => r2_buckets.map((one) => one.bucket_name)))],
    database,
    scripts: { ingest: env.ingest.name, aggregate: env.aggregate.name, api: env.api.name },
  };
}

export interface AccountSettings {
  readonly databaseId: string;
  /** By Worker, in place of those of wrangler.toml. */
  readonly vars: Readonly<Record<WorkerName, Readonly<Record<string, string>>>>;
}

/** Pure. The configuration of one account: its database, and the variables that differ from those of wrangler.toml. */
export function configOf(config: Config, { databaseId, vars }: AccountSettings): Config {
  const of = (worker: WorkerName) => {
    const environment = config.env[worker];
    return {
      ...environment,
      vars: { ...environment.vars, ...vars[worker] },
      d1_databases: environment.d1_databases.map((one) => ({ ...one, database_id: databaseId })),
    };
  };
  return { ...config, env: { ingest: of("ingest"), aggregate: of("aggregate"), api: of("api") } };
}
