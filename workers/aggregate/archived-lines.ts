import type { HistoryEnv } from "../history-client.ts";
import { LINE_SETTINGS, LOAD_SQL } from "./recount-sql.ts";

const LOAD_TIMEOUT_MS = 120_000;

/** ClickHouse did not take lines: `code` is its own number for why, 0 when it did not answer as it should. */
export class LinesRefused extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }

  /** True when the lines themselves cannot be read, so that the same again cannot help. */
  get isDamage(): boolean {
    return isDamageCode(this.code);
  }
}

/** Whether it is for what was to be read that ClickHouse has not read it. */
export function isDamageCode(code: number): boolean {
  return DAMAGE.has(code);
}

/** CANNOT_PARSE_* and the like, INCORRECT_DATA, ZLIB_INFLATE_FAILED, CANNOT_READ_ALL_DATA, ATTEMPT_TO_READ_AFTER_EOF. */
const DAMAGE: ReadonlySet<number> = new Set([6, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 130, 131, 190, 321, 354]);

/** What is loaded, and under which number of its own. */
export interface Loading {
  readonly replay: number;
  /** Empty for all. */
  readonly merchants: readonly string[];
  /** Of so many slices of merchants, by their hash in ClickHouse, the one that is loaded; without them all are. */
  readonly slices?: number;
  readonly slice?: number;
}

/**
 * Loads lines of the archive under a number of their own, those of the merchants when any are named. `gzipped` is one or several members,
 * as they stand in the archive. Throws `LinesRefused`; some of the lines may have been loaded then, which does no harm: loaded
 * again they are repeats.
 */
export async function loadLines(
  env: HistoryEnv,
  { replay, merchants, slices = 1, slice = 0 }: Loading,
  gzipped: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
): Promise<void> {
  const url = new URL(env.CLICKHOUSE_URL);
  const parameters = {
    ...LINE_SETTINGS,
    async_insert: 0,
    query: LOAD_SQL,
    param_replay: replay,
    param_slices: slices,
    param_slice: slice,
    param_merchants: `[${merchants.map((merchant) => `'${merchant}'`).join(",")}]`,
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, String(value));
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      "X-ClickHouse-User": env.CLICKHOUSE_USER,
      "X-ClickHouse-Key": env.CLICKHOUSE_PASSWORD,
      "X-ClickHouse-Database": env.CLICKHOUSE_DATABASE,
      "Content-Encoding": "gzip",
    },
    body: gzipped,
    signal: AbortSignal.timeout(LOAD_TIMEOUT_MS),
  });
  const text = await answer.text();
  if (answer.ok && !text.includes("DB::Exception")) return;
  throw new LinesRefused(Number(answer.headers.get("X-ClickHouse-Exception-Code") ?? 0), text.slice(0, 1_000));
}
