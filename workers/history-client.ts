import { type ClickHouseClient, createClient } from "@clickhouse/client-web";
import { z } from "zod";

/** What a Worker that reads or writes history binds. */
export interface HistoryEnv {
  readonly CLICKHOUSE_URL: string;
  readonly CLICKHOUSE_USER: string;
  readonly CLICKHOUSE_PASSWORD: string;
  readonly CLICKHOUSE_DATABASE: string;
}

const settingsSchema = z.object({
  CLICKHOUSE_URL: z.url(),
  CLICKHOUSE_USER: z.string().min(1),
  CLICKHOUSE_PASSWORD: z.string(),
  CLICKHOUSE_DATABASE: z.string().min(1),
});

type ClickHouseSettings = NonNullable<Parameters<typeof createClient>[0]>["clickhouse_settings"];

/** A client of ClickHouse, to be closed; throws with the name of the setting that is missing or wrong. `settings` are those of its statements. */
export function historyClient(
  env: HistoryEnv,
  requestTimeoutMs: number,
  settings: NonNullable<ClickHouseSettings>,
): ClickHouseClient {
  const { CLICKHOUSE_URL, CLICKHOUSE_USER, CLICKHOUSE_PASSWORD, CLICKHOUSE_DATABASE } = settingsSchema.parse(env);
  return createClient({
    url: CLICKHOUSE_URL,
    username: CLICKHOUSE_USER,
    password: CLICKHOUSE_PASSWORD,
    database: CLICKHOUSE_DATABASE,
    request_timeout: requestTimeoutMs,
    // Five years of days are 20 KB of parameters, more than a URL should carry.
    use_multipart_params: true,
    clickhouse_settings: settings,
  });
}
